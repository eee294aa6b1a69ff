"""The types of NFV that an AppD uses, as far as we check them (ETSI GS NFV-SOL 001 V4.4.1, clause 6)."""

from __future__ import annotations

from typing import Final

from hanse.model.descriptor.tosca.mec_types import MEC_APP
from hanse.model.descriptor.tosca.types import (
    ANYTHING,
    FLAG,
    SIZE,
    TEXT,
    TEXTS,
    TIME,
    ListOf,
    MapOf,
    Shape,
    Text,
    Type,
    Whole,
    each,
)

MEC_APP_TYPE: Final = "tosca.nodes.mec.MecApp"
COMPUTE: Final = "tosca.nodes.nfv.Vdu.Compute"
OS_CONTAINER: Final = "tosca.nodes.nfv.Vdu.OsContainer"
DEPLOYABLE_UNIT: Final = "tosca.nodes.nfv.Vdu.OsContainerDeployableUnit"
BLOCK_STORAGE: Final = "tosca.nodes.nfv.Vdu.VirtualBlockStorage"
OBJECT_STORAGE: Final = "tosca.nodes.nfv.Vdu.VirtualObjectStorage"
FILE_STORAGE: Final = "tosca.nodes.nfv.Vdu.VirtualFileStorage"
VDU_CP: Final = "tosca.nodes.nfv.VduCp"
MCIOP: Final = "tosca.nodes.nfv.Mciop"
SW_IMAGE: Final = "tosca.artifacts.nfv.SwImage"
HELM_CHART: Final = "tosca.artifacts.nfv.HelmChart"
LEVELS: Final = "tosca.policies.nfv.InstantiationLevels"
VDU_LEVELS: Final = "tosca.policies.nfv.VduInstantiationLevels"

VNFM_INFO: Final = ListOf(
    Text(
        pattern=r"etsivnfm:v[0-9]?[0-9]\.[0-9]?[0-9]\.[0-9]?[0-9]|[0-9]+:[a-zA-Z0-9.-]+",
        why="etsivnfm:vX.Y.Z or <number>:<token>",
    )
)
FIXED: Final[dict[str, Type]] = {
    "descriptor_id": TEXT,
    "provider": TEXT,
    "product_name": TEXT,
    "software_version": TEXT,
    "descriptor_version": TEXT,
    "vnfm_info": VNFM_INFO,
}
"""Properties that the application's node type fixes by default and constraint (ETSI GS MEC 037 V3.2.1, 5.2.3.3 b))."""

_OPERATIONS: Final = Shape(
    {},
    {
        "terminate": Shape(
            {"min_graceful_termination_timeout": TIME}, {"max_recommended_graceful_termination_timeout": TIME}
        ),
        "operate": Shape({"min_graceful_stop_timeout": TIME}, {"max_recommended_graceful_stop_timeout": TIME}),
    },
    open=True,
)
_UNREAD: Final = (
    "configurable_properties",
    "default_localization_language",
    "localization_languages",
    "modifiable_attributes",
    "monitoring_parameters",
    "vnf_profile",
)
APPLICATION: Final = Shape(
    {
        **FIXED,
        **MEC_APP.required,
        "flavour_id": Text(("simple",)),
        "flavour_description": TEXT,
        "product_info_description": TEXT,
    },
    {
        **MEC_APP.optional,
        **each(_UNREAD, ANYTHING),
        "product_info_name": TEXT,
        "lcm_operations_configuration": _OPERATIONS,
        "ext_invariant_id": TEXT,
    },
)
PROFILE: Final = Shape(
    {"min_number_of_instances": Whole(0), "max_number_of_instances": Whole(0)}, {"nfvi_maintenance_info": ANYTHING}
)
_CPU: Final = Shape({"num_virtual_cpu": Whole(1)}, {"cpu_architecture": TEXT}, open=True)
_MEMORY: Final = Shape({"virtual_mem_size": SIZE}, {"numa_enabled": FLAG}, open=True)
VIRTUAL_COMPUTE: Final = Shape({"virtual_cpu": _CPU, "virtual_memory": _MEMORY}, open=True)
_MCIO: Final = Shape({"name": TEXT, "type": Text(("Deployment", "StatefulSet"))})
_LAYER: Final = Text(("ethernet", "mpls", "odu2", "ipv4", "ipv6", "pseudo-wire"))
_BLOCK: Final = Shape({"size_of_storage": SIZE}, {"rdma_enabled": FLAG}, open=True)
_FILE: Final = Shape({"size_of_storage": SIZE, "file_system_protocol": Text(("nfs", "cifs"))}, open=True)
_STORAGE: Final[dict[str, Type]] = {"per_vnfc_instance": FLAG, "nfvi_maintenance_info": ANYTHING}
_VDU_UNREAD: Final = ("nfvi_constraints", "monitoring_parameters", "configurable_properties", "boot_data")

NODES: Final[dict[str, Shape]] = {
    MEC_APP_TYPE: APPLICATION,
    COMPUTE: Shape(
        {"name": TEXT, "description": TEXT, "vdu_profile": PROFILE},
        {"boot_order": FLAG, **each(_VDU_UNREAD, ANYTHING)},
    ),
    OS_CONTAINER: Shape(
        {"name": TEXT, "description": TEXT},
        {
            **each(("requested_cpu_resources", "cpu_resource_limit"), Whole(0)),
            **each(("requested_memory_resources", "memory_resource_limit"), SIZE),
            **each(("requested_ephemeral_storage_resources", "ephemeral_storage_resource_limit"), SIZE),
            **each(("extended_resource_requests", "huge_pages_resources", "boot_data"), ANYTHING),
            **each(("cpu_pinning_requirements", "monitoring_parameters"), ANYTHING),
        },
    ),
    DEPLOYABLE_UNIT: Shape(
        {"name": TEXT, "description": TEXT, "vdu_profile": PROFILE, "mcio_identification_data": _MCIO},
        {
            **each(("logical_node", "requested_additional_capabilities"), MapOf(Shape(open=True))),
            "mcio_constraint_params": TEXTS,
            **each(_VDU_UNREAD, ANYTHING),
        },
    ),
    BLOCK_STORAGE: Shape({"virtual_block_storage_data": _BLOCK}, _STORAGE),
    OBJECT_STORAGE: Shape(
        {"virtual_object_storage_data": Shape({}, {"max_size_of_storage": SIZE}, open=True)}, _STORAGE
    ),
    FILE_STORAGE: Shape({"virtual_file_storage_data": _FILE}, _STORAGE),
    VDU_CP: Shape(
        {"layer_protocols": ListOf(_LAYER)},
        {
            **each(("description", "ip_stack_mode", "vnic_type"), TEXT),
            **each(("order", "bitrate_requirement"), Whole(0)),
            **each(("protocol", "virtual_network_interface_requirements"), ListOf(ANYTHING)),
            "role": Text(("root", "leaf")),
            "trunk_mode": FLAG,
        },
    ),
    MCIOP: Shape(),
}
"""The node types that may be in a template, with their properties."""

IMAGE: Final = Shape(
    {"name": TEXT, "version": TEXT, "container_format": Text(("aki", "ami", "ari", "bare", "docker", "ova", "ovf"))},
    {
        "provider": TEXT,
        "checksum": Shape({"algorithm": Text(("sha-224", "sha-256", "sha-384", "sha-512")), "hash": TEXT}),
        "disk_format": Text(("aki", "ami", "ari", "iso", "qcow2", "raw", "vdi", "vhd", "vhdx", "vmdk")),
        "min_disk": SIZE,
        "min_ram": SIZE,
        "size": SIZE,
        "operating_system": TEXT,
        "supported_virtualisation_environments": TEXTS,
    },
)
