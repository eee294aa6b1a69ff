"""Service templates for the tests of descriptors: one of a virtual machine, one of containers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import yaml

Edit = Callable[[dict[str, Any]], None]
APPLICATION = "org.example.hello.1_0"
IDENTITY: dict[str, Any] = {
    "descriptor_id": "7b0b6a52-1c2d-4f6e-9f0e-3a5d7c9b1e24",
    "provider": "Example",
    "product_name": "hello",
    "software_version": "1.0",
    "descriptor_version": "1.0",
}
IMAGE: dict[str, Any] = {"name": "hello", "version": "1.0", "container_format": "bare"}
REST: dict[str, Any] = {
    "transport": {
        "type": "REST_HTTP",
        "protocol": "HTTP",
        "version": "1.1",
        "security": {
            "oauth2_grant_type": ["OAUTH2_CLIENT_CREDENTIALS"],
            "oauth2_token_endpoint": "https://auth.example/token",
        },
    },
    "serializers": ["JSON"],
}
MEC: dict[str, Any] = {
    "app_service_required": [
        {
            "ser_name": "RNIS",
            "version": "3.1.1",
            "requested_permissions": [{"id": "rab_info"}],
            "ser_transport_dependencies": [{"transport_serializer": REST, "labels": ["a"]}],
        }
    ],
    "app_service_produced": [
        {
            "ser_name": "cam-objects",
            "version": "2.1",
            "ser_category": {"href": "https://example.com/video", "id": "video", "name": "Video", "version": "1"},
            "transport_supported": [REST],
        }
    ],
    "app_feature_optional": [{"feature_name": "UEIdentity", "version": "1.0"}],
    "transport_dependencies": [{"transport_serializer": REST, "labels": ["a"]}],
    "app_traffic_rule": [
        {
            "traffic_rule_id": "to-cam",
            "filter_type": "FLOW",
            "priority": 10,
            "traffic_filter": [{"direction": "01", "dst_address": ["198.51.100.7"], "dst_port": ["8554"]}],
            "action": "FORWARD_DECAPSULATED",
            "dst_interface": [{"interface_type": "IP", "dst_ip_address": "192.0.2.10"}],
        },
        {
            "traffic_rule_id": "tap",
            "filter_type": "PACKET",
            "priority": 200,
            "traffic_filter": [{"qci": 9, "dscp": 1, "tc": 2, "tgt_tunnel_address": ["192.0.2.1"]}],
            "action": "DUPLICATE_DECAPSULATED",
            "dst_interface": [
                {
                    "interface_type": "TUNNEL",
                    "tunnel_info": {
                        "tunnel_type": "GTP-U",
                        "tunnel_dst_address": "192.0.2.21",
                        "tunnel_src_address": "192.0.2.20",
                    },
                },
                {
                    "interface_type": "MAC",
                    "src_mac_address": "02:00:00:00:00:01",
                    "dst_mac_address": "02:00:00:00:00:02",
                },
            ],
        },
    ],
    "app_dns_rule": [
        {
            "dns_rule_id": "cam-v4",
            "domain_name": "cam.example.com",
            "ip_address_type": "IP_V4",
            "ip_address": "192.0.2.10",
            "ttl": 60,
        }
    ],
    "app_latency": {"max_latency": 20000000},
    "user_context_transfer_capability": {"stateful_application": True, "user_context_transfer_support": True},
    "app_network_policy": {"cellular_network": True, "wifi_network": False},
    "lcm_operations_configuration": {
        "terminate": {
            "min_graceful_termination_timeout": "10 s",
            "max_recommended_graceful_termination_timeout": "2 m",
        },
        "operate": {"min_graceful_stop_timeout": "500 ms"},
    },
}


def _application_type() -> dict[str, Any]:
    fixed: dict[str, Any] = {
        key: {"type": "string", "constraints": [{"equal": value}], "default": value} for key, value in IDENTITY.items()
    }
    fixed["vnfm_info"] = {
        "type": "list",
        "entry_schema": {"type": "string", "constraints": [{"equal": "etsivnfm:v2.3.1"}]},
        "default": ["etsivnfm:v2.3.1"],
    }
    return {"derived_from": "tosca.nodes.mec.MecApp", "properties": fixed}


def _policies(unit: str) -> list[dict[str, Any]]:
    levels = {"levels": {"only": {"description": "the one level"}}}
    instances = {"levels": {"only": {"number_of_instances": 1}}}
    return [
        {"levels": {"type": "tosca.policies.nfv.InstantiationLevels", "properties": levels}},
        {
            "vdu_levels": {
                "type": "tosca.policies.nfv.VduInstantiationLevels",
                "properties": instances,
                "targets": [unit],
            }
        },
    ]


def _template(unit: str, nodes: dict[str, Any], **properties: Any) -> dict[str, Any]:
    application = {"mec_version": ["3.1.1"], "product_info_description": "says hello"} | properties
    point = {
        "type": "tosca.nodes.nfv.VduCp",
        "properties": {"layer_protocols": ["ipv4"], "role": "leaf"},
        "requirements": [{"virtual_binding": unit}],
    }
    return {
        "tosca_definitions_version": "tosca_simple_yaml_1_3",
        "imports": ["MecAppDTypes.yaml"],
        "node_types": {APPLICATION: _application_type()},
        "topology_template": {
            "substitution_mappings": {
                "node_type": APPLICATION,
                "requirements": {"virtual_link": ["cp", "virtual_link"]},
            },
            "node_templates": {"app": {"type": APPLICATION, "properties": application}, **nodes, "cp": point},
            "policies": _policies(unit),
        },
    }


PROFILE = {"min_number_of_instances": 1, "max_number_of_instances": 1}


def machine() -> dict[str, Any]:
    """The smallest template: a virtual machine with one image."""
    checksum = {"algorithm": "sha-256", "hash": "0" * 64}
    vm_image = IMAGE | {"checksum": checksum, "disk_format": "qcow2", "min_disk": "1 GB", "size": "200 MB"}
    unit = {
        "type": "tosca.nodes.nfv.Vdu.Compute",
        "properties": {"name": "", "description": "", "boot_order": False, "vdu_profile": PROFILE},
        "capabilities": {
            "virtual_compute": {
                "properties": {
                    "virtual_cpu": {"num_virtual_cpu": 1},
                    "virtual_memory": {"virtual_mem_size": "512 MiB"},
                }
            }
        },
        "artifacts": {
            "image": {"type": "tosca.artifacts.nfv.SwImage", "file": "Artifacts/Images/a.qcow2", "properties": vm_image}
        },
    }
    return copy.deepcopy(_template("vm", {"vm": unit}))


def containers() -> dict[str, Any]:
    """A template with containers and every property of MEC."""
    container = {
        "type": "tosca.nodes.nfv.Vdu.OsContainer",
        "properties": {"name": "cam", "description": "analytics", "requested_memory_resources": "256 MB"},
        "artifacts": {
            "image": {"type": "tosca.artifacts.nfv.SwImage", "file": "Artifacts/Images/cam.tar", "properties": IMAGE}
        },
    }
    unit = {
        "type": "tosca.nodes.nfv.Vdu.OsContainerDeployableUnit",
        "properties": {
            "name": "pod",
            "description": "one pod",
            "vdu_profile": PROFILE,
            "mcio_identification_data": {"name": "cam", "type": "Deployment"},
            "mcio_constraint_params": ["local_affinity_cis_node"],
        },
        "requirements": [{"container": "container"}, {"virtual_storage": "disk"}],
    }
    nodes = {
        "container": container,
        "pod": unit,
        "disk": {
            "type": "tosca.nodes.nfv.Vdu.VirtualBlockStorage",
            "properties": {"virtual_block_storage_data": {"size_of_storage": "5 GB"}},
        },
        "chart": {
            "type": "tosca.nodes.nfv.Mciop",
            "artifacts": {"chart": {"type": "tosca.artifacts.nfv.HelmChart", "file": "Artifacts/Scripts/cam.tgz"}},
            "requirements": [{"associatedVdu": "pod"}],
        },
    }
    return copy.deepcopy(_template("pod", nodes, **MEC))


def written(document: dict[str, Any]) -> bytes:
    """The template as YAML, values that repeat written as aliases."""
    return yaml.safe_dump(document).encode()


def reader(files: dict[str, bytes]) -> Callable[[str], bytes | None]:
    """Reads from a dictionary."""
    return files.get
