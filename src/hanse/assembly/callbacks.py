"""Where apps may lead the platforms of an operator: to themselves and devices, never to the operator's own elements."""

from __future__ import annotations

from hanse.assembly.catalogue import elements
from hanse.assembly.settings import Settings
from hanse.kit.receivers import ANYWHERE, Receivers


def receivers(settings: Settings) -> Receivers:
    """The rule for notifications of all platforms; every app may name its own address besides."""
    devices = tuple(device.address for device in settings.devices.values())
    return Receivers(allowed=(*settings.callbacks.allow, *devices), inside=_places(settings))


def producers(settings: Settings) -> Receivers:
    """The rule for services to which platforms carry calls: an app offers none at a device's address.

    A host alone, as in a sandbox, carries none for others: there only the operator's own elements are refused.
    """
    alone = len(settings.hosts) < 2 and not settings.partners
    return Receivers(allowed=ANYWHERE.allowed if alone else settings.callbacks.allow, inside=_places(settings))


def _places(settings: Settings) -> frozenset[tuple[str, int]]:
    places = {(element.address, element.port) for element in elements(settings).values()}
    return frozenset(places | {(host.names.address, host.names.port) for host in settings.hosts.values()})
