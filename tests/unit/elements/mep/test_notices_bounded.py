"""An app that takes no notices cannot fill its platform's disk; when it comes back it learns how things stand."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from msgspec.structs import replace

from hanse.elements.mep import notices
from hanse.kit.problems import unreachable
from hanse.refpoints.mp1.services import AVAILABILITY_SUBSCRIPTION, AvailabilitySubscription
from tests.unit.elements.mep.parts import Bench, configuration, service, settled


async def test_what_waits_for_one_subscriber_is_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "MOST_WAITING", 10)
    away = asyncio.Event()
    deliver = bench.callbacks.deliver

    async def silent(event: bytes) -> None:
        if not away.is_set():
            raise unreachable("the app")
        await deliver(event)

    bench.outbox.handle("mp1.notification", silent)
    await bench.platform.configuration.configure("one", configuration("one", "speech"))
    wish = AvailabilitySubscription(
        subscription_type=AVAILABILITY_SUBSCRIPTION, callback_reference="http://127.9.0.100/n"
    )
    await bench.platform.services.subscribe_to_availability("one", wish)
    made = (await bench.platform.services.register_service("one", service("speech"))).value
    for number in range(100):
        newer = replace(service("speech"), version=str(number))
        await bench.platform.services.replace_service("one", str(made.ser_instance_id), newer)
    waiting = bench.outbox.waiting("mp1.notification")
    assert len(waiting) == 10
    away.set()
    await settled(bench.outbox)
    told = [post["serviceReferences"][0]["changeType"] for _, post in bench.callbacks.posts]
    assert told == ["ADDED"] + ["ATTRIBUTES_CHANGED"] * 9
    assert all(msgspec.json.decode(event)["url"] == "http://127.9.0.100/n" for event in waiting)
