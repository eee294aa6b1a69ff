"""An announcement of which little changed is taken over at the cost of what changed."""

from __future__ import annotations

import time
from typing import Any

import pytest
from msgspec.structs import replace

from hanse.kit.contract.call import Caller, next_call, serving
from hanse.kit.store import Transaction
from hanse.refpoints.mp2 import TrafficMatch
from hanse.refpoints.mp3.services import Announcement
from tests.turns import turns
from tests.unit.elements.mep.parts import Bench, service
from tests.unit.elements.mep.sharing.test_neighbours import NAMED
from tests.unit.elements.mep.steering.test_spots import shared

SERVICES, RULES = 5000, 3000
LONGEST = 0.5
"""Of the work that is done in one go; it is a fifth, and was four fifths."""


async def announce(bench: Bench, announcement: Announcement) -> None:
    """As the platform of the airport."""
    with serving(next_call(Caller(role="mep", name="mep.airport", operator="north"))):
        await bench.platform.neighbours.announce("airport", announcement)


@pytest.fixture
def many() -> Announcement:
    services = tuple(replace(service(f"s{number}"), ser_instance_id=str(number)) for number in range(SERVICES))
    at = [TrafficMatch(dst_address=(f"127.9.{n // 250}.{n % 250}",)) for n in range(RULES)]
    return Announcement(mark="a", services=services, rules=tuple(shared(f"o{n}", at[n]) for n in range(RULES)))


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keys of services elsewhere that were written."""
    keys, put = list[str](), Transaction.put

    def counted(self: Transaction, shelf: Any, key: str, value: Any) -> None:
        if shelf.name == "remote_service":
            keys.append(key)
        put(self, shelf, key, value)

    monkeypatch.setattr(Transaction, "put", counted)
    return keys


async def test_of_many_services_one_that_changed_is_written_and_found_as_it_is_now(
    bench: Bench, many: Announcement, written: list[str]
) -> None:
    await announce(bench, many)
    assert len(written) == SERVICES
    written.clear()
    changed = replace(many.services[7], ser_name="speech")
    await announce(bench, replace(many, mark="b", services=(*many.services[:7], changed, *many.services[8:])))
    assert len(written) == 1
    assert [found.ser_name for found in await bench.platform.services.find_services(NAMED)] == ["speech"]


async def test_of_many_rules_one_that_changed_concerns_its_app_alone(bench: Bench, many: Announcement) -> None:
    bench.plane.common = False
    await announce(bench, many)
    await bench.platform.steering.restore()
    before, (first, *rest) = len(bench.plane.rules), many.rules
    bench.plane.done.clear()
    moved = replace(first, forwarding=replace(first.forwarding, to_address="127.9.0.77"))
    await announce(bench, replace(many, mark="b", rules=(moved, *rest)))
    await bench.platform.steering.restore()
    assert bench.plane.done == ["install o0"]
    assert len(bench.plane.rules) == before == RULES


async def test_the_platform_has_turns_for_others_while_it_hears_of_many_services(
    bench: Bench, many: Announcement
) -> None:
    await announce(bench, many)
    began = time.thread_time()
    async with turns() as taken:
        await announce(bench, replace(many, mark="b"))
    assert taken.longest < LONGEST * (time.thread_time() - began)
