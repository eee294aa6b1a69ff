"""Shared addresses: the rules by which devices reach apps of this host and others, as its data plane carries them out.

What platforms announce to each other over Mp3 makes instances of one app on several hosts known; `anycast` decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set

from msgspec.structs import replace

from hanse.elements.mep.app_rules.rules import forwardings
from hanse.elements.mep.app_support.tags import TagAddresses, resolved
from hanse.elements.mep.records import AppRecord, Records
from hanse.elements.mep.steering.anycast import Instance, foreign, groups, instance_of, led
from hanse.elements.mep.steering.devices import Devices
from hanse.model.place import Zone
from hanse.refpoints.mp2 import Action, Forwarding
from hanse.refpoints.mp3.services import SharedRule


class SharedAddresses:
    """Derives what is in force from the records of this platform and of its neighbours; it keeps nothing itself."""

    def __init__(
        self, host: str, records: Records, tags: TagAddresses, zones: Mapping[str, Zone], devices: Devices
    ) -> None:
        self._host = host
        self._records = records
        self._tags = tags
        self._zones = zones
        self._devices = devices

    def announced(self) -> tuple[SharedRule, ...]:
        """What neighbours may lead devices by: the rules of active apps of packages that lead to themselves."""
        return tuple(shared for app in self._records.apps.values() for shared in self._shareable(app))

    def wanted(self, owner: str, common: bool) -> list[Forwarding]:
        """All that the data plane must carry out for an app, of this host or of another.

        ``common`` is that of the data plane (Mp2, `DataPlaneCapabilities`).
        """
        app = self._records.apps.find(owner)
        if app is not None and not app.configuration.app_d_id:
            return self._in_force(app)
        package = app.configuration.app_d_id if app else self._package(owner)
        alone = [f for f in self._in_force(app) if not _leads_to(app, f)] if app else []
        return alone + [self._marked(f, package) for f in self._led(package, common) if f.owner == owner]

    def owners(self) -> set[str]:
        """Instances of other hosts for which this host may have to carry out something: those of apps that it knows."""
        return {shared.forwarding.owner for shared in self._neighbours_rules()}

    def kin(self, app_instance_id: str) -> set[str]:
        """The other instances of the app that one of this host is of; for a forgotten one, all elsewhere."""
        app = self._records.apps.find(app_instance_id)
        return self.members({app.configuration.app_d_id} - {""}) - {app_instance_id} if app else self.owners()

    def members(self, packages: Set[str]) -> set[str]:
        """All instances that are known of the apps of some packages."""
        own = {a.app_instance_id for a in self._records.apps.values() if a.configuration.app_d_id in packages}
        return own | {s.forwarding.owner for s in self._neighbours_rules() if s.app_d_id in packages}

    def _led(self, package: str, common: bool) -> Iterator[Forwarding]:
        if not package:
            return
        own = self.announced()
        instances = [Instance(self._host, shared) for shared in own if shared.app_d_id == package]
        instances += [
            elsewhere
            for elsewhere in self._elsewhere()
            if elsewhere.rule.app_d_id == package and not foreign(elsewhere.rule.forwarding, own, package)
        ]
        for group in groups(instances):
            yield from led(group, self._host, self._zones, self._devices, common)

    def _marked(self, claimed: Forwarding, package: str) -> Forwarding:
        return replace(claimed, shared=not foreign(claimed, self._neighbours_rules(), package))

    def _elsewhere(self) -> Iterator[Instance]:
        """What neighbours announced; a rule of an app that is this host's own is nobody else's to announce."""
        for record in self._records.neighbours.values():
            for shared in record.rules:
                if self._records.apps.find(shared.forwarding.owner) is None:
                    yield Instance(record.host, shared)

    def _neighbours_rules(self) -> Iterator[SharedRule]:
        return (elsewhere.rule for elsewhere in self._elsewhere())

    def _package(self, owner: str) -> str:
        return next((s.app_d_id for s in self._neighbours_rules() if s.forwarding.owner == owner), "")

    def _shareable(self, app: AppRecord) -> Iterable[SharedRule]:
        package = app.configuration.app_d_id
        for forwarding in self._in_force(app) if package else ():
            if _leads_to(app, forwarding):
                name = forwarding.rule_id.removeprefix(f"{instance_of(forwarding.rule_id)}.")
                yield SharedRule(app_d_id=package, traffic_rule_id=name, forwarding=forwarding)

    def _in_force(self, app: AppRecord) -> list[Forwarding]:
        return forwardings(resolved(app, self._tags))


def _leads_to(app: AppRecord, forwarding: Forwarding) -> bool:
    """Whether devices reach the app itself by a rule."""
    return forwarding.action is Action.FORWARD_DECAPSULATED and forwarding.to_address == app.configuration.address
