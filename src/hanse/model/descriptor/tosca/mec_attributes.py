"""From the properties of MecApp to the attributes of AppD (ETSI GS MEC 037 V3.2.1, table 5.2.2-1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from hanse.kit.values import ABSENT, Absent
from hanse.model.descriptor.behaviour import (
    AppNetworkPolicy,
    LatencyDescriptor,
    SteeredNetwork,
    UserContextTransferCapability,
)
from hanse.model.descriptor.services import (
    CategoryRef,
    FeatureDependency,
    GrantType,
    OAuth2Info,
    Permission,
    SecurityInfo,
    SerializerType,
    ServiceDependency,
    ServiceDescriptor,
    TransportDependency,
    TransportDescriptor,
    TransportsSupported,
    TransportType,
)
from hanse.model.descriptor.traffic import (
    Action,
    DNSRuleDescriptor,
    FilterType,
    InterfaceDescriptor,
    InterfaceType,
    IpAddressType,
    TrafficFilter,
    TrafficRuleDescriptor,
    TunnelInfo,
)

Properties = dict[str, Any]


def attributes(properties: Properties) -> dict[str, Any]:
    """AppD attributes of those ``properties`` that MEC defines; their types must have been checked."""
    return {name: convert(properties[name]) for name, convert in CONVERSIONS.items() if name in properties}


def _versions(value: Any) -> str:
    return ",".join(value if isinstance(value, list) else [value])


def _each(convert: Callable[[Properties], Any]) -> Callable[[Any], Any]:
    def convert_all(items: Any) -> tuple[Any, ...]:
        return tuple([convert(item) for item in items])

    return convert_all


def _category(properties: Properties) -> CategoryRef | Absent:
    return CategoryRef(**properties["ser_category"]) if "ser_category" in properties else ABSENT


def _dependency(properties: Properties) -> ServiceDependency:
    return ServiceDependency(
        ser_name=properties["ser_name"],
        version=properties["version"],
        ser_category=_category(properties),
        ser_transport_dependencies=tuple(map(_transport_need, properties.get("ser_transport_dependencies", ()))),
        requested_permissions=tuple(Permission(**p) for p in properties.get("requested_permissions", ())),
    )


def _produced(properties: Properties) -> ServiceDescriptor:
    offered: list[Properties] = properties.get("transport_supported") or properties.get("transports_supported") or []
    return ServiceDescriptor(
        ser_name=properties["ser_name"],
        version=properties["version"],
        ser_category=_category(properties),
        transports_supported=tuple(
            TransportsSupported(transport=_transport(one["transport"]), serializers=_serializers(one))
            for one in offered
        ),
    )


def _transport_need(properties: Properties) -> TransportDependency:
    wanted = properties["transport_serializer"]
    return TransportDependency(
        transport=_transport(wanted["transport"]),
        serializers=_serializers(wanted),
        labels=tuple(properties["labels"]),
    )


def _serializers(properties: Properties) -> tuple[SerializerType, ...]:
    return tuple(map(SerializerType, properties["serializers"]))


def _transport(properties: Properties) -> TransportDescriptor:
    # MEC 037 has no name for a transport, MEC 010-2 demands one: its type is the name
    kind = TransportType.WEBSOCKET if properties["type"] == "WEBSOCKETS" else TransportType(properties["type"])
    return TransportDescriptor(
        name=kind.value,
        type=kind,
        protocol=properties["protocol"],
        version=properties["version"],
        security=_security(properties["security"]),
    )


def _security(properties: Properties) -> SecurityInfo:
    if not properties:
        return SecurityInfo()
    grants = tuple(map(GrantType, properties.get("oauth2_grant_type", ())))
    endpoint = properties.get("oauth2_token_endpoint", ABSENT)
    return SecurityInfo(o_auth2_info=OAuth2Info(grant_types=grants, token_endpoint=endpoint))


def _traffic_rule(properties: Properties) -> TrafficRuleDescriptor:
    return TrafficRuleDescriptor(
        traffic_rule_id=properties["traffic_rule_id"],
        filter_type=FilterType(properties["filter_type"]),
        priority=properties["priority"],
        traffic_filter=tuple(map(_traffic_filter, properties["traffic_filter"])),
        action=Action(properties["action"]),
        dst_interface=tuple(map(_interface, properties.get("dst_interface", ()))),
    )


def _traffic_filter(properties: Properties) -> TrafficFilter:
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in properties.items()}
    return TrafficFilter(**values)


def _interface(properties: Properties) -> InterfaceDescriptor:
    plain = {k: v for k, v in properties.items() if k not in ("interface_type", "tunnel_info")}
    tunnel = TunnelInfo(**properties["tunnel_info"]) if "tunnel_info" in properties else ABSENT
    return InterfaceDescriptor(interface_type=InterfaceType(properties["interface_type"]), tunnel_info=tunnel, **plain)


def _dns_rule(properties: Properties) -> DNSRuleDescriptor:
    rule = DNSRuleDescriptor(**properties)
    return msgspec.structs.replace(rule, ip_address_type=IpAddressType(properties["ip_address_type"]))


CONVERSIONS: Final[dict[str, Callable[[Any], Any]]] = {
    "mec_version": _versions,
    "app_service_required": _each(_dependency),
    "app_service_optional": _each(_dependency),
    "app_service_produced": _each(_produced),
    "app_feature_required": _each(lambda feature: FeatureDependency(**feature)),
    "app_feature_optional": _each(lambda feature: FeatureDependency(**feature)),
    "transport_dependencies": _each(_transport_need),
    "app_traffic_rule": _each(_traffic_rule),
    "app_dns_rule": _each(_dns_rule),
    "app_latency": lambda latency: LatencyDescriptor(**latency),
    "user_context_transfer_capability": lambda capability: UserContextTransferCapability(**capability),
    "app_network_policy": lambda policy: AppNetworkPolicy(steered_network=SteeredNetwork(**policy)),
}
"""For each property of MecApp, which AppD has under the same name, how its value is converted."""
