"""Rules and names are put back at a cost that does not grow with the square of what there is."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from msgspec.structs import replace

from hanse.elements.mep.steering import keeping, own_rules
from hanse.elements.mep.steering.keeping import AT_ONCE
from hanse.kit.contract.call import current_call
from hanse.kit.problems import Problem, conflict, unreachable
from hanse.refpoints.mm1.steering import SteeringPolicy, Target
from hanse.refpoints.mp2 import Forwarding, RefusedRules, RuleChanges, TrafficMatch
from hanse.refpoints.mp3.services import SharedRule
from tests.bounds import SOON
from tests.unit.elements.mep.steering.crowd import RULES, CountingPlane, bring_up, crowd, one_of_many
from tests.unit.elements.mep.steering.test_spots import shared

APPS = 120


@pytest.mark.parametrize("package", ["", "one for all"])
async def test_a_look_at_what_is_right_costs_one_listing_of_each_side_and_no_rule_is_worked_out_anew(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, plane, names = crowd()
    await bring_up(bench, APPS, package)
    worked_out: list[str] = []
    monkeypatch.setattr(own_rules, "forwardings", lambda app: worked_out.append(app.app_instance_id))
    for asked in (plane.asked, names.asked, plane.done):
        asked.clear()
    await bench.platform.steering.restore()
    assert (plane.asked, names.asked, plane.done, worked_out) == (["all"], ["all"], [], [])


async def test_all_that_a_killed_data_plane_had_comes_back_in_one_listing_and_few_calls() -> None:
    bench, plane, _ = crowd()
    await bring_up(bench, APPS)
    before = dict(plane.rules)
    plane.rules.clear()
    plane.asked.clear()
    await bench.platform.steering.restore()
    assert plane.rules == before
    assert plane.asked[0] == "all"
    assert set(plane.asked[1:]) == {"change"}
    assert len(plane.asked[1:]) <= -(-APPS * RULES // AT_ONCE)


async def test_only_what_differs_is_asked_for() -> None:
    bench, plane, names = crowd()
    await bring_up(bench, 30)
    lost, stray = "app7.r3", one_of_many(99)
    gone = plane.rules.pop(lost)
    plane.rules["stray.in"] = Forwarding(
        rule_id="stray.in",
        owner=stray.app_instance_id,
        priority=1,
        filter_type=gone.filter_type,
        matches=gone.matches,
        action=gone.action,
    )
    names.known.pop("app9.name")
    plane.done.clear()
    names.asked.clear()
    await bench.platform.steering.restore()
    assert sorted(plane.done) == [f"install {lost}", "withdraw stray.in"]
    assert names.asked == ["all", "publish"]


async def test_a_change_of_one_app_asks_for_that_app_alone() -> None:
    bench, plane, names = crowd()
    await bring_up(bench, 20)
    plane.asked.clear()
    names.asked.clear()
    await bench.platform.configuration.deactivate("app5")
    assert plane.asked == ["app5", "change"]
    assert names.asked == ["app5"]
    assert not [rule for rule in plane.rules.values() if rule.owner == "app5"]


async def test_a_policy_asks_nothing_of_the_data_plane_and_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, plane, names = crowd()
    policy = SteeringPolicy(name="a.example.com", targets=(Target(host="harbour", address="127.3.0.1"),))
    await bench.platform.policies.set_policy("a.example.com", policy)
    assert plane.asked == []
    monkeypatch.setattr("hanse.elements.mep.steering.names_kept.records_of", None)
    names.known.clear()
    await bench.platform.steering.restore()
    assert [record.name for record in names.known.values()] == ["a.example.com"]


async def test_one_rule_that_is_refused_keeps_no_other_app_from_its_rules(caplog: pytest.LogCaptureFixture) -> None:
    bench, plane, names = crowd()
    _refuse(plane, "app0.r0")
    await bring_up(bench, 60)
    for _ in range(2):
        plane.rules.clear()
        names.known.clear()
        await bench.platform.steering.restore()
    assert len(plane.rules) == 60 * RULES - 1
    assert len(names.known) == 60
    assert [r.getMessage() for r in caplog.records if "app0.r0" in r.getMessage()] == [
        "Traffic rule app0.r0 is not carried out: 409 Port is taken: by another"
    ]


async def test_an_app_is_told_of_its_refused_rule_and_its_others_are_in_force() -> None:
    bench, plane, _ = crowd()
    _refuse(plane, "app0.r0")
    await bench.platform.configuration.configure("app0", one_of_many(0))
    with pytest.raises(Problem, match="Port is taken"):
        await bench.platform.configuration.activate("app0")
    assert len(plane.rules) == RULES - 1


async def test_names_are_put_back_while_the_data_plane_is_away() -> None:
    bench, plane, names = crowd()
    await bring_up(bench, 3)
    plane.away = True
    names.known.clear()
    await bench.platform.start_up()
    async with asyncio.timeout(SOON):
        while len(names.known) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await bench.platform.shut_down()


async def test_an_app_that_is_switched_on_does_not_wait_until_all_others_are_restored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench, plane, _ = crowd()
    await bring_up(bench, APPS)
    new, change = one_of_many(APPS + 1), plane.change
    await bench.platform.configuration.configure(new.app_instance_id, new)
    plane.rules.clear()

    begun = asyncio.Event()

    async def slow(changes: RuleChanges) -> RefusedRules:
        begun.set()
        await asyncio.sleep(0.3)
        return await change(changes)

    monkeypatch.setattr(plane, "change", slow)
    monkeypatch.setattr(keeping, "AT_ONCE", 1)
    restoring = asyncio.create_task(bench.platform.steering.restore())
    await asyncio.wait_for(begun.wait(), SOON)
    await bench.platform.configuration.activate(new.app_instance_id)
    assert RULES < len(plane.rules) < APPS * RULES
    await restoring
    assert len(plane.rules) == (APPS + 1) * RULES


async def test_what_an_app_gives_up_while_all_is_restored_stays_given_up() -> None:
    bench, plane, _ = crowd()
    await bring_up(bench, APPS)
    plane.rules.clear()
    restoring = asyncio.create_task(bench.platform.steering.restore())
    while not plane.rules:  # noqa: ASYNC110
        await asyncio.sleep(0)
    await bench.platform.configuration.deactivate(f"app{APPS - 1}")
    await restoring
    assert {rule.owner for rule in plane.rules.values()} == {f"app{number}" for number in range(APPS - 1)}


async def test_a_slow_data_plane_gets_time_for_each_part_and_not_one_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, plane, _ = crowd()
    await bring_up(bench, APPS)
    plane.rules.clear()
    change, deadlines = plane.change, list[float]()

    async def slow(changes: RuleChanges) -> RefusedRules:
        deadlines.append(current_call().deadline)
        await asyncio.sleep(0.2)
        return await change(changes)

    monkeypatch.setattr(plane, "change", slow)
    monkeypatch.setattr(keeping, "AT_ONCE", 1)
    await bench.platform.steering.restore()
    assert len(deadlines) > 1
    assert all(later - sooner > 0.19 for sooner, later in pairwise(deadlines))


async def test_what_was_put_back_before_a_data_plane_failed_is_not_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench, plane, _ = crowd()
    await bring_up(bench, APPS)
    plane.rules.clear()
    plane.asked.clear()
    change = plane.change

    async def once(changes: RuleChanges) -> RefusedRules:
        if "change" in plane.asked:
            raise unreachable("data_plane.harbour")
        return await change(changes)

    monkeypatch.setattr(plane, "change", once)
    monkeypatch.setattr(keeping, "AT_ONCE", 1)
    with pytest.raises(Problem, match="503"):
        await bench.platform.steering.restore()
    monkeypatch.setattr(plane, "change", change)
    before = len(plane.rules)
    assert 0 < before < APPS * RULES
    plane.done.clear()
    await bench.platform.steering.restore()
    assert len(plane.done) == APPS * RULES - before


async def test_instances_of_other_hosts_that_change_cost_one_listing_however_many_they_are() -> None:
    bench, plane, _ = crowd()
    plane.common = False
    await bench.platform.start_up()
    steering = bench.platform.steering
    async with asyncio.timeout(SOON):
        while "all" not in plane.asked:  # noqa: ASYNC110 (its first look)
            await asyncio.sleep(0.01)
    plane.asked.clear()
    others = [announced(number) for number in range(50)]
    steering.neighbour_changed("airport", (), others)
    async with asyncio.timeout(SOON):
        while len(plane.rules) < len(others):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await bench.platform.shut_down()
    assert plane.asked.count("all") <= 2  # and perhaps one of the look that comes every few seconds
    assert plane.asked.count("change") == 1


def announced(number: int) -> SharedRule:
    """A rule of an instance at another host, of an app that this host does not have."""
    match = TrafficMatch(dst_address=(f"127.9.77.{number + 1}",))
    return replace(shared(f"other{number}", match, package=f"p{number}"), traffic_rule_id="in")


def _refuse(plane: CountingPlane, refused: str) -> None:
    """From now on, one rule."""
    install = plane.install

    async def picky(rule_id: str, forwarding: Forwarding) -> None:
        if rule_id == refused:
            raise conflict("Port is taken", "by another")
        await install(rule_id, forwarding)

    plane.install = picky  # type: ignore[method-assign]
