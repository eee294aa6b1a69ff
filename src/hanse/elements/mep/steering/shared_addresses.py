"""Shared addresses: the rules by which devices reach apps of this host and others, as its data plane carries them out.

What platforms announce to each other over Mp3 makes instances of one app on several hosts known; `anycast` decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from itertools import chain

from msgspec.structs import replace

from hanse.elements.mep.app_support.tags import TagAddresses
from hanse.elements.mep.records import Records
from hanse.elements.mep.steering.anycast import Instance, foreign, groups, led
from hanse.elements.mep.steering.devices import Devices
from hanse.elements.mep.steering.elsewhere import Elsewhere
from hanse.elements.mep.steering.own_rules import OwnRules
from hanse.model.place import Zone
from hanse.refpoints.mp2 import Forwarding, TrafficMatch
from hanse.refpoints.mp3.services import SharedRule

TOGETHER = 32
"""Instances of one package that are looked at in one go."""


class SharedAddresses:
    """Derives what is in force from the rules of this platform's apps and of its neighbours'."""

    def __init__(
        self, host: str, records: Records, tags: TagAddresses, zones: Mapping[str, Zone], devices: Devices
    ) -> None:
        self._host = host
        self._apps = records.apps
        self._own = OwnRules(records.apps, tags)
        self._elsewhere = Elsewhere(records.neighbours.values(), records.apps.__contains__)
        self._zones = zones
        self._devices = devices
        self._packages: dict[str, str] = {}
        self._led_before: dict[str, tuple[object, list[Forwarding]]] = {}

    def announced(self) -> tuple[SharedRule, ...]:
        """What neighbours may lead devices by: the rules of active apps of packages that lead to themselves."""
        return self._own.shared()

    def neighbour_changed(self, host: str, gone: Sequence[SharedRule], come: Sequence[SharedRule]) -> None:
        """Keep in mind what a neighbour announces in another way now."""
        self._elsewhere.change(host, gone, come)
        for rule in gone:
            self._led_before.pop(rule.app_d_id, None)

    def wanted(self, owners: Iterable[str], common: bool) -> dict[str, list[Forwarding]]:
        """All that the data plane must carry out for some apps, of this host or of another.

        ``common`` is that of the data plane (Mp2, `DataPlaneCapabilities`). Those of one package cost one look at it.
        """
        found = {owner: list(self._own.of(owner).alone) for owner in owners}
        for package, members in self._by_package(found).items():
            for forwarding in self._led(package, members, common):
                if forwarding.owner in found:
                    found[forwarding.owner].append(self._marked(forwarding, package))
        return found

    def together(self, owners: Iterable[str]) -> Iterator[list[str]]:
        """The same apps in small groups, those of one package one after the other."""
        everyone = list(chain.from_iterable(self._by_package(owners).values()))
        return (everyone[at : at + TOGETHER] for at in range(0, len(everyone), TOGETHER))

    def owners(self) -> set[str]:
        """Instances for which this host may have to carry out something: its own, and others of neighbours."""
        return {app for app, _ in self._apps.items()} | self._elsewhere.owners()

    def kin(self, app_instance_id: str) -> set[str]:
        """Others whose rules may change with those of an app of this host; for one never seen, all elsewhere."""
        app = self._apps.find(app_instance_id)
        if app is None:
            package = self._packages.pop(app_instance_id, None)
        else:
            package = self._packages[app_instance_id] = app.configuration.app_d_id
        if package is None:
            return set(self._elsewhere.owners())
        return self.members({package}) - {app_instance_id} if self._elsewhere.of_package(package) else set()

    def members(self, packages: Set[str]) -> set[str]:
        """All instances that are known of the apps of some packages."""
        others = {i.rule.forwarding.owner for package in packages for i in self._elsewhere.of_package(package)}
        return others.union(*(self._own.members(package) for package in packages - {""}))

    def _by_package(self, owners: Iterable[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for owner in owners:
            app = self._apps.find(owner)
            package = app.configuration.app_d_id if app else self._elsewhere.package_of(owner)
            found.setdefault(package, []).append(owner)
        return found

    def _led(self, package: str, members: Iterable[str], common: bool) -> Iterable[Forwarding]:
        """Whereto devices are led by a package; if this host alone has it, by those instances that are asked for."""
        known, met = self._elsewhere.of_package(package), self._own.met
        elsewhere = [i for i in known if not _foreign(i.rule.forwarding, package, met)]
        if not elsewhere:
            self._led_before.pop(package, None)
            return [shared.forwarding for member in members for shared in self._own.of(member).shared]
        own = chain.from_iterable(self._own.of(member).shared for member in self._own.members(package))
        instances = [*(Instance(self._host, shared) for shared in own), *elsewhere]
        before = self._led_before.get(package)
        if before is not None and before[0] == (common, instances):
            return before[1]
        found = [f for g in groups(instances) for f in led(g, self._host, self._zones, self._devices, common)]
        self._led_before[package] = (common, instances), found
        return found

    def _marked(self, claimed: Forwarding, package: str) -> Forwarding:
        return replace(claimed, shared=not _foreign(claimed, package, self._elsewhere.met))


def _foreign(claimed: Forwarding, package: str, met: Callable[[TrafficMatch], Iterable[SharedRule]]) -> bool:
    """Whether another app claims a destination of a rule, among those that its filters may meet."""
    return foreign(claimed, chain.from_iterable(met(match) for match in claimed.matches), package)
