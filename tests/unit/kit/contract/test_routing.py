"""Every path that an API has leads to its operation, and no other does."""

from __future__ import annotations

import random
from urllib.parse import quote

import pytest

from hanse.kit.contract.declare import Api, anything, get, post
from hanse.kit.contract.gate import Gate
from hanse.kit.contract.guard import Guard
from hanse.kit.contract.observe import Silence
from hanse.kit.contract.routing import Route, Router
from hanse.kit.problems import Problem


class Map(Api, bases=("/map/v1",)):
    @get("/places")
    async def places(self) -> None: ...

    @get("/places/{place}")
    async def place(self, place: str) -> None: ...

    @get("/places/nearest")
    async def nearest(self) -> None: ...

    @post("/places/{place}/roads/{road}")
    async def build(self, place: str, road: str) -> None: ...

    @anything("/proxy/{place}/{rest*}")
    async def proxy(self, place: str, rest: str) -> None: ...


class Maps(Map):
    pass


@pytest.fixture
def router() -> Router:
    router, provider, gate = Router(), Maps(), Gate("maps", "maps.1", "north", Guard([]), Silence())
    for name, operation in Map.operations.items():
        router.add(Route(Map, operation, getattr(provider, name), gate, "/map/v1"))
    return router


def found(router: Router, method: str, path: str) -> tuple[str, list[str]] | int:
    try:
        route, values = router.find(method, path)
    except Problem as problem:
        return problem.status
    return route.operation.name, values


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/map/v1/places", ("places", [])),
        ("GET", "/map/v1/places/", ("places", [])),
        ("GET", "/map/v1/places/x", ("place", ["x"])),
        ("GET", "/map/v1/places/nearest", ("nearest", [])),
        ("GET", "/map/v1/places/neare%73t", ("place", ["nearest"])),
        ("POST", "/map/v1/places/a%2Fb/roads/%C3%A4", ("build", ["a/b", "ä"])),
        ("GET", "/map/v1/places/a/roads/b", 405),
        ("GET", "/map/v1/places/a/roads", 404),
        ("GET", "/map/v1/places//", 404),
        ("GET", "/map/v1", 404),
        ("GET", "", 404),
        ("GET", "/MAP/v1/places", 404),
        ("CONNECT", "/map/v1/proxy/a/b", 405),
        ("TRACE", "/map/v1/proxy/a/b", 405),
        ("BREW", "/map/v1/proxy/a/b/c%2Fd/", ("proxy", ["a", "b/c%2Fd/"])),
        ("GET", "/map/v1/proxy/a/", ("proxy", ["a", ""])),
        ("GET", "/map/v1/proxy/a", ("proxy", ["a", ""])),
        ("GET", "/map/v1/proxy/a//b", ("proxy", ["a", "/b"])),
        ("GET", "/map/v1/proxy", 404),
        ("GET", "/map/v1/places/%E0%80", 400),
        ("GET", "/map/v1/places/%1", 400),
        ("GET", "/map/v1/places/%7f", 400),
    ],
)
def test_a_path_leads_where_it_says(router: Router, method: str, path: str, expected: object) -> None:
    assert found(router, method, path) == expected


def test_any_identifier_finds_itself(router: Router) -> None:
    generator = random.Random(11)
    for _ in range(500):
        name = "".join(chr(generator.choice([*range(33, 127), 0xE4, 0x20AC, 0x1F6A2])) for _ in range(5))
        assert found(router, "POST", f"/map/v1/places/{quote(name, safe='')}/roads/x") == ("build", [name, "x"])


def test_no_path_is_an_error_of_ours(router: Router) -> None:
    generator = random.Random(13)
    for _ in range(2000):
        path = "/map/v1/" + "".join(
            generator.choices(["places", "/", "%", "2F", "ff", "..", "proxy", "\x00", "é"], k=8)
        )
        result = found(router, "GET", path)
        assert isinstance(result, tuple) or result in (400, 404, 405)
