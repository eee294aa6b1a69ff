"""Steering: brings the data plane and the name server to what the records say, whatever happened to either."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence, Set

from hanse.elements.mep.records import Records
from hanse.elements.mep.steering.devices import Devices
from hanse.elements.mep.steering.keeping import Keeper
from hanse.elements.mep.steering.led import owner_of
from hanse.elements.mep.steering.names_kept import NamesKept
from hanse.elements.mep.steering.rules_kept import RulesKept
from hanse.elements.mep.steering.shared_addresses import SharedAddresses
from hanse.kit.problems import Problem
from hanse.refpoints.mp2 import DataPlane, NameServer
from hanse.refpoints.mp3.services import SharedRule

log = logging.getLogger("hanse.mep")


class Steering:
    """Reconciles by owner: one app's change touches nobody else's rules. ``rules`` and ``names`` go each their way."""

    def __init__(
        self,
        records: Records,
        data_plane: DataPlane,
        name_server: NameServer,
        addresses: SharedAddresses,
        devices: Devices,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """``changed`` is told when rules of this host's apps, or policies, may have changed."""
        self.rules = Keeper(RulesKept(data_plane, addresses))
        self.names = Keeper(NamesKept(name_server, records, devices))
        self._addresses = addresses
        self._changed = changed
        self._behind: set[str] = set()
        self._news = asyncio.Event()

    async def restore(self) -> None:
        """After a restart: put back what is missing, take out what belongs to nobody."""
        await self.rules.restore()
        await self.names.restore()

    async def apply(self, app_instance_id: str) -> None:
        """Make the rules in force of one app those of its record; none if it has no record.

        What that means for other instances of the app follows by itself.
        """
        await self.rules.apply(app_instance_id)
        await self.names.apply(app_instance_id)
        self._follow(self._addresses.kin(app_instance_id))
        self._changed()

    async def lead(self, name: str) -> None:
        """Answer for a name by its policy, if there is one."""
        await self.names.apply(owner_of(name))
        self._changed()

    def neighbour_changed(self, host: str, gone: Sequence[SharedRule], come: Sequence[SharedRule]) -> None:
        """Another host leads devices to its apps in another way now: by ``come`` in the place of ``gone``."""
        self._addresses.neighbour_changed(host, gone, come)
        packages = {rule.app_d_id for rule in (*gone, *come)}
        self._follow(self._addresses.members(packages) | {rule.forwarding.owner for rule in gone})

    async def follow(self) -> None:
        """Bring the rules of instances of one app into line with each other as they change, until cancelled.

        What fails is tried again when all is restored.
        """
        while True:
            await self._news.wait()
            self._news.clear()
            behind, self._behind = self._behind, set()
            try:
                await self.rules.follow(behind)
            except Problem as problem:
                log.info("rules of %d apps are not in force yet: %s", len(behind), problem)

    def _follow(self, owners: Set[str]) -> None:
        self._behind |= owners
        if self._behind:
            self._news.set()
