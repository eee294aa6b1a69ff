"""The node templates of a topology, each with the standard's type that it derives from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from hanse.model.descriptor.tosca.nfv_types import MEC_APP_TYPE, NODES
from hanse.model.descriptor.tosca.template import Template
from hanse.model.descriptor.tosca.types import ANYTHING, Shape, each

_LONGEST_CHAIN: Final = 16


@dataclass(frozen=True)
class Node:
    """A node template: ``kind`` is the standard's type, ``type`` the one it names, ``properties`` with defaults."""

    name: str
    kind: str
    type: str
    shape: Shape
    properties: dict[str, Any]
    body: dict[str, Any]

    @property
    def path(self) -> str:
        """Where it is."""
        return f"topology_template.node_templates.{self.name}"

    def part(self, name: str) -> dict[str, Any]:
        """A map of it, such as its artifacts; empty where it has none."""
        return _map(self.body.get(name))

    def requirements(self) -> Iterator[tuple[str, str, Any]]:
        """Path, name and target node of each requirement; the target is None where it is not readable."""
        entries = self.body.get("requirements") or []
        for index, entry in enumerate(entries if isinstance(entries, list) else [entries]):
            path = f"{self.path}.requirements[{index}]"
            if not isinstance(entry, dict) or len(entry) != 1:
                yield path, "", None
                continue
            [(name, target)] = entry.items()
            node = target.get("node") if isinstance(target, dict) else target
            yield f"{path}.{name}", name, node if isinstance(node, str) else None

    def targets(self, requirement: str) -> list[str]:
        """The nodes that requirements of that name point at."""
        return [node for _, name, node in self.requirements() if name == requirement and node is not None]


def nodes_of(template: Template) -> list[Node]:
    """Every node template whose type is known; the others are refused."""
    templates = template.topology.get("node_templates")
    if not isinstance(templates, dict):
        if template.topology:
            template.refuse("topology_template.node_templates", "is missing or not a map")
        return []
    nodes = (_node(name, body, template) for name, body in templates.items())
    return [node for node in nodes if node is not None]


def _node(name: str, body: Any, template: Template) -> Node | None:
    path = f"topology_template.node_templates.{name}"
    if not isinstance(body, dict) or not isinstance(body.get("type"), str):
        template.refuse(f"{path}.type", "must name a node type")
        return None
    chain = lineage(body["type"], template)
    if chain[-1] not in NODES:
        template.refuse(f"{path}.type", f"{chain[-1]} is not a type that an application may have; see MEC 037, 5.2.3.4")
        return None
    defaults, declared = _declared(chain, template)
    shape = NODES[chain[-1]]
    shape = replace(shape, optional={**each(declared - shape.required.keys(), ANYTHING), **shape.optional})
    properties = body.get("properties") or {}
    if not isinstance(properties, dict):
        template.refuse(f"{path}.properties", "must be a map")
        properties = {}
    return Node(name, chain[-1], body["type"], shape, {**defaults, **properties}, body)


def lineage(name: str, template: Template) -> list[str]:
    """``name`` and the types it derives from, up to one that is not defined in the template."""
    chain = [name]
    while chain[-1] in template.node_types and len(chain) < _LONGEST_CHAIN:
        parent = template.node_types[chain[-1]].get("derived_from")
        if not isinstance(parent, str) or parent in chain:
            break
        chain.append(parent)
    return chain


def _declared(chain: list[str], template: Template) -> tuple[dict[str, Any], set[str]]:
    defaults: dict[str, Any] = {"flavour_id": "simple", "flavour_description": ""} if chain[-1] == MEC_APP_TYPE else {}
    declared: set[str] = set()
    for name in reversed(chain):
        for key, definition in definitions(name, template).items():
            declared.add(key)
            if "default" in definition:
                defaults[key] = definition["default"]
    return defaults, declared


def definitions(type_name: str, template: Template) -> dict[str, dict[str, Any]]:
    """The property definitions of a node type, as far as they are maps."""
    properties = _map(template.node_types.get(type_name, {}).get("properties"))
    return {key: value for key, value in properties.items() if isinstance(value, dict)}


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
