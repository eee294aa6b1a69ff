"""A host never promises what it does not have, and two apps never share an address."""

from __future__ import annotations

import pytest

from hanse.elements.vim.domain import Equipment, take
from hanse.elements.vim.records import Taken
from hanse.kit.problems import Problem
from hanse.refpoints.mm6.workloads import Demand

EQUIPMENT = Equipment(memory=1000, cpu_milli=2000, addresses=("127.9.0.1", "127.9.0.2"), port=9000)


def demand(name: str = "new", memory: int = 100, cpu: int = 100) -> Demand:
    return Demand(app_instance_id=name, image_id="image", memory=memory, cpu_milli=cpu)


def taken(address: str, memory: int = 0, cpu: int = 0) -> Taken:
    return Taken(app_instance_id=address, image_id="image", memory=memory, cpu_milli=cpu, address=address, port=9000)


def test_an_app_gets_all_that_it_asked_for_at_an_address_of_its_own() -> None:
    got = take(EQUIPMENT, [], demand(memory=1000, cpu=2000))
    assert got == Taken(
        app_instance_id="new", image_id="image", memory=1000, cpu_milli=2000, address="127.9.0.1", port=9000
    )


def test_an_address_in_use_is_not_given_again_and_a_free_one_in_between_is() -> None:
    assert take(EQUIPMENT, [taken("127.9.0.1")], demand()).address == "127.9.0.2"
    assert take(EQUIPMENT, [taken("127.9.0.2")], demand()).address == "127.9.0.1"


@pytest.mark.parametrize(
    ("present", "wanted", "title", "detail"),
    [
        ([taken("127.9.0.1", memory=950)], demand(memory=51), "Not enough memory", "51 wanted, 50 of 1000 free"),
        ([taken("127.9.0.1", cpu=1950)], demand(cpu=51), "Not enough processors", "51 wanted, 50 of 2000 free"),
        ([taken("127.9.0.1"), taken("127.9.0.2")], demand(), "No address left", "all 2 addresses"),
    ],
)
def test_a_full_host_says_what_is_short_and_by_how_much(
    present: list[Taken], wanted: Demand, title: str, detail: str
) -> None:
    with pytest.raises(Problem, match=detail) as caught:
        take(EQUIPMENT, present, wanted)
    assert (caught.value.status, caught.value.title) == (409, title)


def test_the_last_byte_can_be_used() -> None:
    assert take(EQUIPMENT, [taken("127.9.0.1", memory=900)], demand(memory=100)).memory == 100
