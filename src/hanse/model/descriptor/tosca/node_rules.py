"""Rules on single nodes: properties, artifacts, requirements, and what the application's type fixes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from hanse.model.descriptor.base import Violation
from hanse.model.descriptor.tosca.nfv_types import (
    BLOCK_STORAGE,
    COMPUTE,
    FILE_STORAGE,
    FIXED,
    HELM_CHART,
    IMAGE,
    MCIOP,
    MEC_APP_TYPE,
    OBJECT_STORAGE,
    OS_CONTAINER,
    SW_IMAGE,
    VIRTUAL_COMPUTE,
)
from hanse.model.descriptor.tosca.nodes import Node, definitions, lineage
from hanse.model.descriptor.tosca.template import Template
from hanse.model.descriptor.tosca.types import Shape, violations

ARTIFACTS: Final = {
    MCIOP: HELM_CHART,
    **dict.fromkeys((COMPUTE, OS_CONTAINER, BLOCK_STORAGE, OBJECT_STORAGE, FILE_STORAGE), SW_IMAGE),
}
"""Which artifact a node may have (ETSI GS MEC 037 V3.2.1, 5.2.9)."""

MACHINE_IMAGE: Final = ("checksum", "disk_format", "min_disk", "size")
"""What the image of a virtual machine has, and ..."""
NOT_IN_CONTAINERS: Final = ("disk_format", "min_disk", "min_ram")
"""... what the image of a container has not (ETSI GS MEC 010-2 V3.1.1, 6.2.1.4)."""


def node_violations(node: Node, names: set[str]) -> Iterator[Violation]:
    """What is wrong with one node; ``names`` are all nodes there are."""
    yield from violations(node.properties, node.shape, f"{node.path}.properties")
    if node.kind == COMPUTE:
        virtual = node.part("capabilities").get("virtual_compute")
        properties = virtual.get("properties") if isinstance(virtual, dict) else None
        path = f"{node.path}.capabilities.virtual_compute.properties"
        yield from violations(properties or {}, VIRTUAL_COMPUTE, path)
    yield from _artifact_violations(node)
    for path, _, target in node.requirements():
        if target not in names:
            yield Violation(path=path, message=f"points at {target}, which is no node of the template")


def _artifact_violations(node: Node) -> Iterator[Violation]:
    for name, artifact in node.part("artifacts").items():
        path = f"{node.path}.artifacts.{name}"
        allowed = ARTIFACTS.get(node.kind, "none")
        kind = artifact.get("type") if isinstance(artifact, dict) else None
        if kind != allowed:
            yield Violation(path=f"{path}.type", message=f"must be {allowed}, not {str(kind)[:80]}")
            continue
        if not isinstance(artifact.get("file"), str) or not artifact["file"]:
            yield Violation(path=f"{path}.file", message="must be a path in the archive or a URL")
        if kind == SW_IMAGE:
            yield from violations(artifact.get("properties") or {}, _image_shape(node.kind), f"{path}.properties")


def _image_shape(kind: str) -> Shape:
    if kind == OS_CONTAINER:
        return Shape(IMAGE.required, {k: v for k, v in IMAGE.optional.items() if k not in NOT_IN_CONTAINERS})
    must = {key: IMAGE.optional[key] for key in MACHINE_IMAGE}
    return Shape({**IMAGE.required, **must}, IMAGE.optional)


def application_violations(applications: list[Node], template: Template) -> Iterator[Violation]:
    """One application, of a type of its own that says which one it is (ETSI GS MEC 037 V3.2.1, 5.2.3.1, 5.2.3.3)."""
    if len(applications) != 1:
        message = f"must have one node of a type derived from {MEC_APP_TYPE}, not {len(applications)}"
        yield Violation(path="topology_template.node_templates", message=message)
    for node in applications:
        if node.type == MEC_APP_TYPE:
            message = f"{MEC_APP_TYPE} is abstract; define a type derived from it"
            yield Violation(path=f"{node.path}.type", message=message)
            continue
        found: dict[str, dict[str, Any]] = {}
        for name in reversed(lineage(node.type, template)):
            found |= definitions(name, template)
        for key in FIXED:
            yield from _fixed(f"node_types.{node.type}.properties.{key}", found.get(key), node.properties.get(key))


def _fixed(path: str, definition: dict[str, Any] | None, value: Any) -> Iterator[Violation]:
    if definition is None or "default" not in definition:
        yield Violation(path=path, message="must fix its value by a default and an equal constraint")
        return
    default = definition["default"]
    for equal in _equals(definition, default):
        if equal != default:
            yield Violation(path=path, message=f"has the default {default!r} and the constraint {equal!r}; must be one")
    if value != default:
        yield Violation(path=path, message=f"fixes {default!r}, the node template says {value!r}")


def _equals(definition: dict[str, Any], default: Any) -> Iterator[Any]:
    """The values of equal constraints in the form of the default; None where there is no such constraint."""
    whole = _constraints(definition)
    entry = definition.get("entry_schema")
    items = _constraints(entry) if isinstance(default, list) and isinstance(entry, dict) else []
    if not whole and not items:
        yield None
    yield from whole
    yield from ([item] for item in items)


def _constraints(definition: dict[str, Any]) -> list[Any]:
    constraints = definition.get("constraints")
    entries = constraints if isinstance(constraints, list) else []
    return [entry["equal"] for entry in entries if isinstance(entry, dict) and "equal" in entry]
