"""A list on the wire is as long and as wide as its reader asks for; to our own elements it is always whole."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from hanse.kit.contract.client import Peer, client
from hanse.kit.contract.declare import Api, Prepared, get
from hanse.kit.contract.describe import describe
from hanse.kit.contract.direct import direct
from hanse.kit.contract.gate import Gate
from hanse.kit.contract.guard import Guard
from hanse.kit.contract.listing import PARAMETERS, Lists
from hanse.kit.contract.rate import RateLimit
from hanse.kit.contract.reference import Offer, ReferencePoint
from hanse.kit.contract.serve import ApiServer
from hanse.kit.contract.transport import MemoryTransport
from hanse.kit.problems import Problem
from tests.unit.kit.contract.fleet import ADLER, BUNTE, CARL, FLEET, Rig, Vessel
from tests.unit.kit.contract.harbour import PILOT, Watch, by_header, connected, dialogue, listening, request, showing


class RigQuery(msgspec.Struct, frozen=True, kw_only=True):
    rig: Rig = Rig.HULK


class Register(Api, bases=("/register/v1",)):
    @get("/vessels", lists=Lists(left_out=("cargo", "_papers")))
    async def vessels(self) -> list[Vessel]: ...

    @get("/rigged", lists=Lists())
    async def rigged(self, query: RigQuery) -> list[Vessel]: ...


SEA = ReferencePoint(name="Sea", joins="", clause="", offers=(Offer(Register, provider="quay", users=("pilot",)),))
WIRINGS = ("direct", "memory", "socket")


@dataclass
class Clerk(Register):
    """Keeps vessels, and a server that answers two at a time."""

    kept: list[Vessel] = field(default_factory=lambda: list(FLEET))
    limit: RateLimit | None = None

    def __post_init__(self) -> None:
        self.gate = Gate("quay", "quay.1", "north", Guard([SEA]), Watch())
        self.server = ApiServer(by_header, page_size=2, limit=self.limit)
        self.server.mount(self, self.gate, [Register])

    async def vessels(self) -> list[Vessel]:
        return list(self.kept)

    async def rigged(self, query: RigQuery) -> list[Vessel]:
        return [vessel for vessel in self.kept if vessel.rig is query.rig]


@asynccontextmanager
async def wired(how: str, clerk: Clerk) -> AsyncIterator[Register]:
    def peer(transport: Any) -> Peer:
        return Peer("quay.1", transport, PILOT, "Sea", Watch(), authorize=showing("pilot"))

    if how == "direct":
        yield direct(Register, clerk, clerk.gate, PILOT)
    elif how == "memory":
        yield client(Register, peer(MemoryTransport(clerk.server)))
    else:
        async with listening(clerk.server) as listener, connected(listener) as transport:
            yield client(Register, peer(transport))


async def answered(clerk: Clerk, *targets: str) -> list[Any]:
    """For each target below the API: its status, its headers, and its body as JSON."""
    answers = []
    async with listening(clerk.server) as listener, dialogue(listener.port) as line:
        for target in targets:
            await line.send(request("GET", target if target.startswith("/register") else f"/register/v1{target}"))
            reply = await line.reply()
            answers.append((reply.status, reply.headers, msgspec.json.decode(reply.body)))
    return answers


def ids(body: list[dict[str, Any]]) -> list[str]:
    return [vessel["id"] for vessel in body]


def following(headers: dict[str, str]) -> str:
    """The target of the next page."""
    link = headers["link"]
    assert link.startswith("<http://quay/register/v1/")
    assert link.endswith('>; rel="next"')
    return link.removeprefix("<http://quay").partition(">")[0]


@pytest.mark.parametrize("how", WIRINGS)
async def test_our_own_elements_get_the_whole_list_in_every_wiring(how: str) -> None:
    async with wired(how, Clerk()) as register:
        assert await register.vessels() == list(FLEET)
        assert await register.rigged(RigQuery(rig=Rig.COG)) == [ADLER]
        assert await register.rigged(RigQuery()) == [BUNTE, CARL]
    many = [msgspec.structs.replace(ADLER, id=str(number)) for number in range(101)]
    async with wired(how, Clerk(many)) as register:
        assert await register.vessels() == many


@pytest.mark.parametrize("how", WIRINGS)
async def test_an_empty_list_is_a_list(how: str) -> None:
    async with wired(how, Clerk([])) as register:
        assert await register.vessels() == []


async def test_pages_follow_each_other_with_the_filter_and_the_selectors_of_the_first() -> None:
    clerk = Clerk([*FLEET, *(msgspec.structs.replace(BUNTE, id=f"b{number}") for number in range(3))])
    first = f"/vessels?filter={quote('(eq,rig,HULK)')}&all_fields"
    ((status, headers, body),) = await answered(clerk, first)
    assert (status, ids(body)) == (200, ["Bunte", "O'Carl (old)"])
    ((_, headers, body),) = await answered(clerk, following(headers))
    assert (ids(body), body[0]["cargo"]) == (["b0", "b1"], ["herring"])
    ((_, headers, body),) = await answered(clerk, following(headers))
    assert ids(body) == ["b2"]
    assert "link" not in headers


async def test_what_is_left_out_by_default_comes_when_it_is_asked_for() -> None:
    bare, whole, some = await answered(
        Clerk([ADLER]), "/vessels", "/vessels?all_fields", "/vessels?fields=cargo&exclude_default"
    )
    assert whole[2] == [msgspec.json.decode(msgspec.json.encode(ADLER))]
    assert set(whole[2][0]) - set(bare[2][0]) == {"cargo", "_papers"}
    assert set(whole[2][0]) - set(some[2][0]) == {"_papers"}


async def test_a_filter_stands_beside_the_operations_own_query() -> None:
    query = quote("(gt,crew,20)")
    found, none, wrong = await answered(
        Clerk(), f"/rigged?filter={query}&rig=HULK", f"/rigged?rig=COG&filter={query}", "/rigged?rigg=COG"
    )
    assert (ids(found[2]), ids(none[2])) == (["Bunte"], [])
    assert (wrong[0], wrong[2]["title"]) == (400, "Unknown query parameter rigg")
    assert wrong[2]["detail"].startswith("legal: rig, filter, all_fields, ")
    assert wrong[2]["detail"].endswith(", ".join(PARAMETERS)), "what it takes as a list as well"


@pytest.mark.parametrize(
    ("query", "title", "word"),
    [
        ("filter=nonsense", "Invalid query parameter filter", "'('"),
        ("filter=", "Invalid query parameter filter", "'('"),
        ("filter=(eq,id,a)&filter=(eq,id,b)", "Query parameter filter given more than once", "once"),
        ("fields=sails", "Invalid query parameter fields", "sails"),
        ("all_fields&fields=cargo", "Exclusive query parameters", "all_fields"),
        ("nextpage_opaque_marker=2", "Invalid query parameter nextpage_opaque_marker", "Link"),
        ("nextpage_opaque_marker=", "Invalid query parameter nextpage_opaque_marker", "Link"),
        ("Filter=(eq,id,a)", "Unknown query parameter Filter", "filter, all_fields"),
        ("rig=COG", "Unknown query parameter rig", "filter"),
        ("filter=%ff", "Query is not UTF-8", "UTF-8"),
    ],
)
async def test_what_cannot_be_meant_is_refused_by_name(query: str, title: str, word: str) -> None:
    ((status, headers, body),) = await answered(Clerk(), f"/vessels?{query}")
    assert (status, headers["content-type"], body["title"]) == (400, "application/problem+json", title)
    assert word in body["detail"]


async def test_a_list_that_is_encoded_already_is_not_encoded_again_unless_a_part_is_wanted() -> None:
    class Herald(Clerk):
        async def rigged(self, query: RigQuery) -> list[Vessel]:
            found = await super().rigged(query)
            return Prepared(found, b'["beforehand"]' + b" " * len(found))

    targets = ("/rigged?rig=COG", "/rigged", "/rigged?rig=COG&fields=cargo", "/rigged?rig=COG&%66ilter=(eq,id,none)")
    whole, both, shortened, filtered = await answered(Herald(), *targets)
    assert whole[2] == both[2] == ["beforehand"]
    assert ids(shortened[2]) == [ADLER.id]
    assert filtered[2] == []
    (first,) = await answered(Herald([*FLEET, CARL]), "/rigged")
    assert ids(first[2]) == [BUNTE.id, CARL.id]
    assert following(first[1]).startswith("/register/v1/rigged?nextpage_opaque_marker=")


async def test_a_list_whose_items_change_places_is_read_in_pages_by_the_places_that_it_tells() -> None:
    class Herald(Clerk):
        async def rigged(self, query: RigQuery) -> list[Vessel]:
            found = await super().rigged(query)
            return Prepared(found, msgspec.json.encode(found), lambda vessel: vessel.id)

    clerk = Herald([msgspec.structs.replace(BUNTE, id=identifier) for identifier in "dacb"])
    first = (await answered(clerk, "/rigged"))[0]
    clerk.kept.append(clerk.kept.pop(1))
    second = (await answered(clerk, following(first[1])))[0]
    assert (ids(first[2]), ids(second[2])) == (["a", "b"], ["c", "d"])


async def test_a_caller_beyond_its_rate_is_told_so_on_the_wire() -> None:
    first, second = await answered(Clerk(limit=RateLimit(0.1, 1)), "/vessels", "/vessels")
    assert (first[0], second[0]) == (200, 429)
    assert 1 <= int(second[1]["retry-after"]) <= 10
    assert second[2]["title"] == "Too many requests"
    async with wired("memory", Clerk(limit=RateLimit(0.1, 1))) as register:
        with pytest.raises(Problem, match="Too many"):  # the second page comes too soon
            await register.vessels()


def test_the_description_names_filter_and_selectors() -> None:
    operation = describe(Register)["paths"]["/rigged"]["get"]
    names = {parameter["name"] for parameter in operation["parameters"]}
    assert names == {"filter", "all_fields", "exclude_default", "fields", "exclude_fields", "rig"}
    assert "Link" in operation["responses"]["200"]["headers"]


def test_a_list_that_cannot_be_paged_is_our_own_mistake_and_seen_at_once() -> None:
    with pytest.raises(KeyError):

        class Nameless(Api, bases=("/nameless/v1",)):
            @get("/vessels", lists=Lists(key="number"))
            async def vessels(self) -> list[Vessel]: ...
