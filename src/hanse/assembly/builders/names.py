"""The name server of a host: the embedded one, or one outside that is kept up to date."""

from __future__ import annotations

from functools import partial

from hanse.assembly.addresses import until_there
from hanse.assembly.builders.built import Built
from hanse.assembly.catalogue import Element
from hanse.assembly.settings import Settings
from hanse.assembly.tables import NamesSettings, UpdateSettings
from hanse.drivers.names_embedded import EmbeddedNames
from hanse.drivers.names_rfc2136 import Key, UpdatedNames
from hanse.refpoints.mp2 import NameServer


def build(built: Built, element: Element) -> None:
    """Make it, and make it known."""
    names = name_server(built.wiring.settings, element)
    in_kernel = built.wiring.settings.hosts[element.host].data_plane_driver == "nftables"
    if in_kernel and isinstance(names, EmbeddedNames):
        built.wiring.starts.append(partial(until_there, names.address))
    built.wiring.starts.append(names.start)
    built.wiring.stops.append(names.close)
    built.parts[element.name] = names
    built.wiring.provide(element, {NameServer: names})


def name_server(settings: Settings, element: Element) -> EmbeddedNames | UpdatedNames:
    """The one that the configuration names; 400 says which key of it cannot be read."""
    place = settings.hosts[element.host].names
    if place.update is not None:
        return _outside(settings, element, place, place.update)
    return EmbeddedNames(place.address, place.port, place.zones, place.forwarders(), rate=place.rate)


def _outside(settings: Settings, element: Element, place: NamesSettings, update: UpdateSettings) -> UpdatedNames:
    secret = settings.content(f"hosts.{element.host}.names.update.secret_file", update.secret_file)
    key = Key(update.key, secret.decode(errors="replace").strip(), update.algorithm)
    file = settings.directory / f"{element.name}.published.json"
    return UpdatedNames(place.address, place.port, place.zones[0], key, file)
