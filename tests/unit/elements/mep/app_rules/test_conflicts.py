"""Two apps that want the same packets: the later one is refused with the reason, or put behind, as the policy says."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hanse.kit.problems import Problem
from hanse.kit.store import Store
from hanse.model.descriptor import traffic
from hanse.refpoints.mm5.platform import AppConfiguration, ConflictPolicy
from hanse.refpoints.mp1.support import RuleState, TrafficRule
from tests.unit.elements.mep.parts import Bench, configuration

ALL = traffic.TrafficFilter(dst_address=("127.9.1.0/24",))


def app(name: str, tenant: str = "acme", **rule: Any) -> AppConfiguration:
    """An app of a package of its own, at an address of its own, that wants what is sent to 127.9.1.1."""
    known = configuration(name)
    changed = replace(known.traffic_rules[0], **rule)
    number = sum(name.encode()) % 100
    return replace(known, app_d_id=f"d-{name}", tenant=tenant, address=f"127.9.0.{number}", traffic_rules=(changed,))


async def configure(bench: Bench, *apps: AppConfiguration) -> None:
    for each in apps:
        await bench.platform.configuration.configure(each.app_instance_id, each)


async def rule_of(bench: Bench, name: str) -> TrafficRule:
    return (await bench.platform.support.list_traffic_rules(name))[0]


async def change(bench: Bench, name: str, **changes: object) -> TrafficRule:
    wanted = replace(await rule_of(bench, name), **changes)
    return (await bench.platform.support.update_traffic_rule(name, "in", wanted)).value


async def refused(bench: Bench, wanted: AppConfiguration, status: int = 409) -> Problem:
    with pytest.raises(Problem) as found:
        await configure(bench, wanted)
    assert found.value.status == status
    return found.value


async def test_an_app_that_wants_anothers_packets_is_refused_with_the_reason_and_leaves_nothing(bench: Bench) -> None:
    await configure(bench, app("one"))
    problem = await refused(bench, app("two", "globex"))
    assert problem.title == "Traffic rule in conflicts with a rule of another application"
    assert "priority 1" in problem.detail
    assert "one" not in f"{problem.title} {problem.detail}".split()
    with pytest.raises(Problem, match="No such application"):
        await rule_of(bench, "two")


async def test_an_app_of_the_same_tenant_is_told_whose_rule_it_is_and_the_operator_always(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    await configure(bench, app("one"))
    with caplog.at_level(logging.WARNING, "hanse.mep"):
        assert (await refused(bench, app("two"))).title == "Traffic rule in conflicts with rule in of one"
        await refused(bench, app("two", "globex"))
    assert [r.getMessage() for r in caplog.records] == [
        "traffic rule in of two, which wants packets of in of one, is refused"
    ] * 2


@pytest.mark.parametrize(("one", "two"), [("tcp", "6"), ("GRE", "47"), ("icmp", "1"), ("253", "253")])
async def test_a_protocol_by_its_number_is_no_way_to_anothers_packets(bench: Bench, one: str, two: str) -> None:
    def wanting(name: str, protocol: str) -> AppConfiguration:
        return app(name, traffic_filter=(replace(ALL, protocol=(protocol,)),))

    await configure(bench, wanting("one", one), wanting("other", "udp"))
    await refused(bench, wanting("two", two))
    assert (await rule_of(bench, "one")).traffic_filter[0].protocol == (one,)


@pytest.mark.parametrize(
    "harmless",
    [
        {"priority": 2},
        {"traffic_filter": (traffic.TrafficFilter(dst_address=("127.9.1.2",)),)},
        {
            "action": traffic.Action.DUPLICATE_DECAPSULATED,
            "dst_interface": (configuration("x").traffic_rules[0].dst_interface[0],) * 2,
        },
    ],
)
async def test_rules_that_take_nothing_from_each_other_live_beside_each_other(
    bench: Bench, harmless: dict[str, Any]
) -> None:
    await configure(bench, app("one"), app("two", **harmless))
    assert (await rule_of(bench, "two")).priority in (1, 2)


async def test_two_apps_may_drop_the_same(bench: Bench) -> None:
    drop: dict[str, Any] = {"action": traffic.Action.DROP, "dst_interface": (), "traffic_filter": (ALL,)}
    await configure(bench, app("one", **drop), app("two", **drop))
    assert (await refused(bench, app("three"))).status == 409


async def test_instances_of_one_package_share_their_rules(bench: Bench) -> None:
    await configure(bench, app("one"), replace(app("two"), app_d_id="d-one"))
    assert (await rule_of(bench, "two")).priority == 1


async def test_what_is_forgotten_may_be_had_by_others_and_what_is_stopped_may_not(bench: Bench) -> None:
    await configure(bench, app("one"))
    await bench.platform.configuration.activate("one")
    await bench.platform.configuration.deactivate("one")
    await refused(bench, app("two"))
    await bench.platform.configuration.forget("one")
    await configure(bench, app("two"))


async def test_a_change_over_mp1_that_takes_anothers_packets_is_forbidden_and_changes_nothing(bench: Bench) -> None:
    await configure(bench, app("one"), app("two", priority=2))
    with pytest.raises(Problem) as found:
        await change(bench, "two", priority=1)
    assert (found.value.status, found.value.title) == (403, "Traffic rule in conflicts with rule in of one")
    assert (await rule_of(bench, "two")).priority == 2
    assert (await change(bench, "two", priority=3)).priority == 3


async def test_a_rule_made_inactive_gives_way_and_comes_back_only_when_its_packets_are_free(bench: Bench) -> None:
    await configure(bench, app("one"))
    await change(bench, "one", state=RuleState.INACTIVE)
    await configure(bench, app("two"))
    with pytest.raises(Problem) as found:
        await change(bench, "one", state=RuleState.ACTIVE)
    assert found.value.status == 403
    await bench.platform.configuration.forget("two")
    assert (await change(bench, "one", state=RuleState.ACTIVE)).state is RuleState.ACTIVE


async def test_a_rule_that_waits_for_its_tag_holds_its_packets_so_that_registering_never_fails(bench: Bench) -> None:
    tagged = traffic.TrafficFilter(dst_address=("127.9.1.1",), tag=("bob",))
    await configure(bench, app("one", traffic_filter=(tagged,)))
    assert (await rule_of(bench, "one")).state is RuleState.INACTIVE
    await refused(bench, app("two"))
    await configure(bench, app("two", traffic_filter=(replace(tagged, tag=("alice",)),)))


async def test_where_the_earlier_keeps_its_packets_the_later_gets_the_next_free_priority(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    await configure(bench, app("one"), app("two", priority=2))
    with caplog.at_level(logging.WARNING, "hanse.mep"):
        await configure(bench, replace(app("three"), conflicts=ConflictPolicy.EARLIER))
    assert (await rule_of(bench, "three")).priority == 3
    assert "has priority 3 instead of 1" in caplog.text
    assert (await rule_of(bench, "one")).priority == 1
    assert (await change(bench, "three", priority=2)).priority == 3
    await bench.platform.configuration.forget("two")
    assert (await change(bench, "three", priority=2)).priority == 2


async def test_where_no_priority_is_left_to_give_way_to_the_later_is_refused(bench: Bench) -> None:
    await configure(bench, app("one", priority=255))
    problem = await refused(bench, replace(app("two", priority=255), conflicts=ConflictPolicy.EARLIER))
    assert "priority 255" in problem.detail


async def test_a_policy_that_changes_does_not_make_another_app_of_one_that_runs(bench: Bench) -> None:
    await configure(bench, app("one"), app("two", priority=2))
    await change(bench, "two", priority=7)
    await configure(bench, replace(app("two", priority=2), conflicts=ConflictPolicy.EARLIER))
    assert (await rule_of(bench, "two")).priority == 7


async def test_a_platform_that_starts_anew_knows_what_is_claimed(tmp_path: Path) -> None:
    path = tmp_path / "mep.db"
    before = Bench(Store(path))
    await configure(before, app("one"))
    before.store.close()
    after = Bench(Store(path))
    await refused(after, app("two"))
    after.store.close()
