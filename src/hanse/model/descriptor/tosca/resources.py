"""Compute, containers, storage and images of a sound template (ETSI GS MEC 037 V3.2.1, table 5.2.2-1)."""

from __future__ import annotations

from typing import Any

from hanse.kit.values import ABSENT
from hanse.model.descriptor.resources import (
    BlockStorageData,
    ChecksumData,
    FileStorageData,
    LogicalNodeRequirements,
    McioIdentificationData,
    ObjectStorageData,
    OsContainerDescriptor,
    RequestedAdditionalCapabilityData,
    SwImageDescriptor,
    VirtualComputeDescriptor,
    VirtualCpuData,
    VirtualMemoryData,
    VirtualStorageDescriptor,
)
from hanse.model.descriptor.tosca import scalars
from hanse.model.descriptor.tosca.nfv_types import BLOCK_STORAGE, FILE_STORAGE, OBJECT_STORAGE, OS_CONTAINER
from hanse.model.descriptor.tosca.nodes import Node
from hanse.model.descriptor.tosca.topology_rules import images_of, of_kind


def _sized(properties: dict[str, Any], name: str, unit: str = "B") -> Any:
    return scalars.size(properties[name], unit) if name in properties else ABSENT


def image_id(node: Node, artifact: str) -> str:
    """The id of an image: artifact names are unique only within their node."""
    return f"{node.name}.{artifact}"


def images(nodes: list[Node]) -> tuple[SwImageDescriptor, ...]:
    """All software images."""
    return tuple(_image(image_id(node, name), body) for node, name, body in images_of(nodes))


def _image(identifier: str, artifact: dict[str, Any]) -> SwImageDescriptor:
    properties = artifact["properties"]
    return SwImageDescriptor(
        id=identifier,
        name=properties["name"],
        version=properties["version"],
        container_format=properties["container_format"],
        sw_image=artifact["file"],
        checksum=ChecksumData(**properties["checksum"]) if "checksum" in properties else ABSENT,
        disk_format=properties.get("disk_format", ABSENT),
        min_disk=_sized(properties, "min_disk"),
        min_ram=_sized(properties, "min_ram"),
        size=_sized(properties, "size"),
        operating_system=properties.get("operating_system", ABSENT),
        supported_virtualisation_environment=tuple(properties.get("supported_virtualisation_environments", ())),
    )


def compute(node: Node) -> VirtualComputeDescriptor:
    """The virtual machine."""
    properties = node.part("capabilities")["virtual_compute"]["properties"]
    cpu, memory = properties["virtual_cpu"], properties["virtual_memory"]
    return VirtualComputeDescriptor(
        virtual_compute_desc_id=node.name,
        virtual_cpu=VirtualCpuData(
            num_virtual_cpu=cpu["num_virtual_cpu"], cpu_architecture=cpu.get("cpu_architecture", ABSENT)
        ),
        virtual_memory=VirtualMemoryData(
            virtual_mem_size=scalars.size(memory["virtual_mem_size"], "MB"),
            numa_enabled=memory.get("numa_enabled", ABSENT),
        ),
    )


def containers(nodes: list[Node]) -> tuple[OsContainerDescriptor, ...]:
    """All containers, each with the id of its image."""
    return tuple(_container(node) for node in of_kind(nodes, OS_CONTAINER))


def _container(node: Node) -> OsContainerDescriptor:
    properties = node.properties
    [(_, artifact, _)] = images_of([node])
    return OsContainerDescriptor(
        os_container_desc_id=node.name,
        name=properties["name"],
        description=properties["description"],
        sw_image_desc=image_id(node, artifact),
        requested_cpu_resources=properties.get("requested_cpu_resources", ABSENT),
        cpu_resource_limit=properties.get("cpu_resource_limit", ABSENT),
        requested_memory_resources=_sized(properties, "requested_memory_resources", "MB"),
        memory_resource_limit=_sized(properties, "memory_resource_limit", "MB"),
        requested_ephemeral_storage_resources=_sized(properties, "requested_ephemeral_storage_resources", "GB"),
        ephemeral_storage_resource_limit=_sized(properties, "ephemeral_storage_resource_limit", "GB"),
    )


def deployable_unit(node: Node) -> dict[str, Any]:
    """What AppD says of containers beside the containers themselves, by attribute."""
    properties = node.properties
    capabilities = properties.get("requested_additional_capabilities", {})
    return {
        "mcio_identification_data": McioIdentificationData(**properties["mcio_identification_data"]),
        "mcio_constraint_params": tuple(_camel(name) for name in properties.get("mcio_constraint_params", ())),
        "logical_node": tuple(
            LogicalNodeRequirements(id=name, logical_node_requirement_detail=_details(data))
            for name, data in properties.get("logical_node", {}).items()
        ),
        "request_additional_capabilities": tuple(_capability(name, data) for name, data in capabilities.items()),
    }


def _details(data: dict[str, Any]) -> tuple[str, ...]:
    wanted = data.get("logical_node_requirements") or {}
    return tuple(f"{key}={value}" for key, value in wanted.items()) if isinstance(wanted, dict) else ()


def _capability(name: str, data: dict[str, Any]) -> RequestedAdditionalCapabilityData:
    targets = data.get("target_performance_parameters") or {}
    return RequestedAdditionalCapabilityData(
        requested_additional_capability_name=str(data.get("requested_additional_capability_name", name)),
        support_mandatory=bool(data.get("support_mandatory", True)),
        target_performance_parameters=tuple({str(k): str(v)} for k, v in targets.items()),
    )


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def storages(nodes: list[Node]) -> tuple[VirtualStorageDescriptor, ...]:
    """All storage nodes."""
    return tuple(_storage(node) for node in of_kind(nodes, BLOCK_STORAGE, OBJECT_STORAGE, FILE_STORAGE))


def _storage(node: Node) -> VirtualStorageDescriptor:
    properties = node.properties
    block = properties.get("virtual_block_storage_data")
    objects = properties.get("virtual_object_storage_data")
    files = properties.get("virtual_file_storage_data")
    kinds = {BLOCK_STORAGE: "BLOCK", OBJECT_STORAGE: "OBJECT", FILE_STORAGE: "FILE"}
    return VirtualStorageDescriptor(
        id=node.name,
        type_of_storage=kinds[node.kind],
        per_vnfc_instance=properties.get("per_vnfc_instance", ABSENT),
        block_storage_data=ABSENT
        if block is None
        else BlockStorageData(
            size_of_storage=_sized(block, "size_of_storage", "GB"), rdma_enabled=block.get("rdma_enabled", ABSENT)
        ),
        object_storage_data=ABSENT
        if objects is None
        else ObjectStorageData(max_size_of_storage=_sized(objects, "max_size_of_storage", "GB")),
        file_storage_data=ABSENT
        if files is None
        else FileStorageData(
            size_of_storage=_sized(files, "size_of_storage", "GB"), file_system_protocol=files["file_system_protocol"]
        ),
    )
