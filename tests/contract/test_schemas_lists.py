"""The queries that lists are asked with: each means something, and all that can be meant is drawn."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hanse.kit.contract.declare import Operation
from hanse.kit.contract.filter import OPERATORS, parse
from hanse.kit.contract.page import MARKER
from hanse.kit.contract.select import LEGAL
from hanse.kit.problems import Problem
from hanse.refpoints.mp1.services import ServiceManagement
from tests.contract.conformance_rows import STANDARD
from tests.contract.schemas_lists import item_of, member_of, nearly, queries, quoted

LISTED = [pytest.param(o, id=o.name) for api in STANDARD for o in api.operations.values() if o.listing is not None]
KEYS = ["one", "two, (three)", "ä"]
DRAWN = settings(
    max_examples=60, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


def read(operation: Operation, query: dict[str, str]) -> None:
    assert operation.listing is not None
    _, rest = operation.listing.read(urlencode(query), True)
    assert rest == "", "a parameter of lists is left for the operation"


@pytest.mark.parametrize("operation", LISTED)
def test_every_query_of_a_list_is_understood(operation: Operation) -> None:
    @DRAWN
    @given(query=queries(operation, KEYS))
    def ask(query: dict[str, str]) -> None:
        read(operation, query)

    ask()


def test_every_operator_selector_and_marker_is_asked() -> None:
    operators: set[str] = set()
    chosen: set[frozenset[str]] = set()

    @settings(DRAWN, max_examples=500)
    @given(query=queries(ServiceManagement.operations["find_services"], KEYS))
    def ask(query: dict[str, str]) -> None:
        chosen.add(frozenset(query))
        operators.update(re.findall(r"\((\w+),", query.get("filter", "")))

    ask()
    assert operators >= set(OPERATORS)
    for selectors in LEGAL:
        assert {frozenset({"filter", *selectors}), frozenset({MARKER, *selectors}), frozenset(selectors)} <= chosen


@pytest.mark.parametrize("operation", LISTED)
def test_what_is_nearly_a_query_is_understood_or_refused_and_both_are_asked(operation: Operation) -> None:
    outcomes: set[int] = set()

    @DRAWN
    @given(query=queries(operation, KEYS).flatmap(nearly))
    def ask(query: dict[str, str]) -> None:
        try:
            read(operation, query)
            outcomes.add(200)
        except Problem as problem:
            outcomes.add(problem.status)

    ask()
    assert outcomes == {200, 400}


@DRAWN
@given(text=st.text(max_size=8))
def test_a_value_in_quotes_is_read_as_it_was_meant(text: str) -> None:
    (expression,) = parse(f"(eq,name,{quoted(text)})")
    assert expression.values == (text,)


@pytest.mark.parametrize("operation", LISTED)
def test_items_are_told_apart_by_an_attribute_that_they_have(operation: Operation) -> None:
    assert member_of(operation) in {field.encode_name for field in msgspec.structs.fields(item_of(operation))}
