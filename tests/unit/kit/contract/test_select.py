"""Who asks for less of a list gets exactly that less, and never loses what is mandatory (MEC 009, 6.18)."""

from __future__ import annotations

import msgspec
import pytest

from hanse.kit.contract.select import Selectable, pruned
from hanse.kit.problems import Problem
from tests.unit.kit.contract.fleet import ADLER, Vessel

SELECTABLE = Selectable(Vessel, ("cargo", "_papers/toll"))
WHOLE = msgspec.to_builtins(ADLER)
SIMPLE = {"id", "rig", "crew", "armed", "homePort", "_papers"}
EVERYTHING = SIMPLE | {"cargo", "calls", "master", "remarks"}


def selected(**given: str) -> dict[str, object]:
    answer: dict[str, object] = pruned(WHOLE, SELECTABLE.removed(given))
    return answer


def test_all_fields_are_all_fields() -> None:
    assert selected(all_fields="") == selected(all_fields="true") == WHOLE
    assert set(WHOLE) == EVERYTHING


def test_what_is_left_out_by_default_is_left_out_with_and_without_asking() -> None:
    assert selected() == selected(exclude_default="")
    assert set(selected()) == EVERYTHING - {"cargo"}
    assert selected()["_papers"] == {"self": "a"}


def test_exactly_the_excluded_fields_are_missing() -> None:
    answer = selected(exclude_fields="calls,_papers/toll")
    assert set(answer) == EVERYTHING - {"calls"}
    assert answer["_papers"] == {"self": "a"}
    assert answer["cargo"] == WHOLE["cargo"]


def test_of_what_can_be_left_out_only_the_wanted_fields_are_there() -> None:
    assert set(selected(fields="cargo")) == SIMPLE | {"cargo"}
    assert selected(fields="cargo")["_papers"] == {"self": "a"}
    assert selected(fields="_papers/toll")["_papers"] == WHOLE["_papers"]
    assert set(selected(fields="id")) == SIMPLE
    assert set(selected(fields="calls/name")) == SIMPLE | {"calls"}


def test_fields_with_the_default_add_to_it() -> None:
    assert set(selected(fields="cargo", exclude_default="")) == EVERYTHING
    assert selected(fields="cargo", exclude_default="")["_papers"] == {"self": "a"}
    assert selected(fields="_papers", exclude_default="")["_papers"] == WHOLE["_papers"]


def test_what_is_absent_anyway_is_no_matter() -> None:
    assert pruned({"id": "x"}, SELECTABLE.removed({"exclude_fields": "cargo"})) == {"id": "x"}


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"all_fields": "", "fields": "cargo"}, "all_fields and fields"),
        ({"all_fields": "", "exclude_default": ""}, "all_fields"),
        ({"fields": "cargo", "exclude_fields": "calls"}, "exclude_fields and fields"),
        ({"exclude_fields": "cargo", "exclude_default": ""}, "exclude_default"),
        ({"all_fields": "no"}, "no value"),
        ({"exclude_default": "false"}, "no value"),
        ({"fields": ""}, "name attributes"),
        ({"exclude_fields": ""}, "name attributes"),
        ({"fields": "sails"}, "sails"),
        ({"fields": "cargo,"}, "legal"),
        ({"exclude_fields": "sails"}, "sails"),
        ({"exclude_fields": "calls/sails"}, "name, depth"),
        ({"exclude_fields": "id"}, "always there"),
        ({"exclude_fields": "homePort"}, "always there"),
        ({"exclude_fields": "_papers"}, "always there"),
        ({"exclude_fields": "_papers/self"}, "always there"),
    ],
)
def test_selectors_that_cannot_be_meant_are_refused(given: dict[str, str], word: str) -> None:
    with pytest.raises(Problem) as caught:
        SELECTABLE.removed(given)
    assert caught.value.status == 400
    assert word in caught.value.detail


def test_a_default_that_names_nothing_is_our_own_mistake_and_seen_at_once() -> None:
    with pytest.raises(Problem, match="left_out"):
        Selectable(Vessel, ("sails",))
