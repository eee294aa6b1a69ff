"""What a sandbox begins with: apps, their rules, tokens, services, subscriptions, and devices with tags."""

from __future__ import annotations

import json
import re
import secrets
import tomllib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import msgspec.inspect

from hanse.assembly.limits import LimitSettings
from hanse.assembly.rules import RuleSettings
from hanse.assembly.sandbox.strangers import strangers
from hanse.elements.mep.app_rules.limits import Changes
from hanse.kit.contract.decode import invalid
from hanse.kit.problems import Problem, bad_request
from hanse.kit.values import Value
from hanse.model.descriptor.services import ServiceDependency
from hanse.model.descriptor.traffic import DNSRuleDescriptor, TrafficRuleDescriptor
from hanse.refpoints.mp1.services import AVAILABILITY_SUBSCRIPTION, ServiceInfo
from hanse.refpoints.mp1.support import TERMINATION_SUBSCRIPTION

SUBSCRIPTIONS = (AVAILABILITY_SUBSCRIPTION, TERMINATION_SUBSCRIPTION)


class _Table(Value, forbid_unknown_fields=True, rename={}):
    """A table of the file; an unknown key in it is a mistake."""


class SeededApp(_Table):
    """``[[apps]]``: an application instance of a given id, at an address and port where it listens itself.

    ``tokens`` are whole Authorization headers that speak for it for ever (``Basic …``, ``Bearer …``); one without a
    scheme is a bearer token. For an ``anonymous`` app whoever sends no Authorization speaks, too; of several it is the
    one that the path names, or else the first. ``app_d_id`` makes it an app with a descriptor, which may then offer
    only what ``services_produced`` names; ``storage`` is the size of its volume in bytes. Rules are written as in a
    descriptor (ETSI GS MEC 010-2 V3.1.1, 6.2.1.9, 6.2.1.13).
    """

    id: str
    name: str = "app"
    provider: str = ""
    app_d_id: str = ""
    address: str = "127.0.0.1"
    port: int = 8080
    tokens: tuple[str, ...] = ()
    anonymous: bool = False
    traffic_rules: tuple[TrafficRuleDescriptor, ...] = ()
    dns_rules: tuple[DNSRuleDescriptor, ...] = ()
    services_required: tuple[ServiceDependency, ...] = ()
    services_produced: tuple[str, ...] = ()
    storage: int = 0


class SeededService(_Table):
    """``[[services]]``: a service of an app under a given id; ``info`` is a ServiceInfo as it would be POSTed."""

    app: str
    id: str
    info: ServiceInfo


class SeededSubscription(_Table):
    """``[[subscriptions]]``: a subscription of an app under a given id; ``body`` as it would be POSTed."""

    app: str
    id: str
    body: dict[str, Any]


class SeededDevice(_Table):
    """``[devices.X]``: a device: the address from which it speaks, where it is, and the tags that stand for it."""

    address: str
    tags: tuple[str, ...] = ()
    latitude: float = 0.0
    longitude: float = 0.0


class Seed(_Table):
    """The whole file. ``data_plane`` is the address that apps see as their peer, ``zones`` those of the name server.

    ``callbacks`` are addresses, networks and host names that apps may name for notifications. ``rules`` tells whether
    apps may change their rules to whatever no other app has (``free``), or within what they have here (``granted``);
    ``destinations`` are addresses and networks that rules of any app may lead to. ``limits`` are those that an operator
    sets.
    """

    apps: tuple[SeededApp, ...] = ()
    services: tuple[SeededService, ...] = ()
    subscriptions: tuple[SeededSubscription, ...] = ()
    devices: dict[str, SeededDevice] = {}
    zones: tuple[str, ...] = ()
    data_plane: str = "127.0.0.1"
    callbacks: tuple[str, ...] = ("127.0.0.1", "127.0.0.0/8", "::1", "localhost")
    rules: str = Changes.FREE.value
    destinations: tuple[str, ...] = ("127.0.0.1", "127.0.0.0/8", "::1")
    limits: LimitSettings = LimitSettings()

    def rule_settings(self) -> RuleSettings:
        """As an operator sets them."""
        return RuleSettings(destinations=self.destinations, changes=self.rules)


def smallest_seed() -> Seed:
    """One app, with a token of its own: what a sandbox begins with that is told nothing."""
    token = f"Bearer {secrets.token_urlsafe(24)}"
    return Seed(apps=(SeededApp(id=str(uuid.uuid4()), name="demo", tokens=(token,)),))


def read_seed(path: Path) -> Seed:
    """Read TOML, or JSON if the name ends so; a problem 400 names the key at fault."""
    try:
        text = path.read_text()
        raw = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise bad_request(f"Cannot read {path}", error.strerror or str(error)) from None
    except (ValueError, RecursionError) as error:
        kind = "JSON" if path.suffix == ".json" else "TOML"
        raise bad_request(f"{path} is not {kind}", str(error)) from None
    try:
        seed = msgspec.convert(raw, Seed)
    except msgspec.ValidationError as error:
        problem = invalid(str(error), Seed, kind="key")
        raise Problem(400, f"{path}: {problem.title}", problem.detail) from None
    for key, right in (*strangers(raw, msgspec.inspect.type_info(Seed)), *_mistakes(seed)):
        raise bad_request(f"{path}: Invalid key {key}", right)
    return seed


def _mistakes(seed: Seed) -> Iterator[tuple[str, str]]:
    apps, subscriptions = [app.id for app in seed.apps], seed.subscriptions
    for key, ids in _identifiers(seed):
        for index, identifier in enumerate(ids):
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,127}", identifier):
                yield f"{key}[{index}].id", "letters, digits and ._~-, at most 128"
            if ids.index(identifier) != index:
                yield f"{key}[{index}].id", f"{identifier} is there twice"
    owners = {"services": [s.app for s in seed.services], "subscriptions": [s.app for s in subscriptions]}
    for kind, named in owners.items():
        for index, owner in enumerate(named):
            if owner not in apps:
                yield f"{kind}[{index}].app", f"one of {', '.join(apps) or 'no app'}"
    for index, subscription in enumerate(subscriptions):
        if subscription.body.get("subscriptionType") not in SUBSCRIPTIONS:
            yield f"subscriptions[{index}].body.subscriptionType", f"one of {', '.join(SUBSCRIPTIONS)}"
    yield from _mistaken_tokens(seed)
    checks = (*seed.limits.checks(), *seed.rule_settings().checks("rules", "destinations"))
    yield from ((key, right) for key, right, good in checks if not good)


def _identifiers(seed: Seed) -> Iterator[tuple[str, list[str]]]:
    yield "apps", [app.id for app in seed.apps]
    yield "services", [service.id for service in seed.services]
    yield "subscriptions", [subscription.id for subscription in seed.subscriptions]


def _mistaken_tokens(seed: Seed) -> Iterator[tuple[str, str]]:
    owners: dict[str, str] = {}
    for index, app in enumerate(seed.apps):
        for token in app.tokens:
            if not re.fullmatch(r"[\x21-\x7e]+( [\x20-\x7e]*[\x21-\x7e])?", token):
                yield f"apps[{index}].tokens", "a scheme, a space and printable ASCII, as in Basic dXNlcjpwYXNz"
            if owners.setdefault(token, app.id) != app.id:
                yield f"apps[{index}].tokens", "a token speaks for one app"
