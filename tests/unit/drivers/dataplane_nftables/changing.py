"""A process that makes a data plane and changes rules until it is killed: ``python -m … NAME``."""

from __future__ import annotations

import asyncio
import sys

from hanse.refpoints.mp2 import Action
from tests.contract.grounds import Namespaces, rule


async def main(name: str) -> None:
    spaces = Namespaces(name)
    print("begun", flush=True)
    await spaces.start()
    print("started", flush=True)
    tap = rule(spaces, "tap", action=Action.DUPLICATE_DECAPSULATED, to_address=spaces.other_app)
    while True:
        await asyncio.gather(*(spaces.plane.install(f"r{n}", rule(spaces, f"r{n}")) for n in range(20)))
        await spaces.plane.install("tap", tap)
        await spaces.plane.withdraw("r3")
        await spaces.plane.withdraw("tap")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
