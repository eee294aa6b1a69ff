"""Builders: how each kind of element is made from the settings, and what it is given."""

from __future__ import annotations

from collections.abc import Callable

from hanse.assembly.authentication import element_caller
from hanse.assembly.catalogue import Element
from hanse.assembly.identities import secret
from hanse.assembly.partners import PartnerLinks, PartnerWatch
from hanse.assembly.producers import Producers
from hanse.assembly.wiring import Wiring
from hanse.drivers.compute_process.driver import ProcessCompute
from hanse.drivers.dataplane_userspace import UserspaceDataPlane
from hanse.drivers.names_embedded import EmbeddedNames
from hanse.elements.border import Border
from hanse.elements.federation_manager import FederationManager
from hanse.elements.meo import Host, Orchestrator
from hanse.elements.mep import Platform
from hanse.elements.mepm import PlatformManager
from hanse.elements.oss import Oss
from hanse.elements.vim import Vim
from hanse.elements.vim.domain import Equipment
from hanse.kit.callbacks import Callbacks
from hanse.kit.tokens import TokenIssuer
from hanse.model.agreement import Agreement
from hanse.model.place import Position
from hanse.refpoints.meo_fed.platforms import PlatformDiscovery
from hanse.refpoints.mff_fed.federation import Federation
from hanse.refpoints.mfm_fed.members import Membership
from hanse.refpoints.mfm_fed.system_info import FederationEnablement
from hanse.refpoints.mm1.lifecycle import Lifecycle
from hanse.refpoints.mm1.packages import PackageManagement
from hanse.refpoints.mm1.topology import SystemTopology
from hanse.refpoints.mm3.granting import Granting
from hanse.refpoints.mm3.management import InstanceAssignment, SystemView
from hanse.refpoints.mm4.infrastructure import Infrastructure
from hanse.refpoints.mm5.platform import ManagerLookup, PlatformConfiguration
from hanse.refpoints.mm6.workloads import Workloads
from hanse.refpoints.mp2 import DataPlane, NameServer
from hanse.refpoints.mpp_fed.consumption import ServiceConsumption


class Built:
    """What a process has made: for each element its object, and the watch over the agreements."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.parts: dict[str, object] = {}
        self._watch: PartnerWatch | None = None

    def part(self, name: str) -> object:
        """The object of an element."""
        return self.parts[name]

    def watch(self, consumer: Element) -> PartnerWatch:
        """The one watch of this process."""
        if self._watch is None:
            self._watch = PartnerWatch(self.wiring.require(Membership, "federation_manager", consumer))
            self.wiring.starts.append(self._watch.start_up)
            self.wiring.stops.append(self._watch.shut_down)
        return self._watch

    def links(self, element: Element, watch: PartnerWatch | None) -> PartnerLinks:
        """An element's links to partners."""
        wiring = self.wiring
        caller = element_caller(wiring.operator, element.name)
        links = PartnerLinks(dict(wiring.settings.partners), wiring.partner_context, caller, wiring.observer, watch)
        wiring.stops.append(links.close)
        return links


def build(wiring: Wiring) -> Built:
    """Make every chosen element, in an order in which each finds its stores and drivers."""
    built = Built(wiring)
    for element in wiring.chosen:
        BUILDERS[element.role](built, element)
    return built


def _data_plane(built: Built, element: Element) -> None:
    plane = UserspaceDataPlane(built.wiring.settings.hosts[element.host].data_plane)
    built.wiring.starts.append(plane.start)
    built.wiring.stops.append(plane.close)
    built.parts[element.name] = plane
    built.wiring.provide(element, {DataPlane: plane})


def _names(built: Built, element: Element) -> None:
    place = built.wiring.settings.hosts[element.host].names
    names = EmbeddedNames(place.address, place.port, place.zones)
    built.wiring.starts.append(names.start)
    built.wiring.stops.append(names.close)
    built.parts[element.name] = names
    built.wiring.provide(element, {NameServer: names})


def _vim(built: Built, element: Element) -> None:
    wiring, place = built.wiring, built.wiring.settings.hosts[element.host]
    directory = wiring.directory / element.name
    compute = ProcessCompute(directory / "compute")
    equipment = Equipment(
        memory=place.memory_bytes(),
        cpu_milli=int(place.processors * 1000),
        addresses=place.app_addresses(),
        port=place.app_port,
    )
    vim = Vim(element.host, equipment, wiring.store(element), compute, directory)
    wiring.starts.append(vim.start_up)
    wiring.stops.append(compute.close)
    built.parts[element.name] = vim
    wiring.provide(element, {Infrastructure: vim, Workloads: vim})


def _mepm(built: Built, element: Element) -> None:
    wiring, host = built.wiring, element.host
    store = wiring.store(element)
    manager = PlatformManager(
        host,
        element.url,
        store=store,
        outbox=wiring.outbox(store),
        procedures=wiring.procedures,
        granting=wiring.require(Granting, "meo", element),
        view=wiring.require(SystemView, "meo", element),
        platform=wiring.require(PlatformConfiguration, f"mep.{host}", element),
        vim=wiring.require(Workloads, f"vim.{host}", element),
    )
    built.parts[element.name] = manager
    wiring.provide(element, {Lifecycle: manager, InstanceAssignment: manager, ManagerLookup: manager})


def _mep(built: Built, element: Element) -> None:
    wiring, host = built.wiring, element.host
    store = wiring.store(element)
    callbacks = Callbacks(element_caller(wiring.operator, element.name), "Mp1", wiring.observer)
    producers = Producers()
    links = built.links(element, built.watch(element))
    platform = Platform(
        host,
        wiring.operator,
        element.url,
        store=store,
        outbox=wiring.outbox(store),
        callbacks=callbacks,
        manager=wiring.require(ManagerLookup, f"mepm.{host}", element),
        data_plane=wiring.require(DataPlane, f"data_plane.{host}", element),
        name_server=wiring.require(NameServer, f"names.{host}", element),
        partner=lambda name: links.api(ServiceConsumption, "Mpp-fed", name),
        producer=producers,
        devices=_devices(wiring, host),
        issuer=TokenIssuer(wiring.directory / f"{element.name}.tokens.pem", issuer=element.url),
        seed=secret(wiring.directory / f"{element.name}.seed"),
        authority=wiring.identities.authority_path.read_text(),
    )
    wiring.starts.append(platform.start_up)
    wiring.stops += [callbacks.close, producers.close, platform.shut_down]
    built.parts[element.name] = platform
    wiring.provide(element, platform.apis())


def _devices(wiring: Wiring, host: str) -> dict[str, Position]:
    return {
        device.address: Position(latitude=device.latitude, longitude=device.longitude)
        for device in wiring.settings.devices.values()
        if device.host == host
    }


def _meo(built: Built, element: Element) -> None:
    wiring, settings = built.wiring, built.wiring.settings
    store = wiring.store(element)
    links = built.links(element, built.watch(element))
    hosts = {
        name: Host(
            name=name,
            zone=place.zone.zone(),
            country=place.country,
            lifecycle=wiring.require(Lifecycle, f"mepm.{name}", element),
            assignment=wiring.require(InstanceAssignment, f"mepm.{name}", element),
            infrastructure=wiring.require(Infrastructure, f"vim.{name}", element),
        )
        for name, place in settings.hosts.items()
    }
    orchestrator = Orchestrator(
        wiring.operator,
        element.url,
        store=store,
        outbox=wiring.outbox(store),
        procedures=wiring.procedures,
        directory=wiring.directory / "packages",
        trust=[settings.file(path).read_bytes() for path in settings.packages.trust],
        hosts=hosts,
        enablement=wiring.require(FederationEnablement, "federation_manager", element),
        membership=wiring.require(Membership, "federation_manager", element),
        peer=lambda name: links.api(PlatformDiscovery, "Meo-fed", name),
    )
    wiring.starts.append(orchestrator.start_up)
    wiring.stops.append(orchestrator.shut_down)
    built.parts[element.name] = orchestrator
    wiring.provide(element, orchestrator.apis())


def _federation_manager(built: Built, element: Element) -> None:
    wiring = built.wiring
    links = built.links(element, None)
    manager = FederationManager(
        wiring.operator,
        element.url,
        store=wiring.store(element),
        partners=list(wiring.settings.partners),
        peer=lambda name: links.api(Federation, "Mff-fed", name),
    )
    wiring.starts.append(manager.start_up)
    wiring.stops.append(manager.shut_down)
    built.parts[element.name] = manager
    wiring.provide(element, manager.apis())


def _border(built: Built, element: Element) -> None:
    wiring = built.wiring
    watch = built.watch(element)
    agreements = {
        name: Agreement(partner=name, services=partner.share.services, zones=partner.share.zones)
        for name, partner in wiring.settings.partners.items()
    }
    platforms = {host: wiring.require(ServiceConsumption, f"mep.{host}", element) for host in wiring.settings.hosts}
    border = Border(
        store=wiring.store(element),
        agreements=agreements,
        standing=watch.standing,
        manager=wiring.require(Federation, "federation_manager", element),
        orchestrator=wiring.require(PlatformDiscovery, "meo", element),
        platform=platforms.__getitem__,
        seed=secret(wiring.directory / "border.seed"),
    )
    built.parts[element.name] = border
    wiring.provide(element, {Federation: border, PlatformDiscovery: border, ServiceConsumption: border})


def _oss(built: Built, element: Element) -> None:
    wiring = built.wiring
    oss = Oss(
        wiring.require(PackageManagement, "meo", element),
        wiring.require(Lifecycle, "meo", element),
        wiring.require(SystemTopology, "meo", element),
        wiring.require(Membership, "federation_manager", element),
    )
    built.parts[element.name] = oss
    wiring.provide(element, oss.apis())


BUILDERS: dict[str, Callable[[Built, Element], None]] = {
    "data_plane": _data_plane,
    "names": _names,
    "vim": _vim,
    "mepm": _mepm,
    "mep": _mep,
    "meo": _meo,
    "federation_manager": _federation_manager,
    "border": _border,
    "oss": _oss,
}
