"""Reading YAML that a stranger wrote: bounded in size, depth and what aliases expand to, and without surprises."""

from __future__ import annotations

from typing import Any, Final

import yaml

MAX_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 40
MAX_NODES: Final = 50_000
"""Nodes in a document with every alias written out."""


class Unreadable(Exception):
    """The document cannot be read; the text says why and where."""


class _Loader(yaml.SafeLoader):
    """Safe, and strict about keys: each is a string, and none is there twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, str):
                raise Unreadable(f"line {line}: the key {str(key)[:40]} is not a string; quote it")
            if key in seen:
                raise Unreadable(f"line {line}: the key {key[:40]} is there twice")
            seen.add(key)
        return super().construct_mapping(node, deep)


def load(content: bytes) -> dict[str, Any]:
    """The one mapping that a YAML document holds; `Unreadable` if it is anything else."""
    if len(content) > MAX_BYTES:
        raise Unreadable(f"it has {len(content)} bytes; at most {MAX_BYTES} are read")
    try:
        _measure(content)
        document = yaml.load(content, Loader=_Loader)
    except (yaml.YAMLError, UnicodeError, ValueError, OverflowError) as error:
        raise Unreadable(f"it is not YAML: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(document, dict):
        raise Unreadable("it must hold one mapping")
    return document


class _Tally:
    """Counts nodes with aliases expanded, from parser events, so that nothing is built before it is known small."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}
        self.open: list[tuple[str | None, int]] = []
        self.total = 0

    def add(self, nodes: int) -> None:
        self.total += nodes
        if self.total > MAX_NODES:
            raise Unreadable(f"it expands to more than {MAX_NODES} nodes")

    def begin(self, anchor: str | None) -> None:
        self.open.append((anchor, self.total))
        if len(self.open) > MAX_DEPTH:
            raise Unreadable(f"it is nested deeper than {MAX_DEPTH}")
        self.add(1)

    def end(self) -> None:
        anchor, before = self.open.pop()
        if anchor:
            self.sizes[anchor] = self.total - before

    def alias(self, anchor: str | None) -> None:
        if anchor is None:
            return
        if anchor in {name for name, _ in self.open}:
            raise Unreadable(f"the alias {anchor[:40]} contains itself")
        self.add(self.sizes.get(anchor, 1))


def _measure(content: bytes) -> None:
    tally = _Tally()
    for event in yaml.parse(content, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            tally.alias(event.anchor)
        elif isinstance(event, yaml.CollectionStartEvent):
            tally.begin(event.anchor)
        elif isinstance(event, yaml.CollectionEndEvent):
            tally.end()
        elif isinstance(event, yaml.ScalarEvent):
            tally.add(1)
            if event.anchor:
                tally.sizes[event.anchor] = 1
