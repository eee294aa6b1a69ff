"""One arrow a call, whoever saw it."""

from __future__ import annotations

from hanse.kit.telemetry.join import Crossing, join
from tests.unit.kit.telemetry.example import message, north, south


def test_of_two_views_of_a_call_the_receivers_is_kept() -> None:
    views = [message("1", side="sender", receiver="an alias"), message("1", receiver="meo")]
    assert [m.receiver for m in join(views)] == ["meo"]
    assert [m.receiver for m in join(reversed(views))] == ["meo"]


def test_the_kept_view_has_the_marks_that_only_the_sender_knew() -> None:
    (found,) = join([message("1", side="sender", parent="p", link="L", app_instance_id="app-1"), message("1")])
    assert (found.side, found.parent, found.link, found.app_instance_id) == ("receiver", "p", "L", "app-1")


def test_a_departure_and_its_arrival_are_one_crossing() -> None:
    crossing = join(north() + south())[1]
    assert isinstance(crossing, Crossing)
    assert (crossing.operator, crossing.sender) == ("north", "meo")
    assert (crossing.far_operator, crossing.receiver) == ("south", "fm")
    assert (crossing.far_trace, crossing.far_span) == ("trace-south", "s1")
    assert (crossing.began, crossing.ended) == (100.01, 100.03), "the caller waited this long"
    assert crossing.problem == "Not shared", "this is what the caller was told"


def test_equal_spans_of_two_operators_are_two_calls() -> None:
    assert len(join([message("1", "north"), message("1", "south")])) == 2


def test_a_broker_that_passes_a_link_on_gives_two_crossings() -> None:
    seen = [
        message("1", "north", link="L", side="sender", began=1),
        message("2", "broker", link="L", began=2),
        message("3", "broker", link="L", side="sender", began=3),
        message("4", "south", link="L", began=4),
    ]
    found = [(m.operator, m.far_operator) for m in join(reversed(seen)) if isinstance(m, Crossing)]
    assert found == [("north", "broker"), ("broker", "south")]


def test_an_operator_does_not_call_itself_across_a_border() -> None:
    seen = [message("1", link="L", side="sender"), message("2", link="L")]
    assert not any(isinstance(m, Crossing) for m in join(seen))
    assert len(join(seen)) == 2


def test_nothing_joined_is_nothing() -> None:
    assert join([]) == []
