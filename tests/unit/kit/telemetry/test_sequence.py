"""Columns and arrows."""

from __future__ import annotations

from hanse.kit.contract.observe import Message
from hanse.kit.telemetry.join import join
from hanse.kit.telemetry.procedures import procedures
from hanse.kit.telemetry.sequence import Group, Sequence, sequence
from tests.unit.kit.telemetry.example import hostile, message, north, south


def shape(messages: list[Message]) -> Sequence:
    (procedure,) = procedures(join(messages))
    return sequence(procedure)


def columns(messages: list[Message]) -> list[tuple[str, str]]:
    return [(p.operator, p.name) for p in shape(messages).participants]


def test_participants_stand_in_the_order_of_appearance_beside_those_of_their_operator() -> None:
    later = message("n3", sender="meo", receiver="mepm", began=101)
    assert columns([*north(), *south(), later]) == [
        ("north", "oss"),
        ("north", "meo"),
        ("north", "mepm"),
        ("south", "fm"),
        ("south", "mep.quay"),
    ]


def test_an_operator_spans_its_own_columns() -> None:
    both = [Group(operator="north", first=0, last=1), Group(operator="south", first=2, last=3)]
    assert shape(north() + south()).groups == both


def test_a_partner_that_is_known_only_by_name_stands_outside_of_us() -> None:
    assert columns(north()) == [("north", "oss"), ("north", "meo"), ("south", "south")]
    assert columns(south()) == [("north", "north"), ("south", "fm"), ("south", "mep.quay")]


def test_elements_of_the_same_name_in_two_operators_are_two() -> None:
    crossing = [
        message("1", sender="fm", receiver="south", link="L", side="sender"),
        message("2", "south", sender="north", receiver="fm", link="L"),
    ]
    assert columns(crossing) == [("north", "fm"), ("south", "fm")]


def test_arrows_are_numbered_and_say_how_it_went() -> None:
    arrows = shape(north() + south()).arrows
    assert [(a.number, a.source, a.target, a.outcome, a.took) for a in arrows] == [
        (1, 0, 1, "202", "250 ms"),
        (2, 1, 2, "403", "20.0 ms"),
        (3, 2, 3, "200", "0.50 ms"),
    ]
    assert [a.failed for a in arrows] == [False, True, False]


def test_a_call_that_got_no_answer_counts_as_failed() -> None:
    (arrow,) = shape([message(status=0)]).arrows
    assert (arrow.failed, arrow.outcome) == (True, "no answer")


def test_the_title_sums_up() -> None:
    assert shape(north() + south()).title == "instantiate (Mm1, oss) · 3 calls · 250 ms"
    assert shape([message()]).title == "instantiate (Mm1, oss) · 1 call · 10.0 ms"


def test_no_control_character_gets_through_any_member() -> None:
    found = shape([hostile()])
    (arrow,) = found.arrows
    drawn = [found.title, *(p.operator + p.name for p in found.participants), arrow.request, arrow.problem]
    drawn += [arrow.operation, arrow.reference_point]
    assert all(text.isprintable() for text in drawn)
