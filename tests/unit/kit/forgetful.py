"""A process that forgets the voyages that ended; it can be killed in the midst of that (see its test).

Arguments: a directory, how many voyages have ended, a failpoint at which it dies while it forgets (one at a time), if
any, and voyages to begin before. Those that are planned to hang go on hanging.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from hanse.kit.procedures import forgetting
from tests.unit.kit.voyage import Ship

PATIENCE = 100.0


async def main() -> None:
    directory, ended, failpoint, *voyages = Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]
    vars(forgetting)["AT_ONCE"] = 1
    ship = Ship(directory, 1)
    await ship.procedures.start()
    await ship.outbox.start()
    for voyage in voyages:
        await ship.begin(voyage)
    deadline = time.monotonic() + PATIENCE
    while await _recorded(ship) < ended and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.25)  # whoever reads the log keeps from it who writes
    young = await ship.procedures.forget_ended(time.time() - 3600)
    Path(os.environ["HANSE_FAILPOINT"]).write_text(failpoint)
    print((young, await ship.procedures.forget_ended(time.time() + 1, [ship.outbox])), flush=True)
    os._exit(0)


async def _recorded(ship: Ship) -> int:
    """How many DBOS takes to have ended, which it notes a moment after the last step; and none waits to be begun."""
    assert ship.procedures._dbos is not None
    found = await ship.procedures._dbos.list_workflows_async(status=forgetting.ENDED)
    return 0 if ship.outbox.waiting("procedure") else len(found)


if __name__ == "__main__":
    asyncio.run(main())
