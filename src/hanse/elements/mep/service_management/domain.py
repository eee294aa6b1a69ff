"""Rules of a platform: which services match, who is told, what a registration must hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar

import msgspec

from hanse.elements.mep.service_management.endpoints import check_transport
from hanse.kit.problems import bad_request
from hanse.kit.values import ABSENT, Absent
from hanse.refpoints.mp1.services import (
    ChangeType,
    FilteringCriteria,
    ServiceInfo,
    ServiceQuery,
    ServiceState,
    TransportInfo,
)

T = TypeVar("T")

Name: TypeAlias = tuple[str, str]
"""A way to name services and a name."""
ANY_SERVICE: Name = ("", "")
NAMING = ("ser_instance_id", "ser_name", "ser_category_id")


def check_query(query: ServiceQuery) -> None:
    """At most one way to name services may be used (ETSI GS MEC 011 V3.1.1, 8.2.3.3.1)."""
    used = [name for name in NAMING if getattr(query, name) is not ABSENT]
    if len(used) > 1:
        detail = f"give one of {', '.join(NAMING)}; got {' and '.join(used)}"
        raise bad_request("Exclusive query parameters", detail)


def matches(service: ServiceInfo, query: ServiceQuery) -> bool:
    """Whether a service fits a query; ``is_local`` true leaves local ones, false does not restrict (8.2.3.3.1)."""
    return (
        _among(service.ser_instance_id, query.ser_instance_id)
        and _among(service.ser_name, query.ser_name)
        and (query.ser_category_id is ABSENT or _category(service) == query.ser_category_id)
        and _equal(service.scope_of_locality, query.scope_of_locality)
        and _equal(service.consumed_local_only, query.consumed_local_only)
        and (query.is_local is not True or service.is_local is not False)
    )


def check_service(service: ServiceInfo) -> None:
    """What a registration or replacement must hold beyond its shape (8.1.2.2)."""
    if service.state is ServiceState.SUSPENDED:
        raise bad_request("Invalid attribute state", "SUSPENDED is the platform's to set; legal: ACTIVE, INACTIVE")
    if not service.ser_name:
        raise bad_request("Invalid attribute serName", "a service has a name")
    if isinstance(service.liveness_interval, int) and service.liveness_interval < 0:
        raise bad_request("Invalid attribute livenessInterval", "seconds, 0 or more")
    if (service.transport_id is ABSENT) == (service.transport_info is ABSENT):
        raise bad_request("Invalid attribute transportInfo", "give exactly one of transportId and transportInfo")
    if isinstance(service.transport_info, TransportInfo):
        check_transport(service.transport_info, "transportInfo")


def check_replacement(service: ServiceInfo, service_id: str) -> None:
    """The same of a PUT, which names no transport of the platform: it has the one that the platform told (8.1.2.2)."""
    if service.ser_instance_id not in (ABSENT, service_id):
        raise bad_request("Invalid attribute serInstanceId", f"must be that of the URI, {service_id}")
    if service.transport_id is not ABSENT:
        raise bad_request("Unexpected attribute transportId", "it is for POST; PUT the transportInfo that GET gave")
    check_service(service)


def check_criteria(criteria: FilteringCriteria | Absent) -> None:
    """At most one way to name services in a subscription (8.1.3.2)."""
    if not isinstance(criteria, FilteringCriteria):
        return
    names = ("ser_instance_ids", "ser_names", "ser_categories")
    if sum(getattr(criteria, name) is not ABSENT for name in names) > 1:
        legal = "give at most one of serInstanceIds, serNames, serCategories"
        raise bad_request("Invalid attribute filteringCriteria", legal)


def concerns(criteria: FilteringCriteria | Absent, service: ServiceInfo) -> bool:
    """Whether a change of ``service`` is told under these criteria; the state is that after the change (8.1.3.2)."""
    if not isinstance(criteria, FilteringCriteria):
        return True
    categories = criteria.ser_categories
    return (
        _among(service.ser_instance_id, criteria.ser_instance_ids)
        and _among(service.ser_name, criteria.ser_names)
        and (not isinstance(categories, tuple) or _category(service) in [c.id for c in categories])
        and _among(service.state, criteria.states)
        and _equal(service.is_local is not False, criteria.is_local)  # its default is TRUE
    )


def wanted_names(criteria: FilteringCriteria | Absent) -> list[Name]:
    """What a subscription names, in the one way that it may use; each once. ``ANY_SERVICE`` if it names nothing."""
    if isinstance(criteria, FilteringCriteria):
        if isinstance(criteria.ser_instance_ids, tuple):
            return [("id", identifier) for identifier in dict.fromkeys(criteria.ser_instance_ids)]
        if isinstance(criteria.ser_names, tuple):
            return [("name", name) for name in dict.fromkeys(criteria.ser_names)]
        if isinstance(criteria.ser_categories, tuple):
            return [("category", category) for category in dict.fromkeys(c.id for c in criteria.ser_categories)]
    return [ANY_SERVICE]


def service_names(service: ServiceInfo) -> list[Name]:
    """All that queries and subscriptions may name of which this service is: nothing of it concerns others."""
    names = [ANY_SERVICE, ("id", str(service.ser_instance_id)), ("name", service.ser_name)]
    return names if (category := _category(service)) is ABSENT else [*names, ("category", category)]


def change_between(before: ServiceInfo, after: ServiceInfo) -> ChangeType | None:
    """What a replacement changed: nothing, only the state, or attributes (8.1.4.2)."""
    if before == after:
        return None
    if msgspec.structs.replace(before, state=after.state) == after:
        return ChangeType.STATE_CHANGED
    return ChangeType.ATTRIBUTES_CHANGED


def _category(service: ServiceInfo) -> Any:
    return ABSENT if service.ser_category is ABSENT else getattr(service.ser_category, "id", ABSENT)


def _among(value: T, wanted: Sequence[T] | Absent) -> bool:
    return isinstance(wanted, Absent) or value in wanted


def _equal(value: T, wanted: T | Absent) -> bool:
    return isinstance(wanted, Absent) or value == wanted
