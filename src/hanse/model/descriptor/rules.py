"""The rules of MEC that no type expresses (ETSI GS MEC 010-2 V3.1.1, 6.2.1; ETSI GS MEC 037 V3.2.1, 5.2.5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Final

from hanse.kit.values import ABSENT
from hanse.model.descriptor.application import AppD
from hanse.model.descriptor.base import Violation
from hanse.model.descriptor.behaviour import UserContextTransferCapability
from hanse.model.descriptor.rules_traffic import dns_violations, traffic_violations
from hanse.model.descriptor.services import (
    GrantType,
    ServiceDependency,
    ServiceDescriptor,
    TransportDependency,
    TransportDescriptor,
    TransportsSupported,
    TransportType,
)

VERSION: Final = re.compile(r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}")


def check(appd: AppD, supported: Collection[str] = ()) -> list[Violation]:
    """Every rule that ``appd`` breaks; ``supported`` are the MEC versions of this system (empty: any will do)."""
    found = list(realisation_violations(appd))
    for name, rule in ATTRIBUTE_RULES.items():
        found += rule(getattr(appd, name))
    if supported and not set(appd.mec_versions) & set(supported):
        known = ", ".join(sorted(supported))
        found.append(Violation(path="mecVersion", message=f"names {appd.mec_version}; this system knows {known}"))
    return found


def realisation_violations(appd: AppD) -> Iterator[Violation]:
    """One virtual machine with one image, or containers with what identifies them (6.2.1.2, notes 5 and 6)."""
    machine, containers = appd.virtual_compute_descriptor is not ABSENT, bool(appd.os_container_descriptor)
    if machine == containers:
        message = "give exactly one of virtualComputeDescriptor and osContainerDescriptor"
        yield Violation(path="virtualComputeDescriptor", message=message)
    if not appd.sw_image_descriptor:
        yield Violation(path="swImageDescriptor", message="name at least one software image")
    if not appd.app_ext_cpd:
        yield Violation(path="appExtCpd", message="name at least one external connection point")
    yield from (_machine_violations(appd) if machine else _container_violations(appd))


def _machine_violations(appd: AppD) -> Iterator[Violation]:
    if len(appd.sw_image_descriptor) > 1:
        yield Violation(path="swImageDescriptor", message="a virtual machine has exactly one software image")
    containers_only = {
        "mcioIdentificationData": appd.mcio_identification_data is not ABSENT,
        "mciopId": appd.mciop_id is not ABSENT,
        "logicalNode": bool(appd.logical_node),
        "requestAdditionalCapabilities": bool(appd.request_additional_capabilities),
        "mcioConstraintParams": bool(appd.mcio_constraint_params),
    }
    for path, present in containers_only.items():
        if present:
            yield Violation(path=path, message="belongs to containers, leave it out of a virtual machine")


def _container_violations(appd: AppD) -> Iterator[Violation]:
    if appd.mcio_identification_data is ABSENT:
        yield Violation(path="mcioIdentificationData", message="containers need it: a name, Deployment or StatefulSet")
    images = {image.id for image in appd.sw_image_descriptor}
    for index, container in enumerate(appd.os_container_descriptor):
        if container.sw_image_desc not in images:
            path = f"osContainerDescriptor[{index}].swImageDesc"
            yield Violation(path=path, message=f"no swImageDescriptor has the id {container.sw_image_desc}")


def version_violations(mec_version: str) -> Iterator[Violation]:
    """``x.y.z``, or several of them with commas between (6.2.1.2)."""
    for version in mec_version.split(","):
        if not VERSION.fullmatch(version.strip()):
            yield Violation(path="mecVersion", message=f"{version.strip()!r} is not a version of the form x.y.z")


def context_violations(capability: UserContextTransferCapability | Any) -> Iterator[Violation]:
    """``userContextTransferSupport`` is there exactly for a stateful application (6.2.1.20)."""
    if capability is ABSENT:
        return
    if capability.stateful_application != (capability.user_context_transfer_support is not ABSENT):
        must = "needs" if capability.stateful_application else "must not have"
        path = "userContextTransferCapability.userContextTransferSupport"
        yield Violation(path=path, message=f"with statefulApplication {capability.stateful_application} it {must} this")


def dependency_violations(name: str) -> Callable[[Sequence[ServiceDependency]], Iterator[Violation]]:
    """The rule on the list of dependencies of that JSON name."""

    def rule(dependencies: Sequence[ServiceDependency]) -> Iterator[Violation]:
        for index, dependency in enumerate(dependencies):
            path = f"{name}[{index}].serTransportDependencies"
            yield from transport_dependency_violations(path, dependency.ser_transport_dependencies)

    return rule


def transport_dependency_violations(path: str, entries: Sequence[TransportDependency]) -> Iterator[Violation]:
    """Labels and serializers are 1..N (6.2.1.18)."""
    for index, entry in enumerate(entries):
        if not entry.labels:
            yield Violation(path=f"{path}[{index}].labels", message="give at least one label")
        yield from _transport(f"{path}[{index}]", entry)


def produced_violations(services: Sequence[ServiceDescriptor]) -> Iterator[Violation]:
    """Transports of offered services (6.2.1.7)."""
    for index, service in enumerate(services):
        for place, offered in enumerate(service.transports_supported):
            yield from _transport(f"appServiceProduced[{index}].transportsSupported[{place}]", offered)


def _transport(path: str, entry: TransportDependency | TransportsSupported) -> Iterator[Violation]:
    if not entry.serializers:
        yield Violation(path=f"{path}.serializers", message="give at least one of JSON, XML, PROTOBUF3")
    yield from _descriptor(f"{path}.transport", entry.transport)


def _descriptor(path: str, transport: TransportDescriptor) -> Iterator[Violation]:
    if transport.type is TransportType.REST_HTTP and transport.protocol != "HTTP":
        message = f"REST_HTTP has the protocol HTTP, not {transport.protocol}"
        yield Violation(path=f"{path}.protocol", message=message)
    oauth = transport.security.o_auth2_info
    if oauth is ABSENT:
        return
    implicit = GrantType.IMPLICIT_GRANT in oauth.grant_types
    if oauth.token_endpoint is ABSENT and not implicit:
        message = "only the implicit grant does without a token endpoint"
        yield Violation(path=f"{path}.security.oAuth2Info.tokenEndpoint", message=message)


ATTRIBUTE_RULES: Final[dict[str, Callable[[Any], Iterator[Violation]]]] = {
    "mec_version": version_violations,
    "app_traffic_rule": traffic_violations,
    "app_dns_rule": dns_violations,
    "user_context_transfer_capability": context_violations,
    "app_service_required": dependency_violations("appServiceRequired"),
    "app_service_optional": dependency_violations("appServiceOptional"),
    "app_service_produced": produced_violations,
    "transport_dependencies": lambda entries: transport_dependency_violations("transportDependencies", entries),
}
"""The rule of each attribute that has one; a descriptor that is broken elsewhere can still be checked by parts."""
