"""The application descriptor (AppD, ETSI GS MEC 010-2 V3.1.1, 6.2.1.2)."""

from __future__ import annotations

import msgspec

from hanse.kit.values import ABSENT, Absent
from hanse.model.descriptor.base import Part
from hanse.model.descriptor.behaviour import (
    AppExternalCpd,
    AppNetworkPolicy,
    ChangeAppInstanceStateOpConfig,
    LatencyDescriptor,
    TerminateAppInstanceOpConfig,
    UserContextTransferCapability,
)
from hanse.model.descriptor.resources import (
    LogicalNodeRequirements,
    McioIdentificationData,
    OsContainerDescriptor,
    RequestedAdditionalCapabilityData,
    SwImageDescriptor,
    VirtualComputeDescriptor,
    VirtualStorageDescriptor,
)
from hanse.model.descriptor.services import FeatureDependency, ServiceDependency, ServiceDescriptor, TransportDependency
from hanse.model.descriptor.traffic import DNSRuleDescriptor, TrafficRuleDescriptor

DEFAULT_MEMORY = 256 * 1024 * 1024
DEFAULT_CPU_MILLI = 1000


class AppD(Part):
    """What an application is, needs and offers.

    ``mec_version`` is one string of comma-separated ``x.y.z``. Exactly one of ``virtual_compute_descriptor`` and
    ``os_container_descriptor`` is there (note 5).
    """

    app_d_id: str
    app_name: str
    app_provider: str
    app_soft_version: str
    app_d_version: str
    mec_version: str
    app_description: str
    sw_image_descriptor: tuple[SwImageDescriptor, ...]
    app_ext_cpd: tuple[AppExternalCpd, ...]
    app_info_name: str | Absent = ABSENT
    virtual_compute_descriptor: VirtualComputeDescriptor | Absent = ABSENT
    os_container_descriptor: tuple[OsContainerDescriptor, ...] = ()
    virtual_storage_descriptor: tuple[VirtualStorageDescriptor, ...] = ()
    app_service_required: tuple[ServiceDependency, ...] = ()
    app_service_optional: tuple[ServiceDependency, ...] = ()
    app_service_produced: tuple[ServiceDescriptor, ...] = ()
    app_feature_required: tuple[FeatureDependency, ...] = ()
    app_feature_optional: tuple[FeatureDependency, ...] = ()
    transport_dependencies: tuple[TransportDependency, ...] = ()
    app_traffic_rule: tuple[TrafficRuleDescriptor, ...] = ()
    app_dns_rule: tuple[DNSRuleDescriptor, ...] = msgspec.field(default=(), name="appDNSRule")
    app_latency: LatencyDescriptor | Absent = ABSENT
    terminate_app_instance_op_config: TerminateAppInstanceOpConfig | Absent = ABSENT
    change_app_instance_state_op_config: ChangeAppInstanceStateOpConfig | Absent = ABSENT
    user_context_transfer_capability: UserContextTransferCapability | Absent = ABSENT
    app_network_policy: AppNetworkPolicy | Absent = ABSENT
    mciop_id: str | Absent = ABSENT
    mcio_identification_data: McioIdentificationData | Absent = ABSENT
    logical_node: tuple[LogicalNodeRequirements, ...] = ()
    request_additional_capabilities: tuple[RequestedAdditionalCapabilityData, ...] = ()
    mcio_constraint_params: tuple[str, ...] = ()

    @property
    def mec_versions(self) -> tuple[str, ...]:
        """The versions of MEC 010-2 that the descriptor names, spaces trimmed."""
        return tuple(version.strip() for version in self.mec_version.split(","))

    @property
    def needs(self) -> tuple[int, int]:
        """Memory in bytes and processors in thousandths of a core that one instance takes, also if it does not say."""
        compute = self.virtual_compute_descriptor
        if isinstance(compute, Absent):
            return DEFAULT_MEMORY, DEFAULT_CPU_MILLI
        memory = int(compute.virtual_memory.virtual_mem_size * 1_000_000)
        return memory, compute.virtual_cpu.num_virtual_cpu * 1000
