"""The official OpenAPI files as they lie beside the project: operations, without the wrappers of bodies."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

Schema = Mapping[str, Any]

ROOT = Path(__file__).resolve().parents[2].parent / "shared" / "specs" / "etsi"
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class OfficialOperation:
    """An operation of an official file; a body that has no schema, or an empty one, is ``None``."""

    method: str
    path: str
    query: tuple[str, ...]
    success: tuple[str, ...]
    request: Schema | None
    request_media: tuple[str, ...]
    answer: Schema | None
    statuses: tuple[int, ...] = ()


@dataclass(frozen=True)
class OfficialFile:
    """An official file: the base path that it gives, its operations, its component schemas."""

    name: str
    base: str
    operations: Mapping[tuple[str, str], OfficialOperation]
    schemas: Mapping[str, Schema]


def official_files_or_skip() -> Path:
    """Where the official files are; without them the test is skipped, and fails in CI, where they always are."""
    if not ROOT.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"the official files must be at {ROOT} in CI")
        pytest.skip(f"the official files are not at {ROOT}")
    return ROOT


def read_official(name: str) -> OfficialFile:
    """Read one file by its name without extension."""
    document = yaml.load((official_files_or_skip() / f"{name}.yaml").read_text(), yaml.CSafeLoader)
    found = {(o.method, o.path): o for o in _operations(document)}
    base = "/" + document["servers"][0]["url"].split("://")[1].partition("/")[2]
    return OfficialFile(name, base, found, document["components"]["schemas"])


def _operations(document: Schema) -> Iterator[OfficialOperation]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield _operation(document, path, method, item[method])


def _operation(document: Schema, path: str, method: str, operation: Schema) -> OfficialOperation:
    parameters = [_resolved(document, p) for p in operation.get("parameters", ())]
    answers = {status: _resolved(document, a) for status, a in operation["responses"].items()}
    success = tuple(status for status in answers if status.startswith("2"))
    content = _resolved(document, operation.get("requestBody", {})).get("content", {})
    bodies = [unwrapped(schema) for status in success for schema in _schemas(answers[status])]
    return OfficialOperation(
        method=method.upper(),
        path=path,
        query=tuple(p["name"] for p in parameters if p["in"] == "query"),
        success=success,
        request=next((unwrapped(schema) for schema in _schemas({"content": content})), None),
        request_media=tuple(content),
        answer=next((body for body in bodies if body is not None), None),
        statuses=tuple(sorted(int(status) for status in answers)),
    )


def _schemas(message: Schema) -> list[Schema]:
    return [media["schema"] for media in message.get("content", {}).values() if "schema" in media]


def unwrapped(schema: Schema) -> Schema | None:
    """The type itself where the file wraps it as ``{"Type": {…}}``; ``None`` for an object without any attribute."""
    properties = schema.get("properties")
    if schema.get("type") != "object" or properties is None:
        return schema
    if not properties:
        return None
    name, inner = next(iter(properties.items()))
    if len(properties) == 1 and str(inner.get("$ref", "")).endswith(f"/{name}"):
        return inner  # type: ignore[no-any-return]
    return schema


def _resolved(document: Schema, item: Schema) -> Schema:
    reference = item.get("$ref")
    if reference is None:
        return item
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found  # type: ignore[no-any-return]
