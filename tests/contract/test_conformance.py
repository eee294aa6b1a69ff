"""The document of conformance is true: whoever reads a clause there finds the operation, and the test that shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hanse.kit.contract.declare import Api
from hanse.refpoints.table import REFERENCE_POINTS
from tests.contract.conformance_document import document
from tests.contract.conformance_rows import STANDARD, clauses_of, own_apis, shown, specification_of
from tests.contract.recorded import targets
from tests.contract.statuses.tables import TABLES
from tests.contract.test_official_files import LIST
from tests.contract.world import ROLES

DOCUMENT = Path(__file__).parents[2] / "docs" / "conformance.md"


def test_the_document_is_what_the_declarations_and_tables_say_now() -> None:
    assert DOCUMENT.read_text() == document(), "make docs writes it anew"


@pytest.mark.parametrize("api", STANDARD, ids=lambda api: api.__name__)
def test_every_operation_of_a_standard_names_the_clause_that_asks_for_it(api: type[Api]) -> None:
    assert specification_of(api), f"{api.__module__}: name it in the docstring, like ETSI GS MEC 011 V3.1.1"
    without = [operation.name for operation in api.operations.values() if not clauses_of(operation)]
    assert without == [], "name the clause in the docstring, like (7.2.12.3.4)"


@pytest.mark.parametrize("api", STANDARD, ids=lambda api: api.__name__)
def test_every_operation_of_a_standard_has_a_test_that_shows_it(api: type[Api]) -> None:
    assert [one.operation.name for one in shown(api) if one.row is None] == []


@pytest.mark.parametrize("api", STANDARD, ids=lambda api: api.__name__)
def test_the_test_named_is_a_success_unless_the_operation_never_succeeds(api: type[Api]) -> None:
    refused = {one.operation.name for one in shown(api) if one.row is not None and one.row.status >= 400}
    assert refused <= {"upload_onboarded", "replace_descriptor", "replace_onboarded_descriptor"}


def test_the_rows_that_are_named_are_those_that_their_test_files_run() -> None:
    for file in TABLES:
        source = (Path(__file__).parent / file).read_text()
        assert re.search(r'parametrize\("row", ROWS, ids=lambda row: row.id\)', source)


def test_every_api_that_is_offered_is_in_the_document() -> None:
    text = DOCUMENT.read_text()
    offered = {offer.api for point in REFERENCE_POINTS for offer in point.offers}
    assert {*STANDARD, *own_apis()} == offered
    assert [api.__name__ for api in STANDARD if f"\n## {api.__name__}\n" not in text] == []
    assert [api.__name__ for api in own_apis() if f"| {api.__name__} |" not in text] == []


def test_every_operation_of_our_own_is_asked_by_those_who_may_and_may_not() -> None:
    asked = {(target.api, target.operation.name) for role in ROLES for target in targets(role)}
    assert {(api, name) for api in own_apis() for name in api.operations} <= asked


def test_every_deviation_is_told_with_its_reason() -> None:
    text = DOCUMENT.read_text()
    lines = [line for kind in ("deviation", "not_offered") for entry in LIST[kind] for line in entry["exactly"]]
    assert [line for line in lines if f"`{line}`\n" not in text] == []


def test_every_rule_that_is_kept_otherwise_is_told_with_the_test_that_shows_how() -> None:
    text = DOCUMENT.read_text()
    for rule in LIST["rule"]:
        file, _, test = rule["shown_by"].partition("::")
        assert f"def {test}(" in (Path(__file__).parent / file).read_text()
        assert f"- {rule['clause']}: {rule['asks']}" in text


def test_nothing_that_a_reader_does_not_have_is_named_as_a_reason() -> None:
    assert re.findall(r"mec[\w-]+\.md", DOCUMENT.read_text()) == []
