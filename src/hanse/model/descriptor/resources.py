"""Compute, containers, storage and images of an application (ETSI GS MEC 010-2 V3.1.1, 6.2.1.3-.5, .22-.25)."""

from __future__ import annotations

from hanse.kit.values import ABSENT, Absent
from hanse.model.descriptor.base import Part

Number = int | float


class ChecksumData(Part):
    """A digest: algorithm ``sha-224``, ``sha-256``, ``sha-384`` or ``sha-512``, and its hexadecimal value."""

    algorithm: str
    hash: str


class SwImageDescriptor(Part):
    """A software image (6.2.1.4). ``sw_image`` is its path in the package or a URL; sizes are in bytes."""

    id: str
    name: str
    version: str
    container_format: str
    sw_image: str
    checksum: ChecksumData | Absent = ABSENT
    disk_format: str | Absent = ABSENT
    min_disk: Number | Absent = ABSENT
    min_ram: Number | Absent = ABSENT
    size: Number | Absent = ABSENT
    operating_system: str | Absent = ABSENT
    supported_virtualisation_environment: tuple[str, ...] = ()


class LogicalNodeRequirements(Part):
    """Requirements on the hardware, by name (6.2.1.24)."""

    id: str
    logical_node_requirement_detail: tuple[str, ...] = ()


class RequestedAdditionalCapabilityData(Part):
    """An additional capability, such as an accelerator (6.2.1.25)."""

    requested_additional_capability_name: str
    support_mandatory: bool
    target_performance_parameters: tuple[dict[str, str], ...]
    min_requested_additional_capability_version: str | Absent = ABSENT
    preferred_requested_additional_capability_version: str | Absent = ABSENT


class VirtualCpuData(Part):
    """Virtual CPUs; the clock is in MHz."""

    num_virtual_cpu: int
    cpu_architecture: str | Absent = ABSENT
    virtual_cpu_clock: Number | Absent = ABSENT
    virtual_cpu_oversubscription_policy: str | Absent = ABSENT


class VirtualMemoryData(Part):
    """Virtual memory, in MB (a million bytes)."""

    virtual_mem_size: Number
    virtual_mem_oversubscription_policy: str | Absent = ABSENT
    numa_enabled: bool | Absent = ABSENT


class VirtualComputeDescriptor(Part):
    """The virtual machine that the application needs (6.2.1.3)."""

    virtual_compute_desc_id: str
    virtual_cpu: VirtualCpuData
    virtual_memory: VirtualMemoryData
    logical_node: tuple[LogicalNodeRequirements, ...] = ()
    request_additional_capabilities: tuple[RequestedAdditionalCapabilityData, ...] = ()
    compute_requirements: tuple[str, ...] = ()


class OsContainerDescriptor(Part):
    """A container (6.2.1.22): CPU in thousandths of a core, memory in MB, ephemeral storage in GB.

    ``sw_image_desc`` is the id of its SwImageDescriptor.
    """

    os_container_desc_id: str
    name: str
    description: str
    sw_image_desc: str
    requested_cpu_resources: int | Absent = ABSENT
    cpu_resource_limit: int | Absent = ABSENT
    requested_memory_resources: Number | Absent = ABSENT
    memory_resource_limit: Number | Absent = ABSENT
    requested_ephemeral_storage_resources: Number | Absent = ABSENT
    ephemeral_storage_resource_limit: Number | Absent = ABSENT


class BlockStorageData(Part):
    """Block storage; size in GB (a billion bytes)."""

    size_of_storage: Number
    rdma_enabled: bool | Absent = ABSENT


class ObjectStorageData(Part):
    """Object storage; largest size in GB."""

    max_size_of_storage: Number | Absent = ABSENT


class FileStorageData(Part):
    """File storage; size in GB, protocol ``nfs`` or ``cifs``."""

    size_of_storage: Number
    file_system_protocol: str


class VirtualStorageDescriptor(Part):
    """Storage: BLOCK, OBJECT or FILE, with the data of that kind (6.2.1.5)."""

    id: str
    type_of_storage: str
    block_storage_data: BlockStorageData | Absent = ABSENT
    object_storage_data: ObjectStorageData | Absent = ABSENT
    file_storage_data: FileStorageData | Absent = ABSENT
    per_vnfc_instance: bool | Absent = ABSENT


class McioIdentificationData(Part):
    """The managed container infrastructure object: its name, and ``Deployment`` or ``StatefulSet`` (6.2.1.23)."""

    name: str
    type: str
