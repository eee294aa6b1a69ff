"""Rules on the nodes of a template together (ETSI GS MEC 037 V3.2.1, 5.2.3.4, 5.2.4, 5.2.8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hanse.model.descriptor.base import Violation
from hanse.model.descriptor.tosca.nfv_types import (
    COMPUTE,
    DEPLOYABLE_UNIT,
    LEVELS,
    MCIOP,
    MEC_APP_TYPE,
    OS_CONTAINER,
    SW_IMAGE,
    VDU_CP,
    VDU_LEVELS,
)
from hanse.model.descriptor.tosca.nodes import Node
from hanse.model.descriptor.tosca.types import TEXT, MapOf, Shape, Whole, violations

NODES_PATH = "topology_template.node_templates"
POLICIES_PATH = "topology_template.policies"


def topology_violations(topology: dict[str, Any], nodes: list[Node]) -> Iterator[Violation]:
    """What is wrong with how the nodes fit together."""
    units = of_kind(nodes, COMPUTE, DEPLOYABLE_UNIT)
    if len(units) != 1:
        message = f"must have one {COMPUTE} or one {DEPLOYABLE_UNIT}, not {len(units)}"
        yield Violation(path=NODES_PATH, message=message)
    for unit in units:
        yield from _one_instance(unit)
        yield from (_machine(nodes) if unit.kind == COMPUTE else _containers(unit, nodes))
    yield from _connection_points(nodes, {unit.name for unit in units})
    yield from _substitution(topology.get("substitution_mappings"), nodes)
    yield from policy_violations(topology.get("policies"), [unit.name for unit in units])


def of_kind(nodes: list[Node], *kinds: str) -> list[Node]:
    """The nodes of these kinds."""
    return [node for node in nodes if node.kind in kinds]


def images_of(nodes: list[Node]) -> list[tuple[Node, str, dict[str, Any]]]:
    """Every software image: its node, its name there, and the artifact."""
    artifacts = [(node, name, body) for node in nodes for name, body in node.part("artifacts").items()]
    return [(n, name, body) for n, name, body in artifacts if isinstance(body, dict) and body.get("type") == SW_IMAGE]


def _one_instance(unit: Node) -> Iterator[Violation]:
    profile = unit.properties.get("vdu_profile")
    for key in ("min_number_of_instances", "max_number_of_instances"):
        if isinstance(profile, dict) and profile.get(key, 1) != 1:
            yield Violation(path=f"{unit.path}.properties.vdu_profile.{key}", message=f"must be 1, not {profile[key]}")


def _machine(nodes: list[Node]) -> Iterator[Violation]:
    count = len(images_of(nodes))
    if count != 1:
        yield Violation(path=NODES_PATH, message=f"a virtual machine has one {SW_IMAGE}, not {count}")
    for node in of_kind(nodes, OS_CONTAINER, MCIOP):
        yield Violation(path=node.path, message="belongs to containers, leave it out of a virtual machine")


def _containers(unit: Node, nodes: list[Node]) -> Iterator[Violation]:
    containers = of_kind(nodes, OS_CONTAINER)
    grouped = unit.targets("container")
    if not containers:
        yield Violation(path=NODES_PATH, message=f"must have a {OS_CONTAINER} for {unit.name}")
    for container in containers:
        if container.name not in grouped:
            yield Violation(path=f"{unit.path}.requirements", message=f"must have `container: {container.name}`")
        if len(images_of([container])) != 1:
            yield Violation(path=f"{container.path}.artifacts", message=f"must have one {SW_IMAGE}")
    charts = of_kind(nodes, MCIOP)
    if not any(unit.name in chart.targets("associatedVdu") for chart in charts):
        yield Violation(path=NODES_PATH, message=f"must have a {MCIOP} with `associatedVdu: {unit.name}`")
    for chart in charts:
        if not chart.part("artifacts"):
            yield Violation(path=f"{chart.path}.artifacts", message="must have a Helm chart")


def _connection_points(nodes: list[Node], units: set[str]) -> Iterator[Violation]:
    points = of_kind(nodes, VDU_CP)
    if not points:
        yield Violation(path=NODES_PATH, message=f"must have a {VDU_CP}")
    for point in points:
        if not units.intersection(point.targets("virtual_binding")):
            yield Violation(path=f"{point.path}.requirements", message="must have a virtual_binding to the VDU")


def _substitution(mappings: Any, nodes: list[Node]) -> Iterator[Violation]:
    path = "topology_template.substitution_mappings"
    if not isinstance(mappings, dict):
        yield Violation(path=path, message="is missing; map the application's type and its virtual_link")
        return
    types = [node.type for node in of_kind(nodes, MEC_APP_TYPE)]
    if types and mappings.get("node_type") not in types:
        yield Violation(path=f"{path}.node_type", message=f"must be {types[0]}, not {mappings.get('node_type')}")
    links = [[node.name, "virtual_link"] for node in of_kind(nodes, VDU_CP)]
    for name, target in _pairs(mappings.get("requirements")):
        if target not in links:
            yield Violation(
                path=f"{path}.requirements.{name}", message="must be [a VduCp of the template, virtual_link]"
            )


def _pairs(requirements: Any) -> list[tuple[str, Any]]:
    entries = requirements if isinstance(requirements, list) else [requirements]
    return [pair for entry in entries if isinstance(entry, dict) for pair in entry.items()]


def policy_violations(policies: Any, units: list[str]) -> Iterator[Violation]:
    """One instantiation level, and in it one instance of the VDU (5.2.8)."""
    entries = [entry for entry in policies if isinstance(entry, dict)] if isinstance(policies, list) else []
    bodies = [(name, body) for entry in entries for name, body in entry.items() if isinstance(body, dict)]
    level_names: list[set[str]] = []
    for wanted, shape in _LEVEL_SHAPES.items():
        found = [(name, body) for name, body in bodies if body.get("type") == wanted]
        if len(found) != 1:
            yield Violation(path=POLICIES_PATH, message=f"must have one policy of type {wanted}, not {len(found)}")
        for name, body in found:
            path = f"{POLICIES_PATH}.{name}"
            yield from violations(body.get("properties") or {}, shape, f"{path}.properties")
            level_names.append(_level_names(body))
            if len(level_names[-1]) != 1:
                yield Violation(path=f"{path}.properties.levels", message="must be exactly one level")
            if wanted == VDU_LEVELS:
                yield from _vdu_level(path, body, units)
    if len(level_names) == 2 and level_names[0] != level_names[1]:
        yield Violation(path=POLICIES_PATH, message="both policies must name the same level")


_LEVEL_SHAPES = {
    LEVELS: Shape(
        {"levels": MapOf(Shape({"description": TEXT}, open=True))},
        {"default_level": TEXT},
    ),
    VDU_LEVELS: Shape({"levels": MapOf(Shape({"number_of_instances": Whole(0)}))}),
}


def _level_names(body: dict[str, Any]) -> set[str]:
    properties = body.get("properties")
    levels = properties.get("levels") if isinstance(properties, dict) else None
    return set(levels) if isinstance(levels, dict) else set()


def _vdu_level(path: str, body: dict[str, Any], units: list[str]) -> Iterator[Violation]:
    if body.get("targets") != units[:1]:
        wanted = units[0] if units else "the VDU node"
        yield Violation(path=f"{path}.targets", message=f"must be [{wanted}], not {body.get('targets')}")
    for name in _level_names(body):
        level = body["properties"]["levels"][name]
        if isinstance(level, dict) and level.get("number_of_instances", 1) != 1:
            message = f"must be 1, not {level['number_of_instances']}"
            yield Violation(path=f"{path}.properties.levels.{name}.number_of_instances", message=message)
