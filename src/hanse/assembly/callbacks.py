"""Where apps may lead the platforms of an operator: to themselves and devices, never to the operator's own elements.

By notifications, by services, and by traffic and DNS rules. And by which authorities those whom platforms notify over
HTTPS are known.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable

from hanse.assembly.catalogue import elements
from hanse.assembly.settings import Settings
from hanse.elements.mep.app_rules.destinations import ethernet
from hanse.elements.mep.app_rules.limits import Changes, RulePolicy
from hanse.elements.mep.app_rules.rule_checks import is_mac
from hanse.kit.problems import bad_request
from hanse.kit.receivers import ANYWHERE, Receivers


def receivers(settings: Settings) -> Receivers:
    """The rule for notifications of all platforms; every app may name its own address besides."""
    devices = tuple(device.address for device in settings.devices.values())
    return Receivers(allowed=(*settings.callbacks.allow, *devices), inside=_places(settings))


def trust(settings: Settings) -> Callable[[], ssl.SSLContext]:
    """How https receivers are judged: by public authorities, and those of the settings, which are read now.

    A problem 400 names a file that cannot be read, or holds no certificate.
    """
    key, names = "callbacks.authorities", settings.callbacks.authorities
    if not names:
        return ssl.create_default_context
    context = ssl.create_default_context()
    for name in names:
        pem = settings.content(key, name).decode("ascii", "ignore")
        try:
            context.load_verify_locations(cadata=pem)
        except (ssl.SSLError, ValueError):
            right = f"{settings.file(name)} must be PEM with at least one certificate"
            raise bad_request(f"{settings.path}: Invalid key {key}", right) from None
    return lambda: context


def producers(settings: Settings) -> Receivers:
    """The rule for services to which platforms carry calls: an app offers none at a device's address.

    A host alone, as in a sandbox, carries none for others: there only the operator's own elements are refused.
    """
    alone = len(settings.hosts) < 2 and not settings.partners
    return Receivers(allowed=ANYWHERE.allowed if alone else settings.callbacks.allow, inside=_places(settings))


def rule_policy(settings: Settings) -> RulePolicy:
    """What apps may make of their rules; no rule leads to the operator's own elements unless their address is named."""
    words = settings.rules.destinations
    return RulePolicy(
        changes=Changes(settings.rules.changes),
        destinations=Receivers(allowed=tuple(word for word in words if not is_mac(word)), inside=_places(settings)),
        macs=frozenset(ethernet(word) for word in words if is_mac(word)),
    )


def _places(settings: Settings) -> frozenset[tuple[str, int]]:
    places = {(element.address, element.port) for element in elements(settings).values()}
    return frozenset(places | {(host.names.address, host.names.port) for host in settings.hosts.values()})
