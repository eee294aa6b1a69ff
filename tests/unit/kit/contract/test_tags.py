"""An answer that may be none has its tag in every wiring when there is one."""

from __future__ import annotations

import pytest

from hanse.kit.contract.client import client
from hanse.kit.contract.declare import Api, Created, Page, Tagged, kind_of, patch
from hanse.kit.contract.describe import describe
from hanse.kit.contract.direct import direct
from hanse.kit.contract.gate import Gate
from hanse.kit.contract.guard import Guard
from hanse.kit.contract.reference import Offer, ReferencePoint
from hanse.kit.contract.serve import ApiServer
from hanse.kit.contract.transport import MemoryTransport
from tests.unit.kit.contract.harbour import PILOT, Port, Ship, Watch, by_header


class Watchtower(Api, bases=("/watch/v1",)):
    @patch("/ships/{name}")
    async def hail(self, name: str, ship: Ship) -> Tagged[Ship] | None: ...


class Keeper(Watchtower):
    async def hail(self, name: str, ship: Ship) -> Tagged[Ship] | None:
        return Tagged(ship, "seen") if name == ship.name else None


SEA = ReferencePoint(name="Sea", joins="", clause="", offers=(Offer(Watchtower, provider="keeper", users=("pilot",)),))


@pytest.mark.parametrize("how", ["direct", "memory"])
async def test_an_answer_that_may_be_none_comes_with_its_tag(how: str) -> None:
    keeper, gate, server = Keeper(), Gate("keeper", "keeper.1", "north", Guard([SEA]), Watch()), ApiServer(by_header)
    server.mount(keeper, gate, [Watchtower])
    wired = client(Watchtower, Port().peer(MemoryTransport(server)))
    tower = direct(Watchtower, keeper, gate, PILOT) if how == "direct" else wired
    adler = Ship(name="Adler")
    assert await tower.hail("Adler", adler) == Tagged(adler, "seen")
    assert await tower.hail("Falke", adler) is None


def test_a_description_tells_of_the_tag_where_there_is_one() -> None:
    answers = describe(Watchtower)["paths"]["/ships/{name}"]["patch"]["responses"]
    assert "ETag" in answers["200"]["headers"]
    assert "content" not in answers["204"]


def test_what_an_answer_is_beside_its_body_is_seen_through_the_possibility_of_none() -> None:
    kinds = (kind_of(Tagged[Ship] | None), kind_of(Created[Ship]), kind_of(Page[Ship]), kind_of(Ship | None))
    assert kinds == (Tagged, Created, Page, None)
