"""A platform in a process of its own that tells subscribers of changes, and can be killed at it: see its test.

``python -m tests.faults.notifier STORE URL CHANGES``: makes a service and changes its state until that many changes
are on disk, however often it was killed before, and ends when no notification waits any more.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import msgspec

from hanse.kit.callbacks import Callbacks
from hanse.kit.contract.call import Caller
from hanse.kit.contract.observe import Silence
from hanse.kit.store import Store
from hanse.refpoints.mp1.services import AVAILABILITY_SUBSCRIPTION, AvailabilitySubscription, ServiceState
from tests.unit.elements.mep.parts import Bench, app, configuration, service, settled

SUBSCRIBERS = 2


async def main(path: Path, url: str, changes: int) -> None:
    """Do what is not done yet."""
    callbacks = Callbacks(Caller(role="mep", name="mep.harbour", operator="north"), "Mp1", Silence())
    bench = Bench(store=Store(path), callbacks=callbacks)  # type: ignore[arg-type]
    await bench.outbox.start()
    await bench.platform.configuration.configure("one", configuration("one", "speech"))
    await bench.platform.configuration.configure("two", configuration("two"))
    while len(bench.platform.records.availability) < SUBSCRIBERS:
        number = len(bench.platform.records.availability)
        wish = AvailabilitySubscription(
            subscription_type=AVAILABILITY_SUBSCRIPTION, callback_reference=f"{url}/{number}"
        )
        await bench.platform.services.subscribe_to_availability("two", wish)
    await change(bench, changes)
    await settled(bench.outbox)
    await bench.outbox.close()
    await callbacks.close()
    bench.store.close()


async def change(bench: Bench, changes: int) -> None:
    """The service is announced by the first change; each later one turns its state."""
    services, kept = bench.platform.services, bench.platform.records.services
    with app("one"):
        if not len(kept):
            await services.register_service("one", service("speech"))
        while (record := kept.values()[0]).generation < changes:
            active = record.service.state is ServiceState.ACTIVE
            turned = ServiceState.INACTIVE if active else ServiceState.ACTIVE
            identifier = str(record.service.ser_instance_id)
            await services.replace_service("one", identifier, msgspec.structs.replace(record.service, state=turned))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
