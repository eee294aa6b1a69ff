"""What every data plane makes of many changes that are asked for at once."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from hanse.kit.problems import Problem, conflict
from hanse.refpoints.mp2 import Action, DataPlane, FilterType, Forwarding, RuleChanges, TrafficMatch
from hanse.refpoints.mp2.data_plane import AT_A_TURN


class Plane(DataPlane):
    """Does what it is asked without ever letting go; what is in ``answers`` it refuses so."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.answers: dict[str, Problem] = {}

    async def install(self, rule_id: str, forwarding: Forwarding) -> None:
        if rule_id in self.answers:
            raise self.answers[rule_id]
        self.done.append(f"+{rule_id}")

    async def withdraw(self, rule_id: str) -> None:
        self.done.append(f"-{rule_id}")


def rule(name: str) -> Forwarding:
    return Forwarding(
        rule_id=name,
        owner="app",
        priority=1,
        filter_type=FilterType.FLOW,
        matches=(TrafficMatch(),),
        action=Action.DROP,
    )


async def test_what_goes_makes_room_before_what_comes() -> None:
    plane = Plane()
    await plane.change(RuleChanges(install=(rule("new"),), withdraw=("old", "older")))
    assert plane.done == ["-old", "-older", "+new"]


async def test_each_refusal_is_told_with_its_reason_and_the_rest_is_done() -> None:
    plane = Plane()
    plane.answers = {"b": conflict("Port is taken", "by another")}
    told = await plane.change(RuleChanges(install=(rule("a"), rule("b"), rule("c"))))
    (refused,) = told.refused
    problem = refused.problem()
    assert (refused.rule_id, problem.status, problem.title, problem.detail) == ("b", 409, "Port is taken", "by another")
    assert plane.done == ["+a", "+c"]


async def test_a_data_plane_that_fails_is_no_refusal_and_what_it_could_do_is_done() -> None:
    plane = Plane()
    plane.answers = {"a": Problem(503, "The data plane has not started")}
    with pytest.raises(Problem, match="503"):
        await plane.change(RuleChanges(install=(rule("a"), rule("b"))))
    assert plane.done == ["+b"]


async def test_many_changes_at_once_leave_turns_to_others() -> None:
    plane, turns = Plane(), list[int]()

    async def watch() -> None:
        while True:
            turns.append(len(plane.done))
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    await plane.change(RuleChanges(install=tuple(rule(str(number)) for number in range(10 * AT_A_TURN))))
    watching.cancel()
    assert max(after - before for before, after in pairwise(turns)) <= 2 * AT_A_TURN
    assert len(plane.done) == 10 * AT_A_TURN
