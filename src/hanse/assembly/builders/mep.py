"""The platform of a host."""

from __future__ import annotations

from hanse.assembly.authentication import element_caller
from hanse.assembly.builders.built import Built
from hanse.assembly.callbacks import producers as reachable
from hanse.assembly.callbacks import receivers, rule_policy, trust
from hanse.assembly.catalogue import Element
from hanse.assembly.identities import secret
from hanse.assembly.producers import Producers
from hanse.assembly.redirection import Redirector
from hanse.assembly.settings import Settings
from hanse.elements.mep import Platform, Surroundings
from hanse.elements.mep.steering.choice import Asker
from hanse.elements.mep.steering.devices import Devices
from hanse.kit.callbacks import Callbacks
from hanse.kit.tokens import TokenIssuer
from hanse.model.place import Position
from hanse.refpoints.mm5.platform import ManagerLookup
from hanse.refpoints.mp2 import DataPlane, NameServer
from hanse.refpoints.mp3.services import SharedFlows, SharedServices
from hanse.refpoints.mpp_fed.consumption import ServiceConsumption


def build(built: Built, element: Element) -> None:
    """Make it, and make it known."""
    wiring = built.wiring
    platform = Platform(_surroundings(built, element))
    wiring.starts.append(platform.start_up)
    wiring.stops.append(platform.shut_down)
    redirection = wiring.settings.hosts[element.host].redirection
    if redirection is not None:
        redirector = Redirector(wiring, element, redirection, platform.redirection)
        built.afterwards.append(redirector.start)  # its address may be there only once the data plane has begun
        wiring.stops.append(redirector.close)
    built.parts[element.name] = platform
    wiring.provide(element, platform.apis())


def _surroundings(built: Built, element: Element) -> Surroundings:
    wiring, host = built.wiring, element.host
    settings, directory, store = wiring.settings, wiring.directory, wiring.store(element)
    place = settings.hosts[host]
    caller = element_caller(wiring.operator, element.name)
    callbacks = Callbacks(caller, "Mp1", wiring.observer, receivers(settings), trust(settings))
    reach = reachable(settings)
    producers = Producers(reach.is_inside)
    links = built.links(element, built.watch(element))
    wiring.stops += [callbacks.close, producers.close]
    neighbours = {other: wiring.require(ServiceConsumption, f"mep.{other}", element) for other in settings.hosts}
    others = nearest(settings, host)
    return Surroundings(
        host=host,
        operator=wiring.operator,
        url=element.url,
        store=store,
        outbox=wiring.outbox(store),
        callbacks=callbacks,
        manager=wiring.require(ManagerLookup, f"mepm.{host}", element),
        data_plane=wiring.require(DataPlane, f"data_plane.{host}", element),
        name_server=wiring.require(NameServer, f"names.{host}", element),
        partner=lambda name: links.api(ServiceConsumption, "Mpp-fed", name),
        neighbour=neighbours.__getitem__,
        producer=producers,
        neighbours={other: wiring.require(SharedServices, f"mep.{other}", element) for other in others},
        flows={other: wiring.require(SharedFlows, f"mep.{other}", element) for other in others},
        issuer=TokenIssuer(directory / f"{element.name}.tokens.pem", issuer=element.url),
        seed=secret(directory / f"{element.name}.seed"),
        authority=wiring.identities.authority_path.read_text(),
        tags=tag_addresses(settings, host),
        led=led_devices(settings, host),
        zones={name: place.zone.zone() for name, place in settings.hosts.items()},
        domains=place.names.zones,
        redirectors=place.redirection.urls() if place.redirection else (),
        liveness=place.liveness.policy(),
        volumes=(directory / element.name / "volumes").absolute(),
        reach=reach,
        quotas=settings.limits.quotas(),
        rules=rule_policy(settings),
    )


def nearest(settings: Settings, host: str) -> list[str]:
    """The other hosts, by the distance of their zones from that of ``host``."""
    here = settings.hosts[host].zone.zone().position
    distances = {n: here.distance(h.zone.zone().position) for n, h in settings.hosts.items() if n != host}
    return sorted(distances, key=distances.__getitem__)


def tag_addresses(settings: Settings, host: str) -> dict[str, tuple[str, ...]]:
    """The addresses for which each UE identity tag stands, of the devices that a host serves."""
    found: dict[str, tuple[str, ...]] = {}
    for device in settings.devices.values():
        for tag in device.tags if device.host == host else ():
            found[tag] = (*found.get(tag, ()), device.address)
    return found


def led_devices(settings: Settings, host: str) -> Devices:
    """All devices of the operator, each in the zone of the host that serves it; strangers are in that of ``host``."""
    zones = {name: place.zone.zone() for name, place in settings.hosts.items()}
    known = [
        Asker(d.address, name, zones[d.host].name, Position(latitude=d.latitude, longitude=d.longitude))
        for name, d in settings.devices.items()
    ]
    return Devices(known, Asker(zone=zones[host].name, position=zones[host].position))
