"""An official file as it is meant: what is offered of it, with the deviations of `deviations.toml` carried out.

Requests are made from it and answers are held against it. All that the list does not name stays ETSI's own, also what
no comparison of shapes looks at: formats, patterns, numbers of items, bounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import msgspec
import yaml

from hanse.kit.contract.declare import Api, Operation, Stream, payload_type
from hanse.kit.contract.describe import describe
from hanse.kit.contract.statuses import answers
from hanse.kit.problems import MEDIA_TYPE, ProblemDetails
from tests.contract.conformance import counterpart_of, template
from tests.contract.official import OfficialFile, OfficialOperation, official_files_or_skip, read_official
from tests.contract.shapes import Shapes
from tests.contract.test_official_files import FILES, LIST

Schema = dict[str, Any]
OURS = "Hanse"
"""Begins the name of a component that is ours."""
COMPONENT = "#/components/schemas/"
_PROBLEM = {"$ref": f"{COMPONENT}ProblemDetails"}


@cache
def amended(api: type[Api]) -> Schema:
    """The OpenAPI document of one API: operations that are offered, in the words of its official file."""
    name = next(name for name, apis in FILES.items() if api in apis)
    official, own = read_official(name), describe(api)
    raw = yaml.load((official_files_or_skip() / f"{name}.yaml").read_text(), yaml.CSafeLoader)
    moved = {entry["here"]: entry["there"] for entry in LIST["moved"] if entry["file"] == name}
    pairs = _Pairs(official, name)
    paths: Schema = {}
    for operation in api.operations.values():
        there = counterpart_of(official, operation, moved)
        here = _prefixed(own["paths"][template(operation.path)][operation.method.lower()])
        theirs = raw["paths"][there.path][operation.method.lower()] if there else {}
        made = _operation(operation, here, theirs, there, pairs)
        paths.setdefault(template(operation.path), {})[operation.method.lower()] = made
    components = _prefixed({f"{OURS}{key}": schema for key, schema in own["components"]["schemas"].items()})
    return {
        "openapi": raw["openapi"],
        "info": raw["info"],
        "servers": own["servers"][:1],
        "paths": paths,
        "components": {"schemas": {**official.schemas, **components, **pairs.replaced}},
    }


def _operation(
    operation: Operation, here: Schema, theirs: Schema, there: OfficialOperation | None, pairs: _Pairs
) -> Schema:
    """Parameters and media types are those of our description, which is held against the file; schemas are theirs."""
    given = {(p["in"], p["name"]): p for p in theirs.get("parameters", ()) if "name" in p}
    made = here | {"parameters": [given.get((p["in"], p["name"]), p) for p in here["parameters"]]}
    if there is not None:
        made |= _request(operation, there, pairs)
        _put_answer(made["responses"], operation, there, pairs)
    _put_refusals(made["responses"], {*answers(operation), *(there.statuses if there else ())}, pairs)
    return made


def _request(operation: Operation, there: OfficialOperation, pairs: _Pairs) -> Schema:
    if there.request is None or operation.body is Stream:
        return {}
    pairs.compare(there.request, operation.body)
    content = {media: {"schema": there.request} for media in operation.consumes.split()}
    return {"requestBody": {"required": True, "content": content}}


def _put_answer(responses: Schema, operation: Operation, there: OfficialOperation, pairs: _Pairs) -> None:
    shape = payload_type(operation.returns)
    if there.answer is None or shape is None or _leaves_out(operation):
        return
    pairs.compare(there.answer, shape)
    for status, response in responses.items():
        if status.startswith("2") and "application/json" in response.get("content", {}):
            response["content"]["application/json"] = {"schema": there.answer}


def _put_refusals(responses: Schema, statuses: set[int], pairs: _Pairs) -> None:
    """Any status of MEC 009, annex E, may come, and each refusal is a problem."""
    pairs.compare(_PROBLEM, ProblemDetails)
    for status in statuses:
        refused = {"description": "Refused", "content": {MEDIA_TYPE: {"schema": _PROBLEM}}}
        responses[str(status)] = refused if status >= 400 else responses.get(str(status), {"description": "Success"})


def _leaves_out(operation: Operation) -> bool:
    return operation.listing is not None and bool(operation.listing.left_out)


class _Pairs:
    """Which type of ours each component of the file is; ``replaced`` are those with a deviation, as ours are."""

    def __init__(self, official: OfficialFile, name: str) -> None:
        self._official = official
        lines = [line for entry in LIST["deviation"] if entry["file"] == name for line in entry["exactly"]]
        self._deviating = {line.partition(":")[0].partition(".")[0].removesuffix("[]") for line in lines}
        self.replaced: Schema = {}

    def compare(self, theirs: Mapping[str, Any], ours: Any) -> None:
        """Take a pair of bodies, and all pairs of types within them."""
        (schema,), components = msgspec.json.schema_components([ours])
        replaced, deviating = self.replaced, self._deviating

        class Noting(Shapes):
            def differences(self, where: str, theirs: Any, ours: Any) -> Iterator[str]:
                component = str(theirs.get("$ref", "")).rpartition("/")[2]
                if component in deviating:
                    replaced[component] = _prefixed(msgspec.json.decode(msgspec.json.encode(ours)))
                yield from super().differences(where, theirs, ours)

        for _ in Noting(self._official.schemas, components).differences("", theirs, schema):
            pass


def _prefixed(part: Any) -> Any:
    """The same with every reference to a component of ours leading to its name beside those of the file."""
    if isinstance(part, dict):
        name = str(part.get("$ref", "")).rpartition("/")[2]
        rest = {key: _prefixed(value) for key, value in part.items() if key != "$ref"}
        return rest | ({"$ref": f"{COMPONENT}{OURS}{name}"} if name else {})
    return [_prefixed(item) for item in part] if isinstance(part, list) else part
