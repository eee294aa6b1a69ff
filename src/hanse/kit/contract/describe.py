"""The third use of a declaration: its description as an OpenAPI 3.1 document."""

from __future__ import annotations

import re
import types
import typing
from typing import Any

import msgspec

from hanse.kit.contract.declare import Accepted, Api, Created, Operation, Page, Stream, Tagged, kind_of, payload_type
from hanse.kit.contract.exchange import Exchange
from hanse.kit.contract.listing import PARAMETERS
from hanse.kit.contract.statuses import has_json_body, refusals, successes
from hanse.kit.problems import MEDIA_TYPE, ProblemDetails

LISTED = "Listed"
"""Ends the name of a schema whose values lack what lists leave out by default."""
_IDENTIFIER = {"type": "string", "minLength": 1, "pattern": r"^[^\u0000-\u001f\u007f]+$"}
"""What every segment of a path must be that stands for something."""
METHODS_OF_ANYTHING = ("get", "post", "put", "patch", "delete")


def describe(api: type[Api], *, title: str = "", version: str = "1") -> dict[str, Any]:
    """An OpenAPI document of one API, below its first base; every schema stands under ``components``."""
    shapes = _shapes(api)
    schemas, components = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    components |= _listed_schemas(api, components)
    known = {id(shape): schema for shape, schema in zip(shapes, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for operation in api.operations.values():
        methods = METHODS_OF_ANYTHING if operation.method == "*" else (operation.method.lower(),)
        for method in methods:
            described = _operation(operation, known) | {"tags": [api.__name__]}
            if len(methods) > 1:
                described["operationId"] += f"_{method}"
            paths.setdefault(_camel_path(operation.path), {})[method] = described
    about = (api.__doc__ or "").strip()
    document = {
        "openapi": "3.1.0",
        "info": {"title": title or api.__name__, "version": version, "description": about},
        "tags": [{"name": api.__name__, "description": about}],
        "servers": [{"url": base} for base in api.api_bases],
        "security": [{"oauth2": []}],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": {"oauth2": OAUTH2}},
    }
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document))  # defaults become JSON, too
    return plain


OAUTH2 = {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/oauth2/token", "scopes": {}}}}


def _shapes(api: type[Api]) -> list[Any]:
    shapes: list[Any] = [ProblemDetails]
    for operation in api.operations.values():
        if has_json_body(operation):
            shapes.append(operation.body)
        answer = payload_type(operation.returns)
        if answer not in (None, type(None)):
            shapes.append(answer)
        if operation.query is not None:
            shapes += [_present(field.type) for field in msgspec.structs.fields(operation.query)]
    return list({id(shape): shape for shape in shapes}.values())


def _present(shape: Any) -> Any:
    """A type without the possibility of being absent."""
    if typing.get_origin(shape) in (typing.Union, types.UnionType):
        members = [m for m in typing.get_args(shape) if m is not msgspec.UnsetType]
        return members[0] if len(members) == 1 else shape
    return shape


def _operation(operation: Operation, known: dict[int, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [*_path_parameters(operation), *_query_parameters(operation), *_preconditions(operation)],
        "responses": _responses(operation, known),
    }
    body = _body(operation, known)
    if body is not None:
        described["requestBody"] = {"required": operation.method != "*", "content": body}
    return described


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": _camel(name), "in": "path", "required": True, "schema": _IDENTIFIER if one else {"type": "string"}}
        for name in operation.path_parameters
        for one in [f"{{{name}}}" in operation.path]  # not all that is left
    ]


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    parameters = [] if operation.listing is None else _listing_parameters()
    if operation.query is None:
        return parameters
    for field in msgspec.structs.fields(operation.query):
        schema, components = msgspec.json.schema_components([_present(field.type)], ref_template="{name}")
        inline = components.get(schema[0].get("$ref", ""), schema[0])
        parameters.append({"name": field.encode_name, "in": "query", "required": field.required, "schema": inline})
    return parameters


def _listing_parameters() -> list[dict[str, Any]]:
    return [{"name": name, "in": "query", "required": False, "schema": {"type": "string"}} for name in PARAMETERS]


def _preconditions(operation: Operation) -> list[dict[str, Any]]:
    """The fields of conditional requests, where they have an effect (ETSI GS MEC 009 V3.1.1, 6.8)."""
    reading = operation.method == "GET" and kind_of(operation.returns) is Tagged
    names = [*(["If-None-Match"] if reading else []), *(["If-Match"] if 412 in operation.refuses else [])]
    return [{"name": name, "in": "header", "required": False, "schema": {"type": "string"}} for name in names]


def _body(operation: Operation, known: dict[int, Any]) -> dict[str, Any] | None:
    if operation.body is None:
        return None
    if operation.body is Exchange:
        return {"*/*": {}}
    media = operation.consumes.split(" ")
    if operation.body is Stream:
        return {name: {"schema": {"type": "string", "format": "binary"}} for name in media}
    return {name: {"schema": known[id(operation.body)]} for name in media}


def _responses(operation: Operation, known: dict[int, Any]) -> dict[str, Any]:
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    made = {str(status): _success(operation, known) for status in successes(operation)}
    for status in {"204", "304"} & made.keys():
        made[status].pop("content", None)
    refused = {str(status): {"description": "Refused", "content": problem} for status in refusals(operation)}
    return made | refused


def _success(operation: Operation, known: dict[int, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": operation.summary}
    returns = operation.returns
    origin = kind_of(returns)
    if returns is Accepted or origin is Created:
        answer["headers"] = {"Location": {"schema": {"type": "string", "format": "uri"}}}
    if operation.listing is not None or origin is Page:
        answer["headers"] = {"Link": {"schema": {"type": "string"}}}
    if origin is Tagged:
        answer["headers"] = {"ETag": {"schema": {"type": "string"}}}
    payload = payload_type(returns)
    if returns is Stream:
        answer["content"] = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
    elif operation.listing is not None:
        answer["content"] = {"application/json": {"schema": {"type": "array", "items": {"$ref": _listed(operation)}}}}
    elif payload not in (None, type(None)):
        answer["content"] = {"application/json": {"schema": _schema_of(payload, known)}}
    return answer


def _listed(operation: Operation) -> str:
    (item,) = typing.get_args(payload_type(operation.returns))
    return f"#/components/schemas/{item.__name__}{LISTED if _left_out(operation) else ''}"


def _left_out(operation: Operation) -> set[str]:
    """Attributes that a list leaves out by default, of which some are mandatory elsewhere (MEC 009, 6.18)."""
    return set() if operation.listing is None else set(operation.listing.left_out)


def _listed_schemas(api: type[Api], components: dict[str, Any]) -> dict[str, Any]:
    """The items of lists that leave something out: as elsewhere, but nothing that is left out is required."""
    found: dict[str, Any] = {}
    for operation in api.operations.values():
        if left_out := _left_out(operation):
            (item,) = typing.get_args(payload_type(operation.returns))
            whole = components[item.__name__]
            required = [name for name in whole.get("required", ()) if name not in left_out]
            found[item.__name__ + LISTED] = whole | {"title": item.__name__ + LISTED, "required": required}
    return found


def _schema_of(payload: Any, known: dict[int, Any]) -> Any:
    if id(payload) in known:
        return known[id(payload)]
    inner = typing.get_args(payload)[0]
    return {"type": "array", "items": known.get(id(inner), {"$ref": f"#/components/schemas/{inner.__name__}"})}


def _camel_path(path: str) -> str:
    return re.sub(r"{(\w+)\*?}", lambda found: "{" + _camel(found[1]) + "}", path)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
