"""A change of a rule takes no packets of another app, at whatever priority, unless the grant itself does (7.2.8)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from hanse.elements.mep.app_rules.limits import Changes, RulePolicy
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.model.descriptor import traffic
from hanse.model.descriptor.traffic import Action, InterfaceType
from hanse.refpoints.mm5.platform import AppConfiguration
from hanse.refpoints.mp1.support import DestinationInterface, RuleState, TrafficFilter, TrafficRule
from tests.unit.elements.mep.parts import Bench, configuration

ONES, TWOS, NOBODYS = "127.9.1.1", "127.9.1.2", "127.9.1.3"
OWN = (DestinationInterface(interface_type=InterfaceType.IP, dst_ip_address="0.0.0.0"),)
DROP: dict[str, Any] = {"action": Action.DROP, "dst_interface": ()}
COPY: dict[str, Any] = {"action": Action.DUPLICATE_DECAPSULATED, "dst_interface": OWN * 2}
ALONG: dict[str, Any] = {"action": Action.PASSTHROUGH}


def given(**attributes: Any) -> dict[str, Any]:
    """A granted filter."""
    return {"traffic_filter": (traffic.TrafficFilter(**attributes),)}


def asked(**attributes: Any) -> dict[str, Any]:
    """A filter that is asked for."""
    return {"traffic_filter": (TrafficFilter(**attributes),)}


TAP: dict[str, Any] = {
    "action": Action.DUPLICATE_DECAPSULATED,
    "dst_interface": configuration("x").traffic_rules[0].dst_interface * 2,
}


def app(name: str, tenant: str = "acme", **rule: Any) -> AppConfiguration:
    """An app of a package and at an address of its own."""
    known = configuration(name)
    wanted = replace(known.traffic_rules[0], **rule)
    number = {"one": 101, "two": 102, "three": 103}[name]
    return replace(known, app_d_id=f"d-{name}", tenant=tenant, address=f"127.9.0.{number}", traffic_rules=(wanted,))


@pytest.fixture(params=list(Changes))
async def bench(request: pytest.FixtureRequest) -> Bench:
    """Whether changes are free or not."""
    return Bench(rules=RulePolicy(changes=request.param))


@pytest.fixture
def free() -> Bench:
    return Bench(rules=RulePolicy(changes=Changes.FREE))


async def running(bench: Bench, *apps: AppConfiguration) -> None:
    for each in apps:
        await bench.platform.configuration.configure(each.app_instance_id, each)
        await bench.platform.configuration.activate(each.app_instance_id)


async def rule_of(bench: Bench, name: str) -> TrafficRule:
    return (await bench.platform.support.list_traffic_rules(name))[0]


async def change(bench: Bench, name: str, **changes: Any) -> TrafficRule:
    wanted = replace(await rule_of(bench, name), **changes)
    return (await bench.platform.support.update_traffic_rule(name, "in", wanted)).value


async def refused(bench: Bench, name: str, **changes: Any) -> Problem:
    before, carried = await rule_of(bench, name), dict(bench.plane.rules)
    with pytest.raises(Problem) as found:
        await change(bench, name, **changes)
    assert found.value.status == 403
    assert await rule_of(bench, name) == before
    assert bench.plane.rules == carried
    return found.value


@pytest.mark.parametrize("priority", [0, 1, 2, 255])
@pytest.mark.parametrize("action", [{}, DROP, COPY, ALONG])
@pytest.mark.parametrize(
    "attributes",
    [
        {"dst_address": (ONES,)},
        {"dst_address": (ONES,), "dst_port": ("80",), "protocol": ("6",)},
        {"dst_address": ("127.9.1.0/24",)},
        {"dst_address": ("127.9.1.0-127.9.1.9",), "protocol": ("TCP",)},
        {"src_address": ("127.9.100.5",)},
        {"tag": ("bob",)},
        {},
    ],
)
async def test_no_priority_and_no_wildcard_takes_what_is_sent_to_another_app(
    bench: Bench, priority: int, action: dict[str, Any], attributes: dict[str, Any]
) -> None:
    await running(bench, app("one"), app("two", **given(dst_address=(TWOS,))))
    await refused(bench, "two", priority=priority, **action, **asked(**attributes))


async def test_where_changes_are_free_what_nobody_has_is_taken(free: Bench) -> None:
    await running(free, app("one"), app("two", **given(dst_address=(TWOS,))))
    for wanted in ({"dst_address": (NOBODYS,)}, {"dst_address": (ONES,), "protocol": ("udp",)}):
        await change(free, "two", priority=0, **asked(**wanted))
    problem = await refused(free, "two", priority=0, **asked(dst_address=(ONES, NOBODYS)))
    assert problem.title == "Not allowed: trafficFilter"
    assert "rule in of one" in problem.detail


async def test_an_app_of_another_tenant_is_not_told_whose_packets_they_are(free: Bench) -> None:
    await running(free, app("one"), app("two", "globex", **given(dst_address=(TWOS,))))
    problem = await refused(free, "two", priority=0, **asked(dst_address=(ONES,)))
    assert "a rule of another application" in problem.detail
    assert "one" not in problem.detail.split()


@pytest.mark.parametrize("state", [RuleState.INACTIVE, RuleState.ACTIVE])
async def test_what_an_app_was_granted_is_kept_for_it_while_its_rule_rests(free: Bench, state: RuleState) -> None:
    await running(free, app("one"), app("two", **given(dst_address=(TWOS,))))
    await change(free, "one", state=RuleState.INACTIVE)
    await refused(free, "two", state=state, **asked(dst_address=(ONES,)))
    assert (await change(free, "one", state=RuleState.ACTIVE)).state is RuleState.ACTIVE


async def test_what_an_app_has_taken_freely_no_other_takes_from_it(free: Bench) -> None:
    await running(free, app("one"), app("two", **given(dst_address=(TWOS,))))
    await change(free, "one", **asked(dst_address=(ONES, NOBODYS)))
    await refused(free, "two", priority=0, **asked(dst_address=(NOBODYS,)))
    await change(free, "one", **asked(dst_address=(ONES,)))
    await change(free, "two", priority=0, **asked(dst_address=(NOBODYS,)))


async def test_an_app_that_was_granted_packets_before_another_may_have_them_at_any_priority(bench: Bench) -> None:
    await running(bench, app("one", priority=5), app("two", priority=3))
    for priority in (0, 4, 9, 3):
        assert (await change(bench, "two", priority=priority)).priority == priority


async def test_an_app_that_was_granted_packets_behind_another_stays_behind_it(bench: Bench) -> None:
    await running(bench, app("one", priority=5), app("two", priority=7))
    for priority in (6, 255, 7):
        assert (await change(bench, "two", priority=priority)).priority == priority
    problem = await refused(bench, "two", priority=4)
    assert problem.title == "Not allowed: priority"
    assert "above 5" in problem.detail
    assert "conflicts with" in (await refused(bench, "two", priority=5)).title


async def test_an_app_that_goes_back_for_a_while_is_not_overtaken_for_good(bench: Bench) -> None:
    await running(bench, app("one", priority=5), app("two", priority=7))
    await change(bench, "one", priority=9)
    await refused(bench, "two", priority=4)
    assert (await change(bench, "one", priority=5)).priority == 5


async def test_what_another_app_serves_of_one_address_is_its_own(bench: Bench) -> None:
    alice, bob = {"src_address": ("127.9.100.5",)}, {"src_address": ("127.9.100.6",)}
    await running(
        bench, app("one", **given(dst_address=(ONES,), **alice)), app("two", **given(dst_address=(ONES,), **bob))
    )
    await refused(bench, "two", priority=0, **asked(dst_address=(ONES,)))
    await refused(bench, "two", priority=2, **asked(dst_address=(ONES,), **alice))
    await change(bench, "two", priority=2, **asked(dst_address=(ONES,), src_address=("127.9.100.9",)))


@pytest.mark.parametrize("wanted", [{"src_address": ("127.9.100.5",)}, {}])
async def test_taps_and_drops_of_the_descriptor_stay_legal_and_become_nothing_else(
    bench: Bench, wanted: dict[str, Any]
) -> None:
    await running(bench, app("one"), app("two", priority=3, **TAP, **given(**wanted)))
    await change(bench, "two", state=RuleState.INACTIVE)
    for priority in (0, 1, 9):
        await change(bench, "two", state=RuleState.ACTIVE, priority=priority)
        await refused(bench, "two", priority=priority, action=Action.FORWARD_DECAPSULATED, dst_interface=OWN)
    await running(bench, app("three", priority=0, action=Action.DROP, dst_interface=(), **given(**wanted)))
    await change(bench, "three", state=RuleState.INACTIVE)
    assert (await change(bench, "three", state=RuleState.ACTIVE)).action is Action.DROP


async def test_an_app_behind_another_makes_no_copies_of_what_it_never_saw(bench: Bench) -> None:
    await running(bench, app("one", priority=5), app("two", priority=7))
    assert (await refused(bench, "two", **COPY)).title == "Not allowed: action"
    await change(bench, "one", **COPY)  # it has them all anyway


async def test_instances_of_one_package_share_what_they_were_granted(bench: Bench) -> None:
    await running(bench, app("one"), replace(app("two"), app_d_id="d-one"))
    assert (await change(bench, "two", priority=0)).priority == 0


async def test_what_an_app_that_is_gone_had_is_nobodys(free: Bench) -> None:
    await running(free, app("one"), app("two", **given(dst_address=(TWOS,))))
    await free.platform.configuration.forget("one")
    assert (await change(free, "two", **asked(dst_address=ABSENT))).traffic_filter == (TrafficFilter(),)
