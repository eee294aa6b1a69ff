"""Holds the operations of an API against those of an official file; each difference is one line of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from hanse.kit.contract.declare import Api, Operation, Stream, payload_type
from hanse.kit.contract.listing import PARAMETERS
from tests.contract.official import OfficialFile, OfficialOperation
from tests.contract.shapes import Shapes

Moved = Mapping[str, str]
"""Prefixes of our paths, each with the prefix under which the file has the same operations."""


def differences(official: OfficialFile, api: type[Api], moved: Moved) -> set[str]:
    """Where what we offer is not what the file says."""
    found: set[str] = set()
    if official.base not in api.api_bases:
        found.add(f"base: {official.base} there, {' and '.join(api.api_bases)} here")
    for operation in api.operations.values():
        counterpart = counterpart_of(official, operation, moved)
        if counterpart is None:
            found.add(f"{operation.method} {template(operation.path)}: here only")
        else:
            found |= set(_of_operation(operation, counterpart))
            found |= set(_of_bodies(operation, counterpart, official))
    return found


def counterpart_of(official: OfficialFile, operation: Operation, moved: Moved) -> OfficialOperation | None:
    """The operation of the file that ours is, if it has it."""
    path = template(operation.path)
    for here, there in moved.items():
        if path.startswith(here):
            path = there + path.removeprefix(here)
    wanted = (operation.method, _positions(path))
    return next((o for o in official.operations.values() if (o.method, _positions(o.path)) == wanted), None)


def template(path: str) -> str:
    """A path with its parameters as the standard writes them: lowerCamel (MEC 009, 5.2)."""
    return "/".join("{" + _camel(s[1:-1]) + "}" if s.startswith("{") else s for s in path.split("/"))


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _positions(path: str) -> str:
    return "/".join("{}" if segment.startswith("{") else segment for segment in path.split("/"))


def _of_operation(operation: Operation, official: OfficialOperation) -> Iterator[str]:
    here = f"{operation.method} {template(operation.path)}"
    names = [[s for s in path.split("/") if s.startswith("{")] for path in (official.path, template(operation.path))]
    if names[0] != names[1]:
        yield f"{here}: parameters {' '.join(names[0])} there"
    if str(operation.success) not in official.success:
        yield f"{here}: success {' '.join(official.success) or 'none'} there, {operation.success} here"
    query = [f.encode_name for f in msgspec.structs.fields(operation.query)] if operation.query else []
    query += PARAMETERS if operation.listing else ()
    for name in sorted(set(official.query) - set(query)):
        yield f"{here}: query {name} there only"
    for name in sorted(set(query) - set(official.query)):
        yield f"{here}: query {name} here only"
    media = set(operation.consumes.split()) if operation.body is not None else set()
    if media != set(official.request_media):
        told = [" ".join(sorted(m)) or "none" for m in (set(official.request_media), media)]
        yield f"{here}: request media {told[0]} there, {told[1]} here"


def _of_bodies(operation: Operation, official: OfficialOperation, file: OfficialFile) -> Iterator[str]:
    here = f"{operation.method} {template(operation.path)}"
    answer = Stream if operation.returns is Stream else payload_type(operation.returns)
    for label, theirs, ours in (("request", official.request, operation.body), ("answer", official.answer, answer)):
        if ours is Stream or theirs is None or ours is None:
            if (theirs is None) != (ours is None or ours is Stream):
                yield f"{here}: {label} {_told(theirs)} there, {_of_ours(ours)} here"
            continue
        (schema,), components = msgspec.json.schema_components([ours])
        yield from Shapes(file.schemas, components).differences(f"{here} {label}", theirs, schema)


def notified(official: OfficialFile, ours: type[msgspec.Struct]) -> set[str]:
    """Where what is posted to callbacks is not the type of the file; what has a value always is sent."""
    (schema,), components = msgspec.json.schema_components([ours])
    name = str(ours.__wire_name__)  # type: ignore[attr-defined]
    theirs = {"$ref": f"#/components/schemas/{name}"}
    valued = [f for f in msgspec.structs.fields(ours) if f.default not in (msgspec.NODEFAULT, msgspec.UNSET)]
    sent = {f"{name}.{field.encode_name}: required there only" for field in valued}
    return set(Shapes(official.schemas, components).differences(name, theirs, schema)) - sent


def _told(schema: Mapping[str, Any] | None) -> str:
    return "none" if schema is None else str(schema.get("$ref", schema.get("type"))).rpartition("/")[2]


def _of_ours(shape: Any) -> str:
    return "none" if shape is None else "stream" if shape is Stream else str(getattr(shape, "__name__", shape))


def not_offered(official: OfficialFile, api: type[Api]) -> Iterator[str]:
    """Operations of the file that the API does not have under the file's own path."""
    offered = {(o.method, _positions(o.path)) for o in api.operations.values()}
    for operation in official.operations.values():
        if (operation.method, _positions(operation.path)) not in offered:
            yield f"{operation.method} {operation.path}"
