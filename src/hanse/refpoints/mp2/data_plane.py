"""What a platform asks of a data plane: forwardings put in, taken out, counted and watched."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

from hanse.kit.contract.declare import Api, delete, get, post, put
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT, Absent, Value
from hanse.refpoints.mp2.forwarding import Forwarding

T = TypeVar("T")
MOST_BYTES = 64 * 1024 * 1024
"""Of the rules in one request: some thousands of the largest that an app may have."""
AT_A_TURN = 16
"""Changes that are begun before others in the process have their turn."""


class RuleCounters(Value):
    """What passed by a rule: bytes from the device (up) and to it (down), flows begun, open now, refused.

    A driver that lacks ``payload bytes`` counts packets with their headers, and refused packets instead of flows.
    """

    rule_id: str
    bytes_up: int = 0
    bytes_down: int = 0
    flows: int = 0
    open_flows: int = 0
    refused: int = 0


class Flow(Value):
    """A flow that passes now: the device's address and port, and the address and port that it dialled.

    ``protocol`` is its name, or its number where it has none (`protocols`); ports are 0 where it has none.

    ``peer_address`` and ``peer_port`` are the other end as the application sees it: those of the data plane, or the
    device's own where the data plane does not hide them. They are absent until the application is reached.
    """

    rule_id: str
    protocol: str
    src_address: str
    src_port: int
    dst_address: str
    dst_port: int
    peer_address: str | Absent = ABSENT
    peer_port: int | Absent = ABSENT


class RuleChanges(Value):
    """Rules to be carried out from now on, and ids of those that are to be no more; as many as a body has room for."""

    install: tuple[Forwarding, ...] = ()
    withdraw: tuple[str, ...] = ()


class RefusedRule(Value):
    """A rule that was not taken, as the data plane has it: status 400 or 409, title and detail of the problem."""

    rule_id: str
    status: int
    title: str
    detail: str

    def problem(self) -> Problem:
        """What `install` would have raised."""
        return Problem(self.status, self.title, self.detail)


class RefusedRules(Value):
    """The rules of a `RuleChanges` that were not taken; all others are in force."""

    refused: tuple[RefusedRule, ...] = ()


class DataPlaneCapabilities(Value):
    """What the driver can do here, found by trying; ``lacks`` tells each thing that it refuses, with the reason.

    ``common``: devices of other hosts meet this data plane too, as on loopback, not those of its access networks alone.
    """

    kind: str
    available: bool
    lacks: dict[str, str] = {}
    common: bool = False


class DataPlane(Api, bases=("/mp2/v1",)):
    """A data plane driver. Every method is idempotent by rule id; what it cannot carry out it refuses with 400.

    `change` and `forwardings_of` follow from the others; a driver that knows a shorter way has its own.
    """

    @get("/data_plane/capabilities")
    async def capabilities(self) -> DataPlaneCapabilities:
        """What this data plane can do."""

    @put("/data_plane/forwardings/{rule_id}", success=204)
    async def install(self, rule_id: str, forwarding: Forwarding) -> None:
        """Carry out a rule from now on, replacing one of the same id; other flows are not touched."""

    @delete("/data_plane/forwardings/{rule_id}")
    async def withdraw(self, rule_id: str) -> None:
        """Stop carrying out a rule: no new flow by it, open flows of it are closed; an unknown id is no error."""

    @post("/data_plane/changes", success=200, largest=MOST_BYTES)
    async def change(self, changes: RuleChanges) -> RefusedRules:
        """Make many changes as `withdraw` and `install` do, in this order, asked for all at once.

        A rule that is refused with 4xx hinders no other. Any other problem is raised when all is over: then some may
        have been made.
        """
        await _all(self.withdraw(rule_id) for rule_id in changes.withdraw)
        found = await _all(self._taken(forwarding) for forwarding in changes.install)
        return RefusedRules(refused=tuple(refused for refused in found if refused is not None))

    @get("/data_plane/forwardings")
    async def forwardings(self) -> list[Forwarding]:
        """All rules in force, the first priority first."""

    @get("/data_plane/owners/{owner}/forwardings")
    async def forwardings_of(self, owner: str) -> list[Forwarding]:
        """The rules of one application instance in force, the first priority first; none of an unknown one."""
        return [forwarding for forwarding in await self.forwardings() if forwarding.owner == owner]

    @get("/data_plane/counters")
    async def counters(self) -> list[RuleCounters]:
        """The counters of every rule in force."""

    @get("/data_plane/flows")
    async def flows(self) -> list[Flow]:
        """The flows that pass now."""

    async def _taken(self, forwarding: Forwarding) -> RefusedRule | None:
        try:
            await self.install(forwarding.rule_id, forwarding)
        except Problem as problem:
            if problem.status >= 500:
                raise
            name, why = forwarding.rule_id, problem
            return RefusedRule(rule_id=name, status=why.status, title=why.title, detail=why.detail)
        return None


async def _all(asked: Iterable[Awaitable[T]]) -> list[T]:
    """What all of them give, once the last has ended; the first problem, if there was any."""
    found: list[asyncio.Task[T | Problem]] = []
    async with asyncio.TaskGroup() as group:
        for number, each in enumerate(asked, 1):
            found.append(group.create_task(_told(each)))
            if number % AT_A_TURN == 0:
                await asyncio.sleep(0)
    told = [task.result() for task in found]
    if problem := next((each for each in told if isinstance(each, Problem)), None):
        raise problem
    return [each for each in told if not isinstance(each, Problem)]


async def _told(asked: Awaitable[T]) -> T | Problem:
    try:
        return await asked
    except Problem as problem:
        return problem
