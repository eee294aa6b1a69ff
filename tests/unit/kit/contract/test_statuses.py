"""What a description promises of an operation's statuses follows from what kind of operation it is."""

from __future__ import annotations

from hanse.kit.contract.statuses import answers, refusals, successes
from tests.unit.kit.contract.harbour import Harbour

EVERY = {400, 401, 403, 404, 406, 414, 429}


def test_every_operation_may_refuse_what_any_may() -> None:
    for operation in Harbour.operations.values():
        assert set(refusals(operation)) >= EVERY or operation.method == "*", operation.name


def test_only_who_takes_a_body_refuses_its_size_kind_and_pace() -> None:
    bodies = {name for name, o in Harbour.operations.items() if {408, 413, 415} <= set(refusals(o))}
    assert bodies == {"enter", "refit", "load"}


def test_only_what_has_a_tag_is_unchanged_and_only_when_it_is_read() -> None:
    assert [name for name, o in Harbour.operations.items() if 304 in successes(o)] == ["look"]


def test_what_passes_on_promises_nothing_of_its_own() -> None:
    operation = Harbour.operations["pass_on"]
    assert set(answers(operation)) == {operation.success, *operation.refuses}
