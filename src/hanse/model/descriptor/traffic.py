"""Traffic and DNS rules that an application brings along (ETSI GS MEC 010-2 V3.1.1, 6.2.1.9 to 6.2.1.13)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from hanse.kit.values import ABSENT, Absent
from hanse.model.descriptor.base import Part


class FilterType(StrEnum):
    """FLOW: both directions of a flow share one context; PACKET: each packet by itself (6.2.1.9)."""

    FLOW = "FLOW"
    PACKET = "PACKET"


class Action(StrEnum):
    """What happens to traffic that matches (6.2.1.9)."""

    DROP = "DROP"
    FORWARD_DECAPSULATED = "FORWARD_DECAPSULATED"
    FORWARD_ENCAPSULATED = "FORWARD_ENCAPSULATED"
    PASSTHROUGH = "PASSTHROUGH"
    DUPLICATE_DECAPSULATED = "DUPLICATE_DECAPSULATED"
    DUPLICATE_ENCAPSULATED = "DUPLICATE_ENCAPSULATED"


class InterfaceType(StrEnum):
    """Kinds of destination (6.2.1.11)."""

    TUNNEL = "TUNNEL"
    MAC = "MAC"
    IP = "IP"


class IpAddressType(StrEnum):
    """Families of address (6.2.1.13)."""

    IP_V4 = "IP_V4"
    IP_V6 = "IP_V6"


class TrafficFilter(Part, gc=False):
    """What traffic must match; attributes are ANDed, values of one are ORed (6.2.1.10).

    Addresses are an address, prefix or range; ports a port or range; ``direction`` is ``00`` (downlink) or ``01``
    (uplink) and only for FLOW (ETSI GS MEC 037 V3.2.1, 5.2.5.16).
    """

    src_address: tuple[str, ...] = ()
    dst_address: tuple[str, ...] = ()
    src_port: tuple[str, ...] = ()
    dst_port: tuple[str, ...] = ()
    protocol: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    uri: tuple[str, ...] = ()
    packet_label: tuple[str, ...] = ()
    src_tunnel_address: tuple[str, ...] = ()
    tgt_tunnel_address: tuple[str, ...] = ()
    src_tunnel_port: tuple[str, ...] = ()
    dst_tunnel_port: tuple[str, ...] = ()
    qci: int | Absent = msgspec.field(default=ABSENT, name="qCI")
    dscp: int | Absent = msgspec.field(default=ABSENT, name="dSCP")
    tc: int | Absent = msgspec.field(default=ABSENT, name="tC")
    direction: str | Absent = ABSENT


class TunnelInfo(Part, gc=False):
    """A tunnel: ``GTP-U``, ``GRE`` or another type (6.2.1.12)."""

    tunnel_type: str
    tunnel_dst_address: str
    tunnel_src_address: str
    tunnel_specific_data: dict[str, Any] | Absent = ABSENT


class InterfaceDescriptor(Part, gc=False):
    """Where traffic goes; which attributes there are follows from the type (6.2.1.11)."""

    interface_type: InterfaceType
    tunnel_info: TunnelInfo | Absent = ABSENT
    src_mac_address: str | Absent = msgspec.field(default=ABSENT, name="srcMACAddress")
    dst_mac_address: str | Absent = msgspec.field(default=ABSENT, name="dstMACAddress")
    dst_ip_address: str | Absent = msgspec.field(default=ABSENT, name="dstIPAddress")


class TrafficRuleDescriptor(Part, gc=False):
    """A traffic rule. Priority 0 to 255, 0 comes first; of two destinations the first is the UE's side (6.2.1.9)."""

    traffic_rule_id: str
    filter_type: FilterType
    priority: int
    traffic_filter: tuple[TrafficFilter, ...]
    action: Action
    dst_interface: tuple[InterfaceDescriptor, ...] = ()


class DNSRuleDescriptor(Part, gc=False):
    """A DNS record that the platform answers while the application runs; ``ttl`` in seconds (6.2.1.13)."""

    dns_rule_id: str
    domain_name: str
    ip_address_type: IpAddressType
    ip_address: str
    ttl: int | Absent = ABSENT
