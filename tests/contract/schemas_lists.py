"""Queries of lists that mean something: a grammar of filters, selectors and markers (MEC 009, 6.18 to 6.20).

An official file says no more of them than that they are text, and no text that is drawn at random is a filter.
"""

from __future__ import annotations

import enum
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from hanse.kit.contract.attributes import Attribute, attributes_of, is_structure
from hanse.kit.contract.declare import Operation, payload_type
from hanse.kit.contract.page import MARKER, page_of

Query = dict[str, str]
Draw = st.SearchStrategy
COMPARING = ("eq", "neq", "gt", "lt", "gte", "lte")
SEVERAL = ("in", "nin", "cont", "ncont")
OF_BOOLEANS = ("eq", "neq", *SEVERAL)
LEVELS = 4
"""Levels of attributes that are asked for."""
TEXT = st.text("aZ0-._ ,();'\"/~@%&=+äß\u4e2d", max_size=6)


@dataclass(frozen=True)
class Named:
    """An attribute of the items of a list, by its path from them."""

    path: str
    attribute: Attribute


def item_of(operation: Operation) -> Any:
    """The type of what an operation lists."""
    return typing.get_args(payload_type(operation.returns))[0]


def member_of(operation: Operation) -> str:
    """The attribute that tells the items apart, as it is called on the wire."""
    assert operation.listing is not None
    member = operation.listing.read("", True)[0].key
    return next(name for name, found in attributes_of(item_of(operation)).items() if found.member == member)


def queries(operation: Operation, keys: Sequence[str]) -> Draw[Query]:
    """Queries that are to be answered with 200, while the list has items with these ``keys``.

    A marker stands without a filter, for the item that it continues behind must be among those that fit.
    """
    filtered = st.fixed_dictionaries({"filter": filters(item_of(operation))})
    paged = st.sampled_from(keys).map(lambda key: {MARKER: marker(key)}) if keys else st.just({})
    parts: Draw[Query] = st.one_of(filtered, filtered, paged, st.just({}))
    return st.tuples(parts, selectors(operation)).map(lambda both: {**both[0], **both[1]})


def marker(key: str) -> str:
    """What a Link leads on with behind the item of this key."""
    return page_of([key, ""], str, "", 1)[1]


def filters(shape: Any) -> Draw[str]:
    """One to three expressions, all of which must hold."""
    leaves = [one for one in named(shape) if not is_structure(one.attribute.shape)]
    expression = st.sampled_from(leaves).flatmap(_expression)
    return st.lists(expression, min_size=1, max_size=3).map(";".join)


def _expression(leaf: Named) -> Draw[str]:
    legal = OF_BOOLEANS if leaf.attribute.shape is bool else (*COMPARING, *SEVERAL)
    return st.sampled_from(legal).flatmap(lambda operator: _written(operator, leaf))


def _written(operator: str, leaf: Named) -> Draw[str]:
    values = st.lists(_value(leaf.attribute.shape), min_size=1, max_size=3 if operator in SEVERAL else 1)
    return values.map(lambda found: f"({operator},{leaf.path},{','.join(found)})")


def _value(shape: Any) -> Draw[str]:
    if shape is bool:
        return st.sampled_from(["true", "false", "TRUE", "False", "'true'"])
    if shape in (int, float):
        return st.integers(-(2**40), 2**40).map(str)
    if isinstance(shape, type) and issubclass(shape, enum.Enum):
        return st.sampled_from([str(member.value) for member in shape])
    return TEXT.map(quoted)


def quoted(text: str) -> str:
    """A value in quotes, without which commas, brackets, quotes and nothing at all could not be meant."""
    plain = text and not set(text) & set(",();'")
    return text if plain else "'" + text.replace("'", "''") + "'"


def selectors(operation: Operation) -> Draw[Query]:
    """Each selector alone, and the one pair of them that there is."""
    assert operation.listing is not None
    everything = list(named(item_of(operation)))
    removable = [one.path for one in everything if _removable(one, operation.listing.left_out)]
    flags = [st.just({}), st.just({"all_fields": ""}), st.just({"exclude_default": "true"})]
    wanted = _paths([one.path for one in everything])
    lists = [
        wanted.map(lambda text: {"fields": text}),
        wanted.map(lambda text: {"fields": text, "exclude_default": ""}),
    ]
    if removable:
        lists.append(_paths(removable).map(lambda text: {"exclude_fields": text}))
    return st.one_of(*flags, *lists)


def _removable(one: Named, left_out: Sequence[str]) -> bool:
    return one.path in left_out or (one.attribute.complex and not one.attribute.required)


def _paths(legal: list[str]) -> Draw[str]:
    return st.lists(st.sampled_from(legal), min_size=1, max_size=4, unique=True).map(",".join)


def named(shape: Any, above: str = "", level: int = 1) -> Iterator[Named]:
    """All attributes of a type, those of its parts behind their own."""
    for name, attribute in attributes_of(shape).items():
        yield Named(above + name, attribute)
        if is_structure(attribute.shape) and level < LEVELS:
            yield from named(attribute.shape, f"{above}{name}/", level + 1)


def nearly(query: Query) -> Draw[Query]:
    """The same with one character of one value taken out, doubled or replaced: some of these mean nothing."""
    long = [name for name, value in query.items() if value]
    if not long:
        return st.just(query)
    return st.sampled_from(long).flatmap(lambda name: _bent(query[name]).map(lambda text: query | {name: text}))


def _bent(text: str) -> Draw[str]:
    at = st.integers(0, len(text) - 1)
    instead = st.one_of(st.just(""), st.sampled_from("(),;'/~&="))
    return st.tuples(at, instead).map(lambda change: text[: change[0]] + change[1] + text[change[0] + 1 :])
