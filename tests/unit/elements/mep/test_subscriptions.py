"""Both kinds of subscriptions are kept alike: by their app alone, until it ends them or is gone."""

from __future__ import annotations

from typing import Any

import pytest

from hanse.elements.mep.subscriptions import Subscriptions
from hanse.kit.problems import Problem
from hanse.kit.receivers import Receivers
from hanse.refpoints.mp1.services import AVAILABILITY_SUBSCRIPTION, AvailabilitySubscription
from hanse.refpoints.mp1.support import TERMINATION_SUBSCRIPTION, TerminationSubscription
from tests.unit.elements.mep.parts import URL, Bench, app, configuration

TYPES = {"availability": AVAILABILITY_SUBSCRIPTION, "termination": TERMINATION_SUBSCRIPTION}
pytestmark = pytest.mark.parametrize("kind", TYPES)


@pytest.fixture
async def two(bench: Bench) -> Bench:
    """A platform that knows the apps ``one`` and ``two``."""
    for name in ("one", "two"):
        await bench.platform.configuration.configure(name, configuration(name))
    return bench


def held(bench: Bench, kind: str) -> Subscriptions[Any]:
    subscriptions: Subscriptions[Any] = getattr(bench.platform.configuration._subscriptions, kind)
    return subscriptions


def wish(kind: str, app: str = "one", **changes: str) -> Any:
    given: dict[str, Any] = {"callback_reference": "http://one/n", "subscription_type": TYPES[kind]} | changes
    if kind == "availability":
        return AvailabilitySubscription(**given)
    return TerminationSubscription(app_instance_id=app, **given)


async def refusal(work: Any) -> int:
    with pytest.raises(Problem) as caught:
        await work
    return caught.value.status


async def test_an_app_sees_its_own_subscriptions_in_the_order_in_which_it_made_them(two: Bench, kind: str) -> None:
    subscriptions = held(two, kind)
    first, second = [await subscriptions.add("one", wish(kind)) for _ in range(2)]
    await subscriptions.add("two", wish(kind, "two"))
    links = subscriptions.listed("one").links
    assert [entry.href for entry in links.subscriptions] == [first.location, second.location]
    assert {entry.subscription_type for entry in links.subscriptions} == {first.value.subscription_type}
    assert links.self.href.startswith(URL)
    assert links.self.href.endswith("/applications/one/subscriptions")
    assert subscriptions.read("one", first.location.rsplit("/", 1)[-1]) == first.value


async def test_another_apps_subscription_is_not_there_for_an_app(two: Bench, kind: str) -> None:
    subscriptions = held(two, kind)
    identifier = (await subscriptions.add("one", wish(kind))).location.rsplit("/", 1)[-1]
    with pytest.raises(Problem) as caught:
        subscriptions.read("two", identifier)
    assert caught.value.status == 404
    assert await refusal(subscriptions.end("two", identifier)) == 404
    assert len(subscriptions.held_by("one")) == 1


async def test_an_app_that_is_not_known_has_no_list_rather_than_an_empty_one(two: Bench, kind: str) -> None:
    subscriptions = held(two, kind)
    assert subscriptions.listed("one").links.subscriptions == ()
    with pytest.raises(Problem) as caught:
        subscriptions.listed("nobody")
    assert caught.value.status == 404
    assert await refusal(subscriptions.add("nobody", wish(kind, "nobody"))) == 404


async def test_an_ended_subscription_is_gone(two: Bench, kind: str) -> None:
    subscriptions = held(two, kind)
    identifier = (await subscriptions.add("one", wish(kind))).location.rsplit("/", 1)[-1]
    await subscriptions.end("one", identifier)
    assert subscriptions.held_by("one") == []
    assert await refusal(subscriptions.end("one", identifier)) == 404


async def test_a_subscription_is_not_ended_under_a_condition_that_cannot_hold(two: Bench, kind: str) -> None:
    subscriptions = held(two, kind)
    identifier = (await subscriptions.add("one", wish(kind))).location.rsplit("/", 1)[-1]
    with app("one", if_match='"stale"'):
        assert await refusal(subscriptions.end("one", identifier)) == 412
        assert await refusal(subscriptions.end("one", "other")) == 404, "what is not there goes first"
    assert len(subscriptions.held_by("one")) == 1
    with app("one", if_match="*"):
        await subscriptions.end("one", identifier)
    assert subscriptions.held_by("one") == []


@pytest.mark.parametrize("change", [{"subscription_type": "Other"}, {"callback_reference": "file:///etc/passwd"}])
async def test_what_cannot_be_served_is_refused_by_the_name_of_its_attribute(
    two: Bench, kind: str, change: dict[str, str]
) -> None:
    with pytest.raises(Problem) as caught:
        await held(two, kind).add("one", wish(kind, **change))
    assert caught.value.status == 400
    assert {"subscription_type": "subscriptionType", "callback_reference": "callbackReference"}[
        next(iter(change))
    ] in caught.value.title


@pytest.mark.parametrize("end", ["deactivate", "forget"])
async def test_subscriptions_end_with_their_app_and_no_other(two: Bench, kind: str, end: str) -> None:
    subscriptions = held(two, kind)
    for name in ("one", "two"):
        await subscriptions.add(name, wish(kind, name))
    await getattr(two.platform.configuration, end)("one")
    assert subscriptions.held_by("one") == []
    assert len(subscriptions.held_by("two")) == 1


async def test_an_app_cannot_have_the_platform_post_to_where_it_may_not(two: Bench, kind: str) -> None:
    subscriptions = held(two, kind)
    subscriptions._notices._receivers = Receivers()
    for name in ("one", "two"):
        with pytest.raises(Problem, match="callbackReference") as caught:
            await subscriptions.add(name, wish(kind, name, callback_reference="http://127.9.0.1:8443/"))
        assert caught.value.status == 403
        assert subscriptions.held_by(name) == []
    own = configuration("one").address
    await subscriptions.add("one", wish(kind, callback_reference=f"http://{own}:5000/told"))
    await subscriptions.plant("one", wish(kind, callback_reference="http://hooks.example/"), "by-the-operator")
    assert len(subscriptions.held_by("one")) == 2
