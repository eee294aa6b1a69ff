"""Changes of the rules in force, one after the other; those that come together become one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from hanse.drivers.dataplane_nftables.frames import Hooks
from hanse.drivers.dataplane_nftables.ground import Ground
from hanse.drivers.dataplane_nftables.gtp.table import Ends
from hanse.drivers.dataplane_nftables.kernel import Kernel
from hanse.drivers.dataplane_nftables.names import FAR_END_DEVICE
from hanse.drivers.dataplane_nftables.rules import Rule
from hanse.drivers.dataplane_nftables.ruleset import Ruleset
from hanse.drivers.dataplane_nftables.tapping import tap_devices
from hanse.kit.failpoints import effect
from hanse.kit.problems import Problem

_Change = tuple[str, Rule | None]
Lead = Callable[[dict[int, Ends]], Awaitable[None]]
"""Tells the end of tunnels by which of them rules send packets, by number."""
_Asked = tuple[_Change, "asyncio.Future[Rule | None]"]
MOST_AT_ONCE = 2000
"""Changes in one transaction."""


class Changes:
    """The ruleset that the kernel has, and its next one. A change is in force when `apply` returns, or not at all."""

    def __init__(self, kernel: Kernel, ground: Ground, lead: Lead | None = None) -> None:
        site = ground.site
        far = (FAR_END_DEVICE,) if site.tunnelled else ()
        self.now = Ruleset(Hooks(tuple(sorted(site.interfaces.values())), site.home_link, far))
        self._lead = lead
        self._kernel, self._ground = kernel, ground
        self._waiting: list[_Asked] = []
        self._working: asyncio.Task[None] | None = None

    async def apply(self, rule_id: str, rule: Rule | None) -> Rule | None:
        """Put a rule in force, or take the one of that id out; gives the one that was in force before.

        Who waits no longer does not stop it half way.
        """
        return await asyncio.shield(self._ask(rule_id, rule))

    async def renew(self, read: Callable[[Rule], Rule | None]) -> None:
        """Read every rule in force anew, in one change; ``None``: that one stays as it is."""
        await self.settled()
        renewed = [(rule_id, read(rule)) for rule_id, rule in self.now.rules.items()]
        asked = [self._ask(rule_id, rule) for rule_id, rule in renewed if rule is not None]
        await asyncio.gather(*(asyncio.shield(done) for done in asked))

    async def settled(self) -> None:
        """Wait until nothing is being changed."""
        while self._working is not None and not self._working.done():
            await asyncio.wait([self._working])

    def _ask(self, rule_id: str, rule: Rule | None) -> asyncio.Future[Rule | None]:
        done: asyncio.Future[Rule | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(((rule_id, rule), done))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        return done

    async def _work(self) -> None:
        while self._waiting:
            together, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            try:
                await self._flush(together)
            except Exception as error:
                for _, done in together:
                    if not done.done():
                        done.set_exception(error)

    async def _flush(self, together: list[_Asked]) -> None:
        latest = dict(change for change, _ in together)
        before = self.now.rules
        try:
            await self._commit(list(latest.items()))
        except Problem as problem:
            if len(together) == 1:
                together[0][1].set_exception(problem)
                return
            for change, done in together:  # one of them is refused: the others must not be
                await self._alone(change, done)
        else:
            for (rule_id, _), done in together:
                done.set_result(before.get(rule_id))

    async def _alone(self, change: _Change, done: asyncio.Future[Rule | None]) -> None:
        before = self.now.rules.get(change[0])
        try:
            await self._commit([change])
        except Problem as problem:
            done.set_exception(problem)
        else:
            done.set_result(before)

    @effect("data_plane.change")
    async def _commit(self, changes: list[_Change]) -> None:
        gone = [rule_id for rule_id, rule in changes if rule is None]
        after, commands = self.now.changed(gone, [rule for _, rule in changes if rule is not None])
        had, has = _taps(self.now), _taps(after)
        led, leads = self.now.ways.tunnels, after.ways.tunnels
        read, reads = self.now.reads_frames, after.reads_frames
        made: set[str] = set()
        try:
            await self._tell_lengths(read, read or reads)
            for device in sorted(has - had):
                await self._ground.tap(device)
                made.add(device)
            await self._tell_end(led, led | leads)
            await self._kernel.tell(commands)
        except Problem:
            await self._untap(made)
            await self._tell_end(led | leads, led)
            await self._tell_lengths(read or reads, read)
            raise
        self.now = after
        await self._untap(had - has)
        await self._tell_end(led | leads, leads)
        await self._tell_lengths(read or reads, reads)

    async def _tell_lengths(self, told: bool, tell: bool) -> None:
        if told != tell:
            await self._ground.tell_lengths(on=tell)

    async def _tell_end(self, told: dict[int, Ends], tell: dict[int, Ends]) -> None:
        if self._lead is not None and told != tell:
            await self._lead(tell)

    async def _untap(self, devices: set[str]) -> None:
        for device in sorted(devices):
            await self._ground.untap(device)


def _taps(ruleset: Ruleset) -> set[str]:
    return {device for rule in ruleset.rules.values() if rule.taps for device in tap_devices(rule)}
