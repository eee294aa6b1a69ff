"""A process that carries a device behind a base station until it is killed: ``python -m … NAME``."""

from __future__ import annotations

import asyncio
import sys

from tests.contract.radio import Radio, to_app


async def main(name: str) -> None:
    radio = Radio(name)
    await radio.start()
    await radio.plane.install("r", to_app(radio))
    print("carrying", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
