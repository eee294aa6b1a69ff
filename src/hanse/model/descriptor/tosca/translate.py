"""From a sound template to AppD (ETSI GS MEC 037 V3.2.1, table 5.2.2-1)."""

from __future__ import annotations

from typing import Any, Final

from hanse.kit.values import ABSENT
from hanse.model.descriptor.application import AppD
from hanse.model.descriptor.behaviour import (
    AppExternalCpd,
    ChangeAppInstanceStateOpConfig,
    TerminateAppInstanceOpConfig,
)
from hanse.model.descriptor.tosca import mec_attributes, scalars
from hanse.model.descriptor.tosca.nfv_types import COMPUTE, DEPLOYABLE_UNIT, MCIOP, MEC_APP_TYPE, VDU_CP
from hanse.model.descriptor.tosca.nodes import Node
from hanse.model.descriptor.tosca.resources import (
    compute,
    containers,
    deployable_unit,
    images,
    storages,
)
from hanse.model.descriptor.tosca.topology_rules import of_kind

LAYERS: Final = {
    "ethernet": "Ethernet",
    "mpls": "MPLS",
    "odu2": "ODU2",
    "ipv4": "IPV4",
    "ipv6": "IPV6",
    "pseudo-wire": "Pseudo-Wire",
}
"""Protocol layers as NFV-SOL 001 and as NFV-IFA 011 (and so MEC 010-2) spell them."""


def translate(nodes: list[Node]) -> AppD:
    """The AppD of a template in which no rule is broken."""
    [application] = of_kind(nodes, MEC_APP_TYPE)
    properties = application.properties
    return AppD(
        app_d_id=properties["descriptor_id"],
        app_name=properties["product_name"],
        app_provider=properties["provider"],
        app_soft_version=properties["software_version"],
        app_d_version=properties["descriptor_version"],
        app_description=properties["product_info_description"],
        app_info_name=properties.get("product_info_name", ABSENT),
        sw_image_descriptor=images(nodes),
        app_ext_cpd=tuple(_connection_point(node) for node in of_kind(nodes, VDU_CP)),
        virtual_storage_descriptor=storages(nodes),
        **mec_attributes.attributes(properties),
        **_operations(properties.get("lcm_operations_configuration", {})),
        **_realisation(nodes),
    )


def _connection_point(node: Node) -> AppExternalCpd:
    return AppExternalCpd(
        cpd_id=node.name,
        layer_protocol=tuple(LAYERS[layer] for layer in node.properties["layer_protocols"]),
        cp_role=node.properties.get("role", ABSENT),
        description=node.properties.get("description", ABSENT),
        trunk_mode=node.properties.get("trunk_mode", ABSENT),
    )


def _operations(configuration: dict[str, Any]) -> dict[str, Any]:
    """Times of graceful ends, in seconds."""
    found: dict[str, Any] = {}
    if "terminate" in configuration:
        times = _times(configuration["terminate"])
        found["terminate_app_instance_op_config"] = TerminateAppInstanceOpConfig(**times)
    if "operate" in configuration:
        times = _times(configuration["operate"])
        found["change_app_instance_state_op_config"] = ChangeAppInstanceStateOpConfig(**times)
    return found


def _times(properties: dict[str, str]) -> dict[str, Any]:
    return {name: scalars.time(text) for name, text in properties.items()}


def _realisation(nodes: list[Node]) -> dict[str, Any]:
    [unit] = of_kind(nodes, COMPUTE, DEPLOYABLE_UNIT)
    if unit.kind == COMPUTE:
        return {"virtual_compute_descriptor": compute(unit)}
    chart = next(node for node in of_kind(nodes, MCIOP) if unit.name in node.targets("associatedVdu"))
    return {"os_container_descriptor": containers(nodes), "mciop_id": chart.name, **deployable_unit(unit)}
