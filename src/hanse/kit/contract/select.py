"""Attribute selectors: how much of each item of a list is answered (ETSI GS MEC 009 V3.1.1, 6.18).

``all_fields``: everything. ``exclude_default``, and nothing at all: without what the operation leaves out by default.
``exclude_fields=a,b/c``: without these. ``fields=a,b/c``: of what can be left out, only these; with
``exclude_default``: the default, and these. What can be left out has parts and may be absent, or is left out by
default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from hanse.kit.contract.attributes import Attribute, attribute_at, attributes_of, is_structure
from hanse.kit.problems import Problem, bad_request

Path: TypeAlias = tuple[str, ...]
Tree: TypeAlias = "dict[str, Tree | None]"

FLAGS = ("all_fields", "exclude_default")
LISTS = ("fields", "exclude_fields")
LEGAL: tuple[set[str], ...] = (
    set(),
    {"all_fields"},
    {"exclude_default"},
    {"fields"},
    {"exclude_fields"},
    {"fields", "exclude_default"},
)
DEPTH = 8
"""Levels of attributes that selectors reach."""


class Selectable:
    """A type whose attributes can be selected; ``left_out`` are the paths that are not answered by default."""

    def __init__(self, shape: type[msgspec.Struct], left_out: Sequence[str]) -> None:
        self._shape = shape
        self._left_out = {path_of(text) for text in left_out}
        for path in self._left_out:
            attribute_at(shape, path, "left_out")

    def removed(self, given: Mapping[str, str]) -> Tree:
        """What is removed from each item, for the selectors of a request; a problem 400 names the one at fault."""
        if set(given) not in LEGAL:
            legal = "each alone, or fields with exclude_default"
            raise bad_request("Exclusive query parameters", f"legal: {legal}; got {' and '.join(sorted(given))}")
        for flag in FLAGS:
            if given.get(flag, "").lower() not in ("", "true"):
                raise bad_request(f"Invalid query parameter {flag}", "it takes no value")
        if "all_fields" in given:
            return {}
        if "exclude_fields" in given:
            return _tree(self._excluded(path) for path in _paths("exclude_fields", given["exclude_fields"]))
        if "fields" not in given:
            return _tree(self._left_out)
        wanted = set(_paths("fields", given["fields"]))
        for path in wanted:
            attribute_at(self._shape, path, "fields")
        if "exclude_default" in given:
            return _tree(p for p in self._left_out if not _covered(p, wanted) and not _leads_to(p, wanted))
        return _tree(self._unwanted(self._shape, (), wanted))

    def _excluded(self, path: Path) -> Path:
        attribute = attribute_at(self._shape, path, "exclude_fields")[-1]
        if not self._can_be_left_out(path, attribute):
            raise _invalid("exclude_fields", f"{'/'.join(path)} is simple or mandatory, and always there")
        return path

    def _can_be_left_out(self, path: Path, attribute: Attribute) -> bool:
        return path in self._left_out or (attribute.complex and not attribute.required)

    def _unwanted(self, shape: Any, above: Path, wanted: set[Path]) -> Iterator[Path]:
        if not is_structure(shape) or len(above) >= DEPTH:
            return
        for name, attribute in attributes_of(shape).items():
            path = (*above, name)
            if path in wanted:
                continue
            if self._can_be_left_out(path, attribute) and not _leads_to(path, wanted):
                yield path
            else:
                yield from self._unwanted(attribute.shape, path, wanted)


def pruned(value: Any, removed: Tree) -> Any:
    """A value of JSON without what is removed."""
    if isinstance(value, list | tuple):
        return [pruned(item, removed) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for name, inner in value.items():
        below = removed.get(name, _KEPT)
        if below is not None:
            kept[name] = pruned(inner, below) if below else inner
    return kept


_KEPT: Tree = {}


def path_of(text: str) -> Path:
    """``a/b`` as a path."""
    return tuple(text.split("/"))


def _paths(parameter: str, text: str) -> list[Path]:
    if not text:
        raise _invalid(parameter, "name attributes, with commas between them")
    return [path_of(part) for part in text.split(",")]


def _covered(path: Path, wanted: set[Path]) -> bool:
    return any(path[: len(other)] == other for other in wanted)


def _leads_to(path: Path, wanted: set[Path]) -> bool:
    return any(other[: len(path)] == path for other in wanted)


def _tree(paths: Iterable[Path]) -> Tree:
    tree: Tree = {}
    for path in sorted(paths, key=len, reverse=True):  # what removes more comes last and wins
        at = tree
        for name in path[:-1]:
            below = at.setdefault(name, {})
            assert below is not None
            at = below
        at[path[-1]] = None
    return tree


def _invalid(parameter: str, detail: str) -> Problem:
    return bad_request(f"Invalid query parameter {parameter}", detail)
