"""An app confirms what happens to it and changes its own rules, and only its own (ETSI GS MEC 011 V3.1.1, 7.2)."""

from __future__ import annotations

import msgspec
import pytest

from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mm5.platform import AppPhase, GracefulEnd, StandingQuery
from hanse.refpoints.mp1.support import (
    TERMINATION_SUBSCRIPTION,
    AppReadyConfirmation,
    AppTerminationConfirmation,
    OperationAction,
    ReadyIndication,
    RuleState,
    TerminationSubscription,
)
from tests.unit.elements.mep.parts import Bench, app, configuration

READY = AppReadyConfirmation(indication=ReadyIndication.READY)


@pytest.fixture
async def one(bench: Bench) -> Bench:
    """A platform with the app ``one``, active."""
    await bench.platform.configuration.configure("one", configuration("one"))
    await bench.platform.configuration.activate("one")
    return bench


async def phase(bench: Bench) -> AppPhase:
    return (await bench.platform.configuration.standing("one", StandingQuery(wait=0))).phase


def confirmation(action: OperationAction) -> AppTerminationConfirmation:
    return AppTerminationConfirmation(operation_action=action)


async def test_an_app_may_say_twice_that_it_is_ready(one: Bench) -> None:
    await one.platform.support.confirm_ready("one", READY)
    await one.platform.support.confirm_ready("one", READY)
    assert await phase(one) is AppPhase.READY


async def test_an_app_that_is_being_ended_cannot_become_ready(one: Bench) -> None:
    await one.platform.configuration.announce_end("one", GracefulEnd(action=OperationAction.TERMINATING, timeout=5))
    with pytest.raises(Problem, match="its phase is TERMINATING") as caught:
        await one.platform.support.confirm_ready("one", READY)
    assert caught.value.status == 409


async def test_a_stranger_cannot_confirm_anything(one: Bench) -> None:
    for call in (
        one.platform.support.confirm_ready("nobody", READY),
        one.platform.support.confirm_termination("nobody", confirmation(OperationAction.STOPPING)),
    ):
        with pytest.raises(Problem) as caught:
            await call
        assert caught.value.status == 404


async def test_termination_is_confirmed_once_and_only_as_it_was_announced(one: Bench) -> None:
    support = one.platform.support
    with pytest.raises(Problem, match="App is not ending"):
        await support.confirm_termination("one", confirmation(OperationAction.STOPPING))
    await one.platform.configuration.announce_end("one", GracefulEnd(action=OperationAction.STOPPING, timeout=5))
    with pytest.raises(Problem, match="operationAction must be STOPPING"):
        await support.confirm_termination("one", confirmation(OperationAction.TERMINATING))
    await support.confirm_termination("one", confirmation(OperationAction.STOPPPING))
    assert await phase(one) is AppPhase.CONFIRMED
    with pytest.raises(Problem, match="App is not ending") as caught:
        await support.confirm_termination("one", confirmation(OperationAction.STOPPING))
    assert caught.value.status == 409


async def test_a_rule_that_is_switched_off_is_out_of_force_when_the_app_is_answered(one: Bench) -> None:
    support = one.platform.support
    traffic = (await support.read_traffic_rule("one", "in")).value
    await support.update_traffic_rule("one", "in", msgspec.structs.replace(traffic, state=RuleState.INACTIVE))
    assert one.plane.rules == {}
    name = (await support.read_dns_rule("one", "name")).value
    await support.update_dns_rule("one", "name", msgspec.structs.replace(name, state=RuleState.INACTIVE))
    assert one.names.known == {}
    await support.update_traffic_rule("one", "in", traffic)
    await support.update_dns_rule("one", "name", name)
    assert (list(one.plane.rules), list(one.names.known)) == (["one.in"], ["one.name"])


async def test_a_changed_rule_replaces_the_one_in_force(one: Bench) -> None:
    traffic = (await one.platform.support.read_traffic_rule("one", "in")).value
    changed = await one.platform.support.update_traffic_rule("one", "in", msgspec.structs.replace(traffic, priority=9))
    assert one.plane.rules["one.in"].priority == 9
    assert changed.value.priority == 9
    assert await one.platform.support.list_traffic_rules("one") == [changed.value]


async def test_a_rule_that_nobody_could_carry_out_changes_nothing(one: Bench) -> None:
    before = one.plane.rules["one.in"]
    traffic = (await one.platform.support.read_traffic_rule("one", "in")).value
    inner = msgspec.structs.replace(traffic.dst_interface[0], dst_ip_address=ABSENT)
    for wrong in ({"priority": 300}, {"dst_interface": (inner,)}, {"traffic_rule_id": "other"}):
        with pytest.raises(Problem) as caught:
            await one.platform.support.update_traffic_rule("one", "in", msgspec.structs.replace(traffic, **wrong))
        assert caught.value.status == 400
    assert one.plane.rules["one.in"] == before
    assert (await one.platform.support.read_traffic_rule("one", "in")).value == traffic


async def test_of_a_dns_rule_only_the_state_may_change(one: Bench) -> None:
    name = (await one.platform.support.read_dns_rule("one", "name")).value
    with pytest.raises(Problem, match="Only state may change") as caught:
        await one.platform.support.update_dns_rule(
            "one", "name", msgspec.structs.replace(name, domain_name="bank.example.com")
        )
    assert caught.value.status == 400
    assert await one.platform.support.list_dns_rules("one") == [name]


async def test_a_change_of_a_rule_that_has_changed_meanwhile_is_refused(one: Bench) -> None:
    support = one.platform.support
    old = await support.read_traffic_rule("one", "in")
    await support.update_traffic_rule("one", "in", msgspec.structs.replace(old.value, priority=7))
    with app("one", if_match=f'"{old.tag}"'), pytest.raises(Problem) as caught:
        await support.update_traffic_rule("one", "in", old.value)
    assert caught.value.status == 412
    assert one.plane.rules["one.in"].priority == 7


@pytest.mark.parametrize("read", ["read_traffic_rule", "read_dns_rule", "read_subscription", "unsubscribe"])
async def test_what_an_app_does_not_have_is_not_found(one: Bench, read: str) -> None:
    with pytest.raises(Problem) as caught:
        await getattr(one.platform.support, read)("one", "nothing")
    assert caught.value.status == 404


async def test_subscriptions_to_the_end_are_the_apps_own(one: Bench) -> None:
    support = one.platform.support
    await one.platform.configuration.configure("two", configuration("two"))
    wish = TerminationSubscription(
        subscription_type=TERMINATION_SUBSCRIPTION, callback_reference="http://a/x", app_instance_id="one"
    )
    made = await support.subscribe("one", wish)
    identifier = made.location.rsplit("/", 1)[-1]
    assert await support.read_subscription("one", identifier) == made.value
    listed = (await support.list_subscriptions("one")).links.subscriptions
    assert [entry.href for entry in listed] == [made.location]
    with pytest.raises(Problem):
        await support.unsubscribe("two", identifier)
    await support.unsubscribe("one", identifier)
    assert (await support.list_subscriptions("one")).links.subscriptions == ()


@pytest.mark.parametrize(
    "wrong", [{"subscription_type": "Other"}, {"app_instance_id": "two"}, {"callback_reference": "nowhere"}]
)
async def test_a_subscription_for_another_app_or_nowhere_is_refused(one: Bench, wrong: dict[str, str]) -> None:
    wish = TerminationSubscription(
        subscription_type=TERMINATION_SUBSCRIPTION, callback_reference="http://a/x", app_instance_id="one"
    )
    with pytest.raises(Problem) as caught:
        await one.platform.support.subscribe("one", msgspec.structs.replace(wish, **wrong))
    assert caught.value.status == 400
