"""Reading what came from outside: whatever is wrong with it becomes a problem 400 that names the field."""

from __future__ import annotations

import enum
import functools
import re
import typing
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from hanse.kit.contract.attributes import is_structure, members
from hanse.kit.contract.mend import LINKS as LINKS
from hanse.kit.contract.mend import mended
from hanse.kit.problems import Problem, bad_request

QUERY_LIMIT = 200
"""Query parameters of one request."""
REMEMBERED_QUERIES = 2048
"""Queries that need not be read again: applications repeat theirs."""
REMEMBERED_LENGTH = 256
"""Characters of the longest query that is remembered."""

MENDS = 2
"""Times that a body is mended: there are two things that are."""
_PLAIN = re.compile(r"[A-Za-z0-9_.~:/,=&-]+")
_AT = re.compile(r" - at `\$(?P<path>.*)`$")


def decode_body(raw: bytes, shape: Any) -> Any:
    """Decode a JSON body; a lone wrapper key equal to the type's name is accepted (MEC 009 digest, section 1)."""
    if not raw:
        raise bad_request("Body missing", f"send a JSON {_name(shape)}")
    try:
        raw.decode()  # msgspec does not look into what it skips
        return _read(_unwrapped(raw, shape), shape)
    except msgspec.ValidationError as error:
        raise invalid(str(error), shape) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise bad_request("Body is not JSON", str(error)) from None
    except RecursionError:
        raise bad_request("Body is nested too deeply", "send at most a few dozen levels") from None


def _read(raw: bytes, shape: Any, mends: int = MENDS) -> Any:
    """The value in a body, read again if what is wrong with it can be mended."""
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError as error:
        better = mended(raw, shape, str(error)) if mends else None
        if better is None:
            raise
    return _read(better, shape, mends - 1)


def _unwrapped(raw: bytes, shape: Any) -> bytes:
    name, text = _name(shape), raw.lstrip()
    wrappable = is_structure(shape)
    if not (wrappable and text.startswith(b"{") and text[1:].lstrip().startswith(b'"' + name.encode() + b'"')):
        return raw
    outer = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    return bytes(outer[name]) if set(outer) == {name} else raw


class _UnknownParameter(Exception):
    """A parameter that a query struct does not have."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(name)
        self.name, self.known = name, known


def decode_query(raw: str, shape: type[msgspec.Struct] | None, besides: tuple[str, ...] = ()) -> msgspec.Struct | None:
    """Decode query parameters into ``shape``; unknown ones are refused, repetition is for tuples only.

    ``besides``: parameters that the operation takes too and that are read already; who errs is told of them.
    """
    try:
        if len(raw) <= REMEMBERED_LENGTH and shape is not None and shape.__struct_config__.frozen:
            return _remembered_query(raw, shape)
        return _decoded_query(raw, shape)
    except _UnknownParameter as unknown:
        legal = ", ".join((*unknown.known, *besides)) or "none"
        raise bad_request(f"Unknown query parameter {unknown.name}", f"legal: {legal}") from None


@functools.lru_cache(maxsize=REMEMBERED_QUERIES)
def _remembered_query(raw: str, shape: type[msgspec.Struct]) -> msgspec.Struct | None:
    return _decoded_query(raw, shape)


def _decoded_query(raw: str, shape: type[msgspec.Struct] | None) -> msgspec.Struct | None:
    pairs = query_pairs(raw)
    if shape is None:
        if pairs:
            raise bad_request(f"Unknown query parameter {pairs[0][0]}", "this resource takes none")
        return None
    aliases: Mapping[str, str] = getattr(shape, "__aliases__", {})
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(aliases.get(name, name), []).append(value)
    known = _parameters(shape)
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        raise _UnknownParameter(unknown, tuple(known))
    values = {name: _query_value(name, known[name], texts) for name, texts in given.items()}
    try:
        return msgspec.convert(values, shape, strict=False)
    except msgspec.ValidationError as error:
        raise invalid(str(error), shape, kind="query parameter") from None


class _Parameter(NamedTuple):
    repeats: bool
    boolean: bool


@functools.cache
def _parameters(shape: type[msgspec.Struct]) -> dict[str, _Parameter]:
    """What a query struct takes; to read its annotations costs more than to answer a request."""
    return {
        field.encode_name: _Parameter(
            any(typing.get_origin(m) is tuple for m in members(field.type)), bool in members(field.type)
        )
        for field in msgspec.structs.fields(shape)
    }


def query_pairs(raw: str) -> list[tuple[str, str]]:
    """The parameters of a query in their order; a problem 400 if they cannot be read."""
    if not raw:
        return []
    if _PLAIN.fullmatch(raw) and raw.count("&") < QUERY_LIMIT:  # nothing is encoded: four times faster
        return [(name, value) for name, _, value in (part.partition("=") for part in raw.split("&")) if name or value]
    try:
        return parse_qsl(raw, keep_blank_values=True, max_num_fields=QUERY_LIMIT, errors="strict")
    except UnicodeDecodeError:
        raise bad_request("Query is not UTF-8", "percent-encode the bytes of UTF-8 text") from None
    except ValueError:
        raise bad_request("Too many query parameters", f"at most {QUERY_LIMIT} are taken") from None


def _query_value(name: str, parameter: _Parameter, texts: list[str]) -> Any:
    if parameter.repeats:
        return texts
    if len(texts) > 1:
        raise bad_request(f"Query parameter {name} given {len(texts)} times", "give it once")
    return texts[0].lower() if parameter.boolean else texts[0]


def invalid(message: str, shape: Any, kind: str = "attribute") -> Problem:
    """A problem 400 from a validation message: its title names the field, its detail the legal values."""
    found = _AT.search(message)
    path = found["path"].lstrip(".") if found else ""
    text = message[: found.start()] if found else message
    missing = re.search(r"missing required field `(\w+)`", text)
    if missing:
        path = f"{path}.{missing[1]}".lstrip(".")
    legal = legal_values(shape, path)
    detail = f"{text}; legal: {', '.join(legal)}" if legal else text
    if missing:
        return bad_request(f"Missing {kind} {path}", detail)
    return bad_request(f"Invalid {kind} {path}" if path else "Invalid body", detail)


def legal_values(shape: Any, path: str) -> list[str]:
    """The values that the enumeration or boolean at ``path`` of ``shape`` allows, or none where it is neither."""
    for segment in re.findall(r"[A-Za-z_]\w*|\[[^\]]*\]", path):
        shape = _step(shape, segment)
    types = [member for member in members(shape) if isinstance(member, type)]
    listed = [str(value.value) for kind in types if issubclass(kind, enum.Enum) for value in kind]
    return [*listed, *(("true", "false") if bool in types else ())]


def _step(shape: Any, segment: str) -> Any:
    for member in members(shape):
        if segment.startswith("["):
            arguments = typing.get_args(member)
            if arguments:
                return arguments[-1] if arguments[-1] is not Ellipsis else arguments[0]
        elif is_structure(member):
            for field in msgspec.structs.fields(member):
                if field.encode_name == segment:
                    return field.type
    return None


def _name(shape: Any) -> str:
    """The type as its specification calls it, which is ``__wire_name__`` where we call it otherwise."""
    return str(getattr(shape, "__wire_name__", getattr(shape, "__name__", "value")))
