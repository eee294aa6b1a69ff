"""Who ends a subscription is sent nothing more of it, not even what already waits to be sent."""

from __future__ import annotations

import pytest

from hanse.kit.problems import unreachable
from hanse.refpoints.mm5.platform import GracefulEnd
from hanse.refpoints.mp1.services import AVAILABILITY_SUBSCRIPTION, AvailabilitySubscription
from hanse.refpoints.mp1.support import TERMINATION_SUBSCRIPTION, OperationAction, TerminationSubscription
from tests.unit.elements.mep.parts import Bench, configuration, service


@pytest.fixture
async def deaf(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A platform with the apps ``one`` and ``two``, none of whose subscribers can be reached."""

    async def away(event: bytes) -> None:
        raise unreachable("app")

    monkeypatch.setitem(bench.outbox._handlers, "mp1.notification", away)
    for name in ("one", "two"):
        await bench.platform.configuration.configure(name, configuration(name, "speech"))
    return bench


async def test_a_notice_of_a_service_is_dropped_with_its_subscription(deaf: Bench) -> None:
    services = deaf.platform.services
    wish = AvailabilitySubscription(subscription_type=AVAILABILITY_SUBSCRIPTION, callback_reference="http://two/n")
    made = await services.subscribe_to_availability("two", wish)
    await services.register_service("one", service("speech"))
    assert len(deaf.outbox._events) == 1
    await services.unsubscribe_from_availability("two", made.location.rsplit("/", 1)[-1])
    assert await deaf.posted() == []


async def test_a_notice_of_the_end_is_dropped_with_its_subscription(deaf: Bench) -> None:
    support = deaf.platform.support
    wish = TerminationSubscription(
        subscription_type=TERMINATION_SUBSCRIPTION, callback_reference="http://one/n", app_instance_id="one"
    )
    made = await support.subscribe("one", wish)
    end = GracefulEnd(action=OperationAction.TERMINATING, timeout=5)
    await deaf.platform.configuration.announce_end("one", end)
    assert len(deaf.outbox._events) == 1
    await support.unsubscribe("one", made.location.rsplit("/", 1)[-1])
    assert await deaf.posted() == []
