"""Where the platforms of an operator post notifications: to apps and devices, never to the operator's own elements."""

from __future__ import annotations

from hanse.assembly.catalogue import elements
from hanse.assembly.settings import Settings
from hanse.kit.receivers import Receivers


def receivers(settings: Settings) -> Receivers:
    """The rule for all platforms of an operator; every app may name its own address besides."""
    places = {(element.address, element.port) for element in elements(settings).values()}
    places |= {(host.names.address, host.names.port) for host in settings.hosts.values()}
    devices = tuple(device.address for device in settings.devices.values())
    return Receivers(allowed=(*settings.callbacks.allow, *devices), inside=frozenset(places))
