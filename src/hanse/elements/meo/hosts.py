"""Hosts as an orchestrator knows and reaches them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hanse.kit.problems import not_found
from hanse.model.place import Zone
from hanse.refpoints.mm1.lifecycle import Lifecycle
from hanse.refpoints.mm1.steering import SteeringPolicies
from hanse.refpoints.mm3.management import InstanceAssignment
from hanse.refpoints.mm4.infrastructure import Infrastructure


@dataclass(frozen=True)
class Host:
    """A MEC host: its name, zone and country (ISO 3166), its platform manager (Mm3) and its VIM (Mm4)."""

    name: str
    zone: Zone
    country: str
    lifecycle: Lifecycle
    assignment: InstanceAssignment
    infrastructure: Infrastructure
    steering: SteeringPolicies


def host_of(hosts: Mapping[str, Host], name: str) -> Host:
    """The host of that name; a problem 404 if the system has none."""
    if name not in hosts:
        raise not_found("host", name)
    return hosts[name]
