"""Strangers: keys of a file that nothing would read.

Over an API an attribute that is not known is passed over, as the standard wants it. In a file it is a slip of the pen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import inspect


def strangers(raw: Any, shape: inspect.Type, path: str = "") -> Iterator[tuple[str, str]]:
    """The path of each key that ``shape`` does not have, and the keys that it has there."""
    if isinstance(shape, inspect.UnionType):
        for member in shape.types:
            yield from strangers(raw, member, path)
    elif isinstance(shape, inspect.StructType) and isinstance(raw, dict):
        known = {field.encode_name: field.type for field in shape.fields}
        for key, value in raw.items():
            inner = f"{path}.{key}".lstrip(".")
            if key not in known:
                yield inner, f"one of {', '.join(known)}"
            else:
                yield from strangers(value, known[key], inner)
    elif isinstance(shape, inspect.DictType) and isinstance(raw, dict):
        for key, value in raw.items():
            yield from strangers(value, shape.value_type, f"{path}.{key}")
    elif isinstance(shape, inspect.VarTupleType | inspect.ListType) and isinstance(raw, list):
        for index, value in enumerate(raw):
            yield from strangers(value, shape.item_type, f"{path}[{index}]")
