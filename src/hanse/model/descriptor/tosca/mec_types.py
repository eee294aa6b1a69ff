"""The types of MEC, ``tosca.datatypes.mec.*`` and ``tosca.nodes.mec.MecApp`` (ETSI GS MEC 037 V3.2.1, 5.2.4, 5.2.5)."""

from __future__ import annotations

from typing import Final

from hanse.model.descriptor.services import GrantType, SerializerType, TransportType
from hanse.model.descriptor.tosca.types import FLAG, TEXT, TEXTS, ListOf, OneOf, Shape, Text, Whole, each
from hanse.model.descriptor.traffic import Action, FilterType, InterfaceType, IpAddressType

POSITIVE: Final = Whole(1)
MEC_VERSION: Final = Text(pattern=r"[0-9]?[0-9]\.[0-9]?[0-9]\.[0-9]?[0-9]", why="a version x.y.z")
MEC_VERSIONS: Final = Text(pattern=r"[0-9., ]+", why="versions x.y.z with commas between")

CATEGORY: Final = Shape({"href": TEXT, "id": TEXT, "name": TEXT, "version": TEXT})
PERMISSION: Final = Shape({"id": TEXT}, {"display_name": TEXT})
SECURITY: Final = Shape({}, {"oauth2_grant_type": ListOf(Text(tuple(GrantType))), "oauth2_token_endpoint": TEXT})
TRANSPORT: Final = Shape(
    {
        # the document's own examples write the plural
        "type": Text((*TransportType, "WEBSOCKETS")),
        "protocol": TEXT,
        "version": TEXT,
        "security": SECURITY,
    }
)
TRANSPORT_SERIALIZER: Final = Shape({"transport": TRANSPORT, "serializers": ListOf(Text(tuple(SerializerType)))})
TRANSPORT_DEPENDENCY: Final = Shape({"transport_serializer": TRANSPORT_SERIALIZER, "labels": TEXTS})
SERVICE_DEPENDENCY: Final = Shape(
    {"ser_name": TEXT, "version": TEXT},
    {
        "ser_category": CATEGORY,
        "ser_transport_dependencies": ListOf(TRANSPORT_DEPENDENCY),
        "requested_permissions": ListOf(PERMISSION),
    },
)
SERVICE_DESCRIPTOR: Final = Shape(
    {"ser_name": TEXT, "version": TEXT},
    {
        "ser_category": CATEGORY,
        "transport_supported": ListOf(TRANSPORT_SERIALIZER),
        "transports_supported": ListOf(TRANSPORT_SERIALIZER),
    },
)
FEATURE_DEPENDENCY: Final = Shape({"feature_name": TEXT, "version": TEXT})
TUNNEL_INFO: Final = Shape(
    {"tunnel_type": Text(("GTP-U", "GRE")), "tunnel_dst_address": TEXT, "tunnel_src_address": TEXT}
)
INTERFACE: Final = Shape(
    {"interface_type": Text(tuple(InterfaceType))},
    {"tunnel_info": TUNNEL_INFO, "src_mac_address": TEXT, "dst_mac_address": TEXT, "dst_ip_address": TEXT},
)
_FILTER_LISTS: Final = (
    "src_address",
    "dst_address",
    "src_port",
    "dst_port",
    "protocol",
    "tag",
    "src_tunnel_address",
    "tgt_tunnel_address",
    "src_tunnel_port",
    "dst_tunnel_port",
)
TRAFFIC_FILTER: Final = Shape(
    {},
    {**each(_FILTER_LISTS, TEXTS), "direction": Text(("00", "01")), "qci": POSITIVE, "dscp": Whole(), "tc": Whole()},
)
TRAFFIC_RULE: Final = Shape(
    {
        "traffic_rule_id": TEXT,
        "filter_type": Text(tuple(FilterType)),
        "priority": Whole(0),
        "traffic_filter": ListOf(TRAFFIC_FILTER),
        "action": Text(tuple(Action)),
    },
    {"dst_interface": ListOf(INTERFACE, longest=2)},
)
DNS_RULE: Final = Shape(
    {"dns_rule_id": TEXT, "domain_name": TEXT, "ip_address_type": Text(tuple(IpAddressType)), "ip_address": TEXT},
    {"ttl": POSITIVE},
)
LATENCY: Final = Shape({"max_latency": POSITIVE})
CONTEXT_TRANSFER: Final = Shape({"stateful_application": FLAG}, {"user_context_transfer_support": FLAG})
NETWORK_POLICY: Final = Shape({}, {"cellular_network": FLAG, "wifi_network": FLAG, "fixed_access_network": FLAG})

MEC_APP: Final = Shape(
    {"mec_version": OneOf((ListOf(MEC_VERSION), MEC_VERSIONS))},
    {
        "app_service_required": ListOf(SERVICE_DEPENDENCY),
        "app_service_optional": ListOf(SERVICE_DEPENDENCY),
        "app_service_produced": ListOf(SERVICE_DESCRIPTOR),
        "app_feature_required": ListOf(FEATURE_DEPENDENCY),
        "app_feature_optional": ListOf(FEATURE_DEPENDENCY),
        "transport_dependencies": ListOf(TRANSPORT_DEPENDENCY),
        "app_traffic_rule": ListOf(TRAFFIC_RULE),
        "app_dns_rule": ListOf(DNS_RULE),
        "app_latency": LATENCY,
        "user_context_transfer_capability": CONTEXT_TRANSFER,
        "app_network_policy": NETWORK_POLICY,
    },
)
