"""A link to a partner renews a refused token, uses none of an ended agreement, and opens no way while it is closed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from hanse.assembly.links import PartnerLinks
from hanse.assembly.partners import PartnerWatch
from hanse.assembly.tables import PartnerSettings
from hanse.kit.contract.call import Caller
from hanse.kit.contract.observe import Silence
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mff_fed.federation import Federation
from hanse.refpoints.mfm_fed.members import MemberQuery
from tests.unit.assembly.test_partners import Manager

EVERYTHING = MemberQuery(ser_name=ABSENT)


@dataclass
class South:
    """A partner's border: gives tokens, and takes only the newest; ``answer`` replaces a token's answer."""

    url: str = ""
    given: int = 0
    answer: Any = None
    shown: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    async def token(self, request: web.Request) -> web.Response:
        self.given += 1
        body = {"access_token": f"t{self.given}", "expires_in": 300} if self.answer is None else self.answer
        return web.json_response(body)

    async def systems(self, request: web.Request) -> web.Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        self.shown.append(token)
        return web.json_response({"title": "no"}, status=401) if token in self.refused else web.json_response([])


@pytest.fixture
async def south() -> AsyncIterator[South]:
    made = South()
    application = web.Application()
    application.router.add_post("/oauth2/token", made.token)
    application.router.add_get("/mff_fed/v1/systems", made.systems)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
async def links(south: South) -> AsyncIterator[PartnerLinks]:
    caller = Caller(role="federation_manager", name="federation_manager", operator="north")
    partners = {"south": PartnerSettings(url=south.url, trust="x")}
    made = PartnerLinks(partners, lambda _name: None, caller, Silence(), None)  # type: ignore[arg-type,return-value]
    yield made
    await made.close()


async def test_one_token_serves_many_calls_and_a_refused_one_is_renewed_once(links: PartnerLinks, south: South) -> None:
    peer = links.api(Federation, "Mff-fed", "south")
    for _ in range(3):
        assert await peer.offered_systems(EVERYTHING) == []
    assert (south.shown, south.given) == (["t1"] * 3, 1)
    south.refused.add("t1")
    assert await peer.offered_systems(EVERYTHING) == []
    assert south.shown[3:] == ["t1", "t2"]
    south.refused.add("t2")
    south.refused.add("t3")
    with pytest.raises(Problem) as caught:
        await peer.offered_systems(EVERYTHING)
    assert caught.value.status == 401
    assert south.given == 3


async def test_after_a_cut_no_old_token_is_shown(links: PartnerLinks, south: South) -> None:
    peer = links.api(Federation, "Mff-fed", "south")
    await peer.offered_systems(EVERYTHING)
    await links.cut("south")
    await links.cut("nobody")
    await peer.offered_systems(EVERYTHING)
    assert south.shown == ["t1", "t2"]


@pytest.mark.parametrize("answer", [[], {"access_token": 3}, {"access_token": "a\nb: c", "expires_in": 9}])
async def test_nonsense_of_a_token_endpoint_is_a_problem(links: PartnerLinks, south: South, answer: object) -> None:
    south.answer = answer
    with pytest.raises(Problem, match="answered nonsense") as caught:
        await links.api(Federation, "Mff-fed", "south").offered_systems(EVERYTHING)
    assert caught.value.status == 502


async def test_there_is_no_way_to_a_stranger_or_while_the_agreement_is_closed(south: South) -> None:
    manager = Manager()
    watch = PartnerWatch(manager)
    caller = Caller(role="mep", name="mep.harbour", operator="north")
    partners = {"south": PartnerSettings(url=south.url, trust="x")}
    links = PartnerLinks(partners, lambda _name: None, caller, Silence(), watch)  # type: ignore[arg-type,return-value]
    for name in ("south", "west"):
        with pytest.raises(Problem, match="No agreement") as caught:
            links.api(Federation, "Mff-fed", name)
        assert caught.value.status == 403
    await watch.look()
    await links.api(Federation, "Mff-fed", "south").offered_systems(EVERYTHING)
    manager.open = False
    await watch.look()
    with pytest.raises(Problem, match="No agreement"):
        links.api(Federation, "Mff-fed", "south")
    await links.close()
