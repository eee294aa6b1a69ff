"""Who shares an address with many strangers gives way; who has shown who it is, and who is alone, does not."""

from __future__ import annotations

import pytest

from hanse.kit import places as module
from hanse.kit.places import Place, Places


class Hall:
    """Places, and who had to leave them."""

    def __init__(self, most: int) -> None:
        self.places = Places(most)
        self.left: list[str] = []

    def enter(self, name: str) -> Place | None:
        """``name`` begins with the address."""
        return self.places.take(name.split(".")[0], lambda: self.left.append(name))

    def full_of(self, address: str) -> None:
        while len(self.places) < self.places._most:
            assert self.enter(f"{address}.{len(self.places)}")


def test_one_address_may_have_all_places_while_nobody_else_wants_one() -> None:
    hall = Hall(8)
    hall.full_of("a")
    assert (len(hall.places), hall.left) == (8, [])


def test_a_newcomer_of_another_address_gets_the_place_of_the_longest_silent_one_of_the_greediest() -> None:
    hall = Hall(4)
    hall.enter("c.0")
    hall.full_of("a")
    assert hall.enter("b.0")
    assert (len(hall.places), hall.left) == (4, ["a.1"])


def test_addresses_end_with_equal_parts_and_none_takes_from_the_other() -> None:
    hall = Hall(8)
    hall.full_of("a")
    entered = [hall.enter(f"b.{number}") is not None for number in range(8)]
    assert entered == [True] * 4 + [False] * 4
    assert hall.left == ["a.0", "a.1", "a.2", "a.3"]
    assert hall.enter("a.9") is None


def test_who_has_shown_who_it_is_keeps_its_place() -> None:
    hall = Hall(4)
    for number in range(2):
        known = hall.enter(f"a.{number}")
        assert known
        known.known()
    hall.full_of("a")
    assert hall.enter("b.0")
    assert hall.left == ["a.2"]
    assert not hall.places.any(), "one stranger each: nobody gives way"
    assert hall.enter("c.0") is None


def test_of_one_address_the_newcomer_waits_for_no_one_who_was_silent_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    hall = Hall(3)
    hall.full_of("a")
    assert hall.enter("a.3") is None
    monkeypatch.setattr(module, "PROMPT", 0.0)
    assert hall.enter("a.3")
    assert hall.left == ["a.0"]


def test_a_place_that_is_given_back_is_free_once() -> None:
    hall = Hall(2)
    first, second = hall.enter("a.0"), hall.enter("b.0")
    assert first
    assert second
    assert not hall.places.any()
    for _ in range(2):
        first.give_back()
    assert (len(hall.places), hall.places.any()) == (1, True)
    first.leave()
    assert hall.left == []
