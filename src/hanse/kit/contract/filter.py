"""Attribute filters: which items of a list are wanted (ETSI GS MEC 009 V3.1.1, 6.19).

``(eq,operationalState,ENABLED);(cont,appName,speech)``: expressions joined by ``;`` must all hold. An expression has an
operator, an attribute with ``/`` between the levels, and one value or, for in, nin, cont and ncont, several. A value
with a comma, a bracket or a quote stands in single quotes, which are doubled inside. In names ``~1 ~a ~b ~0`` mean
``/ , @ ~``. An attribute that is absent fulfils nothing; of an array one item that does is enough.
"""

from __future__ import annotations

import enum
import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from hanse.kit.contract.attributes import Attribute, attribute_at, is_free, is_structure, values_at
from hanse.kit.problems import Problem, bad_request

Test = Callable[[Any], bool]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "gt": operator.gt,
    "lt": operator.lt,
    "gte": operator.ge,
    "lte": operator.le,
}
_SEVERAL = ("in", "nin", "cont", "ncont")
OPERATORS = (*_COMPARE, *_SEVERAL)
MOST_VALUES = 100
"""Values in one filter: each is held against every item while everybody else waits."""


class Expression(NamedTuple):
    """One expression as it was written, without quotes and escapes."""

    operator: str
    path: tuple[str, ...]
    values: tuple[str, ...]


def parse(text: str) -> list[Expression]:
    """The expressions of a filter; a problem 400 says at which character it goes wrong, or that there are too many."""
    expressions, at, values = [], 0, 0
    while True:
        expression, at = _expression(text, at)
        expressions.append(expression)
        values += len(expression.values)
        if values > MOST_VALUES:
            raise _broken(f"at most {MOST_VALUES} values are taken in all its expressions")
        if at == len(text):
            return expressions
        at = _expect(text, at, ";")


def filter_of(text: str, shape: Any) -> Test:
    """Whether an item of type ``shape`` fits a filter; a problem 400 for what cannot be meant."""
    tests = [_test(expression, shape) for expression in parse(text)]
    return lambda item: all(test(item) for test in tests)


def _expression(text: str, at: int) -> tuple[Expression, int]:
    at = _expect(text, at, "(")
    name, at = _word(text, at)
    if name not in OPERATORS:
        raise _broken(f"unknown operator {name!r}; legal: {', '.join(OPERATORS)}")
    path, at = _word(text, _expect(text, at, ","))
    values = []
    while at < len(text) and text[at] == ",":
        value, at = _value(text, at + 1)
        values.append(value)
    if not values or (len(values) > 1 and name in _COMPARE):
        raise _broken(f"{name} takes {'exactly one value' if name in _COMPARE else 'at least one value'}")
    return Expression(name, tuple(_unescaped(part) for part in path.split("/")), tuple(values)), _expect(text, at, ")")


def _expect(text: str, at: int, character: str) -> int:
    if text[at : at + 1] != character:
        there = repr(text[at]) if at < len(text) else "its end"
        raise _broken(f"{character!r} is missing at character {at + 1}, before {there}")
    return at + 1


def _word(text: str, at: int) -> tuple[str, int]:
    end = at
    while end < len(text) and text[end] not in ",();'":
        end += 1
    if end == at:
        raise _broken(f"a name is missing at character {at + 1}")
    return text[at:end], end


def _value(text: str, at: int) -> tuple[str, int]:
    if text[at : at + 1] != "'":
        return _word(text, at)
    parts: list[str] = []
    while True:
        end = text.find("'", at + 1)
        if end < 0:
            raise _broken(f"the quote at character {at + 1} is not closed")
        parts.append(text[at + 1 : end])
        at = end + 1
        if text[at : at + 1] != "'":
            return "'".join(parts), at


def _unescaped(name: str) -> str:
    return name.replace("~1", "/").replace("~a", ",").replace("~b", "@").replace("~0", "~")


def _test(expression: Expression, shape: Any) -> Test:
    steps = attribute_at(shape, expression.path, "filter")
    check = _check(expression, steps[-1])
    return lambda item: any(check(value) for value in values_at(item, steps))


def _check(expression: Expression, leaf: Attribute) -> Test:
    name, texts = expression.operator, expression.values
    if is_structure(leaf.shape):
        raise _broken(f"{'/'.join(expression.path)} has attributes of its own: go on with / and one of them")
    if name in ("cont", "ncont"):
        wanted = name == "cont"
        return lambda value: any(text in _text(value) for text in texts) is wanted
    convert, plain = _reading(expression, leaf)
    values = [convert(text) for text in texts]
    if name in _SEVERAL:
        return lambda value: (plain(value) in values) is (name == "in")
    compare, wanted_value = _COMPARE[name], values[0]
    return lambda value: compare(plain(value), wanted_value)


def _reading(expression: Expression, leaf: Attribute) -> tuple[Callable[[str], Any], Callable[[Any], Any]]:
    """How the texts of an expression are read, and how a value is seen to be compared with them."""
    shape, path = leaf.shape, "/".join(expression.path)
    if shape is bool and expression.operator not in ("eq", "neq", "in", "nin"):
        raise _broken(f"{path} is a boolean, which {expression.operator} does not compare")
    if shape is bool:
        return lambda text: _one_of(path, text.lower(), ("true", "false")) == "true", lambda value: value
    if shape in (int, float):
        return lambda text: _number(path, text), lambda value: value
    if isinstance(shape, type) and issubclass(shape, enum.Enum):
        return lambda text: _one_of(path, text, tuple(str(member.value) for member in shape)), _text
    if is_free(shape):
        return lambda text: text, _text
    return lambda text: text, lambda value: value


def _one_of(path: str, text: str, legal: Sequence[str]) -> str:
    if text not in legal:
        raise _broken(f"{path} is never {text!r}; legal: {', '.join(legal)}")
    return text


def _number(path: str, text: str) -> int | float:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    raise _broken(f"{path} is a number, which {text[:100]!r} is not")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value.value) if isinstance(value, enum.Enum) else str(value)


def _broken(detail: str) -> Problem:
    return bad_request("Invalid query parameter filter", detail)
