"""How an application connects, ends, and follows its users (ETSI GS MEC 010-2 V3.1.1, 6.2.1.6, .14-.16, .20, .21)."""

from __future__ import annotations

import msgspec

from hanse.kit.values import ABSENT, Absent
from hanse.model.descriptor.base import Part
from hanse.model.descriptor.resources import Number


class ServicePortData(Part):
    """A port of the application: protocol TCP, UDP or SCTP."""

    name: str
    protocol: str
    port: int
    port_configurable: bool


class AdditionalServiceData(Part):
    """Ports that an external connection point serves."""

    port_data: tuple[ServicePortData, ...]
    service_data: str | Absent = ABSENT


class VirtualNetworkInterfaceRequirements(Part):
    """Requirements on a network interface."""

    name: str | Absent = ABSENT
    description: str | Absent = ABSENT
    network_interface_requirements: dict[str, str] | Absent = ABSENT


class AppExternalCpd(Part):
    """An external connection point, with the attributes of Cpd flat in it (6.2.1.6)."""

    cpd_id: str
    layer_protocol: tuple[str, ...]
    cp_role: str | Absent = ABSENT
    description: str | Absent = ABSENT
    trunk_mode: bool | Absent = ABSENT
    virtual_network_interface_requirements: tuple[VirtualNetworkInterfaceRequirements, ...] = ()
    additional_service_data: tuple[AdditionalServiceData, ...] = ()


class LatencyDescriptor(Part):
    """The longest latency that is bearable, one way, in nanoseconds (6.2.1.14)."""

    max_latency: int


class TerminateAppInstanceOpConfig(Part):
    """Times for a graceful termination, in seconds (6.2.1.15)."""

    min_graceful_termination_timeout: Number
    max_recommended_graceful_termination_timeout: Number | Absent = ABSENT
    parameter: tuple[str, ...] = ()


class ChangeAppInstanceStateOpConfig(Part):
    """Times for a graceful stop, in seconds (6.2.1.16)."""

    min_graceful_stop_timeout: Number
    max_recommended_graceful_stop_timeout: Number | Absent = ABSENT
    parameter: tuple[str, ...] = ()


class UserContextTransferCapability(Part):
    """Whether the application keeps user context, and then whether it can hand it over (6.2.1.20)."""

    stateful_application: bool
    user_context_transfer_support: bool | Absent = ABSENT


class SteeredNetwork(Part):
    """Access networks whose traffic the application wants; JSON spells one of them ``wi-fiNetwork``."""

    cellular_network: bool | Absent = ABSENT
    wifi_network: bool | Absent = msgspec.field(default=ABSENT, name="wi-fiNetwork")
    fixed_access_network: bool | Absent = ABSENT


class AppNetworkPolicy(Part):
    """Network steering (6.2.1.21)."""

    steered_network: SteeredNetwork
