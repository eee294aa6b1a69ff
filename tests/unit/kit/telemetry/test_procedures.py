"""Finding what belongs together, and what one looks for."""

from __future__ import annotations

import pytest

from hanse.kit.telemetry.join import join
from hanse.kit.telemetry.procedures import Filter, containing, procedures
from tests.unit.kit.telemetry.example import message, north, south


def test_calls_of_one_trace_are_one_procedure_named_by_its_first_call() -> None:
    (found,) = procedures([message("2", began=2, operation="grant"), message("1", began=1)])
    assert found.name == "instantiate (Mm1, oss)"
    assert [m.span for m in found.messages] == ["1", "2"]


def test_calls_without_a_trace_are_procedures_of_their_own() -> None:
    assert len(procedures([message("1", trace=""), message("2", trace="")])) == 2


def test_the_newest_procedure_is_last() -> None:
    found = procedures([message("1", trace="b", began=2), message("2", trace="a", began=1)])
    assert [p.messages[0].trace for p in found] == ["a", "b"]


def test_a_chain_of_operators_is_one_procedure() -> None:
    chain = [
        message("1", "a", link="ab", side="sender"),
        message("2", "b", link="ab"),
        message("3", "b", link="bc", side="sender"),
        message("4", "c", link="bc"),
        message("5", "c", trace="another"),
    ]
    assert sorted(len(p.messages) for p in procedures(join(chain))) == [1, 2]


def test_two_views_that_could_not_be_joined_are_still_one_procedure() -> None:
    assert len(procedures([message("1", link="L"), message("2", "south", link="L")])) == 1


def test_a_partner_whose_clock_is_slow_does_not_answer_before_it_is_asked() -> None:
    late = [m for m in south() if m.span == "s1"]
    early = [message("s2", "south", parent="s1", began=3.0), message("s3", "south", parent="s2", began=2.0)]
    (found,) = procedures(join(north() + late + early))
    assert [m.span for m in found.messages] == ["n1", "n2", "s2", "s3"]


def test_calls_of_the_same_instant_are_told_from_the_outside_in() -> None:
    (found,) = procedures([message("c", parent="b"), message("b", parent="a"), message("a")])
    assert [m.span for m in found.messages] == ["a", "b", "c"]


def test_a_journal_with_a_loop_of_parents_can_be_shown() -> None:
    (found,) = procedures([message("a", parent="b"), message("b", parent="a")])
    assert len(found.messages) == 2


def test_a_procedure_lasts_until_its_last_answer_and_fails_with_its_first_call() -> None:
    (found,) = procedures([message("1", began=1, ended=2), message("2", began=1.5, ended=4, status=500)])
    assert found.seconds == 3
    assert not found.failed
    assert procedures([message("1", status=404)])[0].failed


def test_ten_thousand_calls_of_one_deep_trace_are_grouped_at_once() -> None:
    calls = [message(str(i), parent=str(i - 1), began=float(i)) for i in range(10_000)]
    (found,) = procedures(reversed(calls))
    assert found.messages == calls


@pytest.mark.parametrize(
    ("wanted", "admitted"),
    [
        (Filter(), True),
        (Filter(reference_point="mm3"), True),
        (Filter(reference_point="Mm"), False),
        (Filter(operation="Terminate"), True),
        (Filter(operation="term"), False),
        (Filter(app_instance_id="3f2a"), True),
        (Filter(app_instance_id="77"), True),
        (Filter(app_instance_id="app9"), True),
        (Filter(app_instance_id="nobody"), False),
        (Filter(text="NOT shared"), True),
        (Filter(text="403"), True),
        (Filter(text="/instances/77"), True),
        (Filter(text="harbour", reference_point="Mp1"), False),
    ],
)
def test_one_finds_a_call_by_what_one_knows_of_it(wanted: Filter, admitted: bool) -> None:
    call = message(
        reference_point="Mm3",
        sender="app.app9",
        receiver="mep.harbour",
        operation="terminate",
        path="/instances/77",
        status=403,
        problem="Not shared",
        app_instance_id="3f2a-88",
    )
    assert wanted.admits(call) is admitted


def test_a_procedure_is_found_whole_by_one_of_its_calls() -> None:
    found = procedures(join([*north(), *south(), message("9", trace="other")]))
    (wanted,) = containing(found, Filter(operation="services"))
    assert len(wanted.messages) == 3
