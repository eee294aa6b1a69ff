"""Locality: who may consume a service that is for its locality alone (ETSI GS MEC 011 V3.1.1, 8.1.2.2 and 8.1.6.5).

A locality that is narrower than the system ends at the host: what zones, zone groups and points of presence have in
common is known to their infrastructure, which no platform asks. So such a service is shared with nobody who might be
outside.
"""

from __future__ import annotations

from hanse.refpoints.mp1.services import LocalityType, ServiceInfo


def of_the_system(service: ServiceInfo) -> bool:
    """Whether a service counts as local in the whole system (8.1.2.2, note 6)."""
    return service.scope_of_locality is LocalityType.MEC_SYSTEM


def leaves_host(service: ServiceInfo) -> bool:
    """Whether apps of other hosts of the system may consume a service."""
    return leaves_system(service) or of_the_system(service)


def leaves_system(service: ServiceInfo) -> bool:
    """Whether apps of other systems may, as far as their agreement goes."""
    return not service.consumed_local_only
