"""What is remembered of strangers is bounded, however many come, and what is in use is not what is forgotten."""

from __future__ import annotations

import pytest

from hanse.kit.recent import Recent


def test_of_many_only_the_last_ones_are_remembered() -> None:
    recent: Recent[int, str] = Recent(3)
    for number in range(10_000):
        assert recent.keep(number, str(number)) == str(number)
    assert len(recent) == 3
    assert [recent.find(number) for number in (0, 9_996, 9_997, 9_999)] == [None, None, "9997", "9999"]


def test_what_is_asked_for_again_and_again_stays() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.keep("in use", 1)
    for number in range(100):
        recent.keep(f"stranger {number}", number)
        assert recent.find("in use") == 1


def test_a_value_is_replaced_and_counts_as_new() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.keep("a", 1)
    recent.keep("b", 2)
    recent.keep("a", 3)
    recent.keep("c", 4)
    assert (recent.find("a"), recent.find("b"), recent.find("c")) == (3, None, 4)


def test_room_for_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Recent(0)
