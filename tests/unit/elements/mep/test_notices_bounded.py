"""An app that takes no notices cannot fill its platform's disk; when it comes back it learns how things stand."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from hanse.elements.mep.quotas import Quotas
from hanse.kit.problems import unreachable
from hanse.kit.store import Shelf, Transaction
from hanse.refpoints.mm5.platform import GracefulEnd
from hanse.refpoints.mp1.services import (
    AVAILABILITY_SUBSCRIPTION,
    AvailabilitySubscription,
    FilteringCriteria,
    ServiceState,
)
from hanse.refpoints.mp1.support import TERMINATION_SUBSCRIPTION, OperationAction, TerminationSubscription
from tests.unit.elements.mep.parts import Bench, configuration, service, settled

PLACE = "http://127.9.0.100/n"
WISH = AvailabilitySubscription(subscription_type=AVAILABILITY_SUBSCRIPTION, callback_reference=PLACE)


class Away:
    """An app whose receiver is not there until it comes ``back``."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.back = bench, asyncio.Event()
        bench.outbox.handle("mp1.notification", self.deliver)

    async def deliver(self, event: bytes) -> None:
        if not self.back.is_set():
            raise unreachable("the app")
        await self.bench.callbacks.deliver(event)

    async def told(self) -> list[dict[str, Any]]:
        """What the app is told once it is back."""
        self.back.set()
        await settled(self.bench.outbox)
        return [post for _, post in self.bench.callbacks.posts]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench(quotas=Quotas(app_notices=10))
    await made.outbox.start()
    await made.platform.configuration.configure("one", configuration("one", "speech"))
    yield made
    await made.outbox.close()
    made.store.close()


async def change(bench: Bench, times: int) -> None:
    """Announce a service, and change it so many times."""
    made = (await bench.platform.services.register_service("one", service("speech"))).value
    for number in range(times):
        newer = replace(service("speech"), version=str(number))
        await bench.platform.services.replace_service("one", str(made.ser_instance_id), newer)


async def test_what_waits_for_one_subscriber_is_bounded_and_said_once(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "hanse.outbox")
    away = Away(bench)
    await bench.platform.services.subscribe_to_availability("one", WISH)
    await change(bench, 100)
    waiting = bench.outbox.waiting("mp1.notification")
    assert len(waiting) == 10
    [message] = [record.getMessage() for record in caplog.records]
    assert message.startswith("10 events wait for ")
    told = [post["serviceReferences"][0]["changeType"] for post in await away.told()]
    assert told == ["ADDED"] + ["ATTRIBUTES_CHANGED"] * 9
    assert all(msgspec.json.decode(event)["url"] == PLACE for event in waiting)


async def test_an_app_with_many_subscriptions_has_equal_shares_of_what_ten_have(bench: Bench) -> None:
    Away(bench)
    for _ in range(50):
        await bench.platform.services.subscribe_to_availability("one", WISH)
    await change(bench, 20)
    assert len(bench.outbox.waiting("mp1.notification")) == 10 * 10
    assert [Quotas().notices(count) for count in (0, 1, 10, 11, 100)] == [10_000, 10_000, 10_000, 9090, 1000]
    assert Quotas(app_notices=1).notices(1_000_000) == 1, "the one that is under way, or the latest"


async def test_nothing_else_is_dropped_for_an_app_that_takes_no_notices(bench: Bench) -> None:
    await bench.platform.configuration.configure("two", configuration("two"))
    away = Away(bench)
    await bench.platform.services.subscribe_to_availability("one", WISH)
    few = FilteringCriteria(states=(ServiceState.ACTIVE,), ser_names=("speech",))
    await bench.platform.services.subscribe_to_availability("two", replace(WISH, filtering_criteria=few))
    ends = [
        TerminationSubscription(
            subscription_type=TERMINATION_SUBSCRIPTION, callback_reference=PLACE, app_instance_id="one"
        )
    ] * 20
    for end in ends:
        await bench.platform.support.subscribe("one", end)
    await change(bench, 8)
    await bench.platform.configuration.announce_end("one", GracefulEnd(action=OperationAction.STOPPING, timeout=9))
    told = [post["notificationType"] for post in await away.told()]
    assert (told.count("SerAvailabilityNotification"), told.count("AppTerminationNotification")) == (9 + 9, 20)


async def test_only_subscribers_whom_a_change_may_concern_are_looked_at(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("", "speech", "video", "maps"):
        criteria = FilteringCriteria(ser_names=(name,)) if name else FilteringCriteria()
        for _ in range(10):
            await bench.platform.services.subscribe_to_availability("one", replace(WISH, filtering_criteria=criteria))
    found: list[int] = []
    under = Transaction.under

    def counted(tx: Transaction, index: Any, word: Any) -> list[Any]:
        values = under(tx, index, word)
        found.append(len(values) if index is bench.platform.records.concerned else 0)
        return values

    def refused(*_: object) -> Any:
        raise AssertionError("all records were looked at")

    monkeypatch.setattr(Transaction, "under", counted)
    monkeypatch.setattr(Transaction, "items", refused)
    monkeypatch.setattr(Shelf, "values", refused)
    await bench.platform.services.register_service("one", service("speech"))
    monkeypatch.undo()
    assert sum(found) == 20
    assert len(await bench.posted()) == 20
