"""A scenario waits for what is to come, and goes on without it when it does not come."""

from __future__ import annotations

from hanse.scenarios.waiting import awaited


class Counted:
    def __init__(self) -> None:
        self.looks = 0

    async def __call__(self) -> int:
        self.looks += 1
        return self.looks


async def test_what_is_there_already_costs_one_look() -> None:
    look = Counted()
    assert await awaited(look, lambda _: True) == 1
    assert look.looks == 1


async def test_what_comes_later_is_waited_for() -> None:
    assert await awaited(Counted(), lambda found: found == 4) == 4


async def test_what_never_comes_is_told_as_it_was_last() -> None:
    look = Counted()
    assert await awaited(look, lambda _: False, patience=0.2) == look.looks
    assert look.looks > 1
