"""The orchestrator of a MEC system (ETSI GS MEC 003, 7.1.4.1)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from hanse.elements.meo.disposal import Disposal
from hanse.elements.meo.hosts import Host
from hanse.elements.meo.lifecycle import InstanceLifecycle
from hanse.elements.meo.lookup import ServiceLookup, SharedPlatforms
from hanse.elements.meo.packages import Packages
from hanse.elements.meo.presence import Presence
from hanse.elements.meo.procedures import SystemProcedures
from hanse.elements.meo.records import Records
from hanse.elements.meo.registrar import Registrar
from hanse.elements.meo.steering import SystemSteering
from hanse.elements.meo.view import Grants, Topology, View
from hanse.kit.contract.declare import Api
from hanse.kit.outbox import Outbox
from hanse.kit.procedures import Procedures
from hanse.kit.store import Store
from hanse.refpoints.meo_fed.platforms import PlatformDiscovery
from hanse.refpoints.mfm_fed.members import Membership
from hanse.refpoints.mfm_fed.system_info import FederationEnablement
from hanse.refpoints.mm1.lifecycle import Lifecycle
from hanse.refpoints.mm1.packages import PackageManagement
from hanse.refpoints.mm1.steering import SteeringPolicies, SteeringPolicy
from hanse.refpoints.mm1.topology import SystemTopology
from hanse.refpoints.mm3.granting import Granting
from hanse.refpoints.mm3.management import SystemView


class Orchestrator:
    """The orchestrator, put together from its parts; `apis` tells which part provides which API."""

    def __init__(
        self,
        operator: str,
        url: str,
        *,
        store: Store,
        outbox: Outbox,
        procedures: Procedures,
        directory: Path,
        trust: Sequence[bytes],
        hosts: Mapping[str, Host],
        enablement: FederationEnablement,
        membership: Membership,
        peer: Callable[[str], PlatformDiscovery],
        devices: Collection[str] = (),
        steering: Mapping[str, SteeringPolicy] = MappingProxyType({}),
    ) -> None:
        self._hosts = hosts
        self.records = Records(store)
        disposal = Disposal(outbox, self.records, hosts)
        self.packages = Packages(url, store, outbox, procedures, self.records, directory, trust, disposal)
        self.lifecycle = InstanceLifecycle(url, store, outbox, procedures, self.records, self.packages, hosts)
        self._steering = SystemSteering(store, self.records, hosts, devices, steering)
        self._procedures = SystemProcedures(store, self.records, self.packages, hosts, self._moved)
        self._presence = Presence(lambda: self._registrar.changed())  # each needs the other
        self._registrar = Registrar(operator, store, self.records, hosts, self._presence, enablement, membership)
        self._shared = SharedPlatforms(self.records, hosts, self._presence)
        self._grants = Grants(url, store, self.records)
        self._view = self._view_of_managers(store, ServiceLookup(self._shared, membership, peer))
        self._topology = Topology(operator, self.records, hosts, self._presence, self._registrar.registered)
        self._register(procedures)

    def _view_of_managers(self, store: Store, lookup: ServiceLookup) -> View:
        """What platform managers tell and ask of the system."""
        procedures, told = self._procedures, self._registrar.changed
        return View(store, self.records, self._hosts, self._presence, lookup, procedures, told, self._moved)

    def _register(self, procedures: Procedures) -> None:
        """Make the procedures known by the names that are kept with what is pending."""
        ours = self._procedures
        bodies = {"instantiate": ours.instantiate, "terminate": ours.terminate, "operate": ours.operate}
        for name, body in bodies.items():
            procedures.register(f"meo.{name}", body, failed=ours.failed)

    def _moved(self) -> None:
        """An instance was started, stopped or moved."""
        self._steering.moved()
        self._registrar.changed()

    def apis(self) -> dict[type[Api], Api]:
        """Which part provides which API."""
        return {
            PackageManagement: self.packages,
            Lifecycle: self.lifecycle,
            Granting: self._grants,
            SystemView: self._view,
            SystemTopology: self._topology,
            PlatformDiscovery: self._shared,
            SteeringPolicies: self._steering,
        }

    async def start_up(self) -> None:
        """Settle what a crash left, and register with the federation manager."""
        self._presence.watch(self._hosts)
        await self.packages.start_up()
        await self._registrar.start_up()
        await self._steering.start_up()

    async def shut_down(self) -> None:
        """Stop what runs by itself."""
        self._presence.close()
        await self._steering.shut_down()
        await self._registrar.shut_down()
