"""A change of a rule that the data plane refuses has not happened (ETSI GS MEC 011 V3.1.1, 7.2.8.3.2)."""

from __future__ import annotations

import msgspec
import pytest

from hanse.kit.problems import Problem, bad_request, conflict, unreachable
from hanse.refpoints.mp1.support import TrafficRule
from hanse.refpoints.mp2 import Forwarding
from tests.unit.elements.mep.parts import Bench, configuration


@pytest.fixture
async def one(bench: Bench) -> Bench:
    """A platform with the app ``one``, active."""
    await bench.platform.configuration.configure("one", configuration("one"))
    await bench.platform.configuration.activate("one")
    return bench


async def rule(bench: Bench) -> TrafficRule:
    return (await bench.platform.support.read_traffic_rule("one", "in")).value


def refusing(bench: Bench, problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data plane takes no rule of a priority that it does not have already."""
    install = bench.plane.install

    async def picky(rule_id: str, forwarding: Forwarding) -> None:
        if forwarding.priority == 9:
            raise problem
        await install(rule_id, forwarding)

    monkeypatch.setattr(bench.plane, "install", picky)


@pytest.mark.parametrize(
    ("problem", "told"), [(bad_request("dSCP is not supported"), 400), (conflict("Port 80 is taken"), 403)]
)
async def test_what_the_data_plane_refuses_is_as_it_was_before(
    one: Bench, problem: Problem, told: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, carried = await rule(one), dict(one.plane.rules)
    refusing(one, problem, monkeypatch)
    with pytest.raises(Problem, match=problem.title) as refused:
        await one.platform.support.update_traffic_rule("one", "in", msgspec.structs.replace(before, priority=9))
    assert refused.value.status == told
    assert await rule(one) == before
    assert one.plane.rules == carried


async def test_a_data_plane_that_is_away_carries_the_change_out_when_it_is_back(
    one: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await rule(one)
    refusing(one, unreachable("data_plane.harbour"), monkeypatch)
    with pytest.raises(Problem):
        await one.platform.support.update_traffic_rule("one", "in", msgspec.structs.replace(before, priority=9))
    assert (await rule(one)).priority == 9


async def test_a_change_made_meanwhile_is_not_taken_back(one: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    before = await rule(one)
    install = one.plane.install

    async def slow(rule_id: str, forwarding: Forwarding) -> None:
        if forwarding.priority != 9:
            return await install(rule_id, forwarding)
        record = one.platform.configuration._records.apps.get("one")
        rules = tuple(msgspec.structs.replace(r, priority=11) for r in record.traffic_rules)
        newer = msgspec.structs.replace(record, traffic_rules=rules)
        await one.store.commit(lambda tx: tx.put(one.platform.configuration._records.apps, "one", newer))
        raise bad_request("dSCP is not supported")

    monkeypatch.setattr(one.plane, "install", slow)
    with pytest.raises(Problem, match="dSCP"):
        await one.platform.support.update_traffic_rule("one", "in", msgspec.structs.replace(before, priority=9))
    assert (await rule(one)).priority == 11


async def test_that_a_rule_is_not_there_is_told_before_what_is_wrong_with_it(one: Bench) -> None:
    wrong = msgspec.structs.replace(await rule(one), priority=300)
    with pytest.raises(Problem, match="No such traffic rule"):
        await one.platform.support.update_traffic_rule(
            "one", "none", msgspec.structs.replace(wrong, traffic_rule_id="none")
        )
    with pytest.raises(Problem, match="priority"):
        await one.platform.support.update_traffic_rule("one", "in", wrong)
    assert (await rule(one)).priority != 300
