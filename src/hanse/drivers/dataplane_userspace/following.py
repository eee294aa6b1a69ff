"""Rules whose ports follow their destinations: their sockets come and go as applications begin and cease to listen."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass, field

from hanse.drivers.dataplane_userspace.endpoints import Endpoint
from hanse.drivers.dataplane_userspace.flows import FlowTable
from hanse.drivers.dataplane_userspace.heard import heard
from hanse.drivers.dataplane_userspace.listeners import Listeners
from hanse.drivers.dataplane_userspace.listening import Heard, Listening
from hanse.kit.background import Background
from hanse.kit.problems import bad_request

log = logging.getLogger("hanse.data_plane")

EVERY = 0.25
"""Seconds between two looks at who listens, and at least twenty times what a look takes."""
_RESTS = 20


@dataclass
class Follower:
    """A rule that follows: its sockets by that, those that the last look found needless, those told to be taken."""

    rule_id: str
    plan: Listening
    shared: bool
    held: frozenset[Endpoint] = frozenset()
    doubted: frozenset[Endpoint] = frozenset()
    told: set[Endpoint] = field(default_factory=set)


class Following:
    """Looks at who listens while there are rules that follow; ``changing`` is held while sockets come and go."""

    def __init__(self, listeners: Listeners, table: FlowTable, changing: asyncio.Lock) -> None:
        self._listeners, self._table, self._changing = listeners, table, changing
        self._followers: dict[str, Follower] = {}
        self._looking = Background()
        self._took = 0.0

    async def follower(self, rule_id: str, plan: Listening, *, shared: bool) -> Follower:
        """What a rule has by following, its sockets held once more; 400 if the kernel does not tell who listens."""
        follower = Follower(rule_id, plan, shared)
        if plan.followed:
            try:
                now = await self._look(plan)
            except OSError as error:
                detail = f"where toAddress listens cannot be found out ({error}): name ports, and few of them"
                raise bad_request("dstPort is missing or too wide", detail) from None
            await self._hold(follower, plan.following(now))
        return follower

    async def keep(self, follower: Follower) -> None:
        """Its rule is in force: follow for it from now on, no more as for the rule of that id before."""
        if not follower.plan.followed:
            await self.forget(follower.rule_id)
            return
        first = not self._followers
        self._followers[follower.rule_id] = follower
        if first:
            self._looking.start(self._look_again())

    async def forget(self, rule_id: str) -> None:
        """Its rule is in force no more, or follows no more; its sockets are the caller's to release."""
        if self._followers.pop(rule_id, None) and not self._followers:
            await self._looking.stop()

    async def _look(self, *plans: Listening) -> Heard:
        """It takes milliseconds where thousands listen: in a thread."""
        began = time.perf_counter()
        destinations = {followed.destination for plan in plans for followed in plan.followed}
        try:
            return await asyncio.to_thread(heard, destinations, self._listeners.inodes())
        finally:
            self._took = time.perf_counter() - began

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(max(EVERY, _RESTS * self._took))
            async with self._changing:
                with contextlib.suppress(OSError):  # it told when the rules came, and will be asked again
                    now = await self._look(*(follower.plan for follower in self._followers.values()))
                    for follower in self._followers.values():
                        await self._follow(follower, now)

    async def _follow(self, follower: Follower, now: Heard) -> None:
        """What is heard no more is believed the second time: sockets come and go while the kernel tells of them."""
        wanted, before = follower.plan.following(now), follower.held
        gone = (before - wanted) & follower.doubted
        follower.doubted = before - wanted - gone
        await self._hold(follower, wanted - before)
        follower.held -= gone
        if follower.held != before:
            self._table.listen(follower.rule_id, follower.plan.fixed | follower.held)
            self._listeners.release(gone)

    async def _hold(self, follower: Follower, wanted: frozenset[Endpoint]) -> None:
        """As far as they are free and this user may; what is not is tried again, and told once."""
        held, missing = await self._listeners.hold_free(wanted, shared=follower.shared)
        follower.held |= held
        for endpoint, error in missing.items():
            if endpoint not in follower.told:
                follower.told.add(endpoint)
                log.warning("rule %s does not listen on %s %s:%d: %s", follower.rule_id, *endpoint, error)
