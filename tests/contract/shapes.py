"""Compares the shape of a type in an official file with ours: names, required, types, legal values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]


class Shapes:
    """Two sets of component schemas; each difference is told once, at the type in the official file where it is.

    Not compared: descriptions, formats, numbers of items, defaults. They are prose or generator output in the files.
    """

    def __init__(self, theirs: Mapping[str, Schema], ours: Mapping[str, Schema]) -> None:
        self._theirs = theirs
        self._ours = ours
        self._seen: set[tuple[str, str]] = set()

    def differences(self, where: str, theirs: Schema, ours: Schema) -> Iterator[str]:
        """What differs between two schemas and all that they refer to."""
        their_name, theirs = _named(theirs, self._theirs)
        our_name, ours = _named(ours, self._ours)
        if their_name:
            if (their_name, our_name) in self._seen:
                return
            self._seen.add((their_name, our_name))
            where = their_name
        yield from self._of_one(where, theirs, ours)

    def _of_one(self, where: str, theirs: Schema, ours: Schema) -> Iterator[str]:
        their_kind, our_kind = kind(theirs), kind(ours)
        if their_kind != our_kind:
            yield f"{where}: {their_kind} there, {our_kind} here"
        elif their_kind == "array":
            yield from self.differences(f"{where}[]", theirs["items"], ours["items"])
        elif their_kind == "object":
            yield from self._of_attributes(where, theirs, ours)

    def _of_attributes(self, where: str, theirs: Schema, ours: Schema) -> Iterator[str]:
        their_own, our_own = theirs["properties"], ours["properties"]
        for name in their_own.keys() - our_own.keys():
            yield f"{where}.{name}: there only"
        for name in our_own.keys() - their_own.keys():
            yield f"{where}.{name}: here only"
        for name in their_own.keys() & our_own.keys():
            required = name in theirs.get("required", ()), name in ours.get("required", ())
            if required[0] != required[1]:
                yield f"{where}.{name}: required {'there' if required[0] else 'here'} only"
            yield from self.differences(f"{where}.{name}", their_own[name], our_own[name])


def kind(schema: Schema) -> str:
    """What a schema is, in one word, or its legal values."""
    if "enum" in schema:
        return "one of " + " ".join(sorted(str(value) for value in schema["enum"]))
    if "oneOf" in schema or "anyOf" in schema:
        return "one of several types"
    if schema.get("properties"):
        return "object"
    if schema.get("type") == "array" and "items" not in schema:
        return "array of anything"
    return {"object": "map"}.get(schema.get("type", ""), str(schema.get("type", "anything")))


def _named(schema: Schema, components: Mapping[str, Schema]) -> tuple[str, Schema]:
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return name, components[name] if name else schema
