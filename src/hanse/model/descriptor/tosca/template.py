"""A service template with what it imports (ETSI GS MEC 037 V3.2.1, 5.2.3; TOSCA Simple Profile YAML 1.3, 3.10)."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from hanse.model.descriptor.base import Violation
from hanse.model.descriptor.tosca.document import Unreadable, load

Reader = Callable[[str], bytes | None]
"""Gives the content of a file by its path from the archive's root, or nothing if there is none."""

VERSION: Final = "tosca_simple_yaml_1_3"
KNOWN_FILES: Final = ("MecAppDTypes.yaml", "etsi_nfv_sol001_vnfd_types.yaml", "etsi_nfv_sol001_common_types.yaml")
"""Type files whose types we know by heart: they are never read, neither from the archive nor from the network."""

FORGE: Final = ("https://forge.etsi.org/rep/mec/", "https://forge.etsi.org/rep/nfv/")
MAX_FILES: Final = 32


@dataclass
class Template:
    """What was read: the topology of the main file, the node types of all files, and what was wrong with them."""

    topology: dict[str, Any] = field(default_factory=dict)
    node_types: dict[str, dict[str, Any]] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)

    def refuse(self, path: str, message: str) -> None:
        """Note a violation."""
        self.violations.append(Violation(path=path, message=message))


def read_template(main: str, read: Reader) -> Template:
    """Read the template at ``main`` and the local files that it imports, each once."""
    template = Template()
    waiting, seen = [(main, "")], {main}
    while waiting:
        path, importer = waiting.pop(0)
        document = _open(path, importer, read, template)
        _take_types(document, path, template)
        if path == main:
            _take_topology(document, path, template)
        for target in _imports(document, path, template):
            if target in seen:
                continue
            if len(seen) == MAX_FILES:
                template.refuse(f"{path}: imports", f"lead to more than {MAX_FILES} files")
                return template
            seen.add(target)
            waiting.append((target, path))
    return template


def _open(path: str, importer: str, read: Reader, template: Template) -> dict[str, Any]:
    content = read(path)
    if content is None:
        template.refuse(path, f"is imported by {importer} and not in the archive" if importer else "is not there")
        return {}
    try:
        document = load(content)
    except Unreadable as error:
        template.refuse(path, str(error))
        return {}
    version = document.get("tosca_definitions_version")
    if version != VERSION:
        template.refuse(f"{path}: tosca_definitions_version", f"must be {VERSION}, not {str(version)[:60]}")
    return document


def _take_topology(document: dict[str, Any], path: str, template: Template) -> None:
    topology = document.get("topology_template")
    if isinstance(topology, dict) and topology:
        template.topology = topology
    elif document:
        template.refuse(f"{path}: topology_template", "is missing, empty or not a map")


def _take_types(document: dict[str, Any], path: str, template: Template) -> None:
    node_types = document.get("node_types") or {}
    if not isinstance(node_types, dict):
        template.refuse(f"{path}: node_types", "must be a map")
        return
    for name, body in node_types.items():
        if not isinstance(body, dict):
            template.refuse(f"node_types.{name}", "must be a map")
        elif name in template.node_types:
            template.refuse(f"node_types.{name}", "is defined in several files")
        else:
            template.node_types[name] = body


def _imports(document: dict[str, Any], path: str, template: Template) -> Iterator[str]:
    """Paths of the local files to read; known files are left out, what cannot be found is refused."""
    imports = document.get("imports") or []
    if not isinstance(imports, list):
        template.refuse(f"{path}: imports", "must be a list")
        return
    for index, entry in enumerate(imports):
        place, wanted = f"{path}: imports[{index}]", _file_of(entry)
        if wanted is None:
            template.refuse(place, "must be a file name or a map with `file`")
        elif is_known(wanted):
            continue
        elif urlsplit(wanted).scheme or wanted.startswith("/"):
            template.refuse(place, f"{wanted[:80]} is not known here; put a copy of it into the archive")
        else:
            yield from _local(posixpath.normpath(posixpath.join(posixpath.dirname(path), wanted)), place, template)


def _local(target: str, place: str, template: Template) -> Iterator[str]:
    if target.startswith(".."):
        template.refuse(place, "leads out of the archive")
    else:
        yield target


def _file_of(entry: Any) -> str | None:
    if isinstance(entry, dict) and len(entry) == 1 and "file" not in entry:
        entry = next(iter(entry.values()))
    wanted = entry.get("file") if isinstance(entry, dict) else entry
    return wanted if isinstance(wanted, str) else None


def is_known(wanted: str) -> bool:
    """Whether an import is one of the standard's own type files, by local name or at ETSI's forge."""
    if posixpath.basename(urlsplit(wanted).path) not in KNOWN_FILES:
        return False
    return not urlsplit(wanted).scheme or wanted.startswith(FORGE)
