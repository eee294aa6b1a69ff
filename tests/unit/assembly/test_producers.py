"""A call from elsewhere reaches the app as it was sent, and what is no web address harms nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from multidict import CIMultiDict

from hanse.assembly.producers import Producers
from hanse.kit.contract.exchange import Exchange, whole
from hanse.kit.problems import Problem
from hanse.kit.receivers import Receivers


async def parts(*content: bytes) -> AsyncIterator[bytes]:
    for part in content:
        yield part


@pytest.fixture
async def app() -> AsyncIterator[str]:
    """An app that tells what it was asked."""

    async def tell(request: web.Request) -> web.Response:
        body = await request.read()
        told = f"{request.method} {request.path_qs} {request.headers.get('content-type')} {len(body)}"
        status = 418 if "teapot" in request.path else 200
        return web.Response(text=told, status=status, headers={"x-inner": "secret", "etag": '"1"'})

    application = web.Application(client_max_size=2**23)
    application.router.add_route("*", "/{rest:.*}", tell)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}/api/"
    await runner.cleanup()


@pytest.fixture
async def paging() -> AsyncIterator[tuple[str, list[str]]]:
    """An app, and the links that it gives, each on a line of its own."""
    links: list[str] = []

    async def items(_: web.Request) -> web.Response:
        return web.Response(text="[]", headers=CIMultiDict([("link", link) for link in links]))

    application = web.Application()
    application.router.add_get("/api/items", items)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}/api/", links
    await runner.cleanup()


async def test_method_query_body_and_type_reach_the_app_below_its_base(app: str) -> None:
    producers = Producers()
    sent = Exchange("POST", "a=1", {"content-type": "audio/wav", "cookie": "x"}, parts(b"abc", b"de"), length=5)
    answer = await producers(app).consume("s", "v1/text", sent)
    assert await whole(answer.chunks, 1000) == b"POST /api/v1/text?a=1 audio/wav 5"
    assert answer.status == 200
    await producers.close()


async def test_a_large_body_goes_through_as_a_stream(app: str) -> None:
    producers = Producers()
    large = [b"x" * 65536] * 32
    sent = Exchange("PUT", "", {"content-type": "a/b"}, parts(*large), length=2 * 1024 * 1024)
    answer = await producers(app).consume("s", "x", sent)
    assert await whole(answer.chunks, 1000) == b"PUT /api/x a/b 2097152"
    await producers.close()


async def test_an_apps_own_status_comes_back_and_its_private_headers_do_not(app: str) -> None:
    producers = Producers()
    answer = await producers(app).consume("s", "teapot", Exchange("GET", "", {}, parts()))
    assert answer.status == 418
    assert dict(answer.headers).get("etag") == '"1"'
    assert "x-inner" not in dict(answer.headers)
    await whole(answer.chunks, 1000)
    await producers.close()


@pytest.mark.parametrize(
    ("told", "passed"),
    [
        ("<{base}items?at=3>; rel=next", '<items?at=3>; rel="next"'),
        ("</api/items?at=3>; rel=next", '<items?at=3>; rel="next"'),
        ("<?at=3>; rel=next", '<items?at=3>; rel="next"'),
        (
            "<{base}items?at=3>; rel=next, </admin>; rel=first, <http://127.0.0.1:1/api/items>; rel=prev",
            '<items?at=3>; rel="next"',
        ),
        ("</admin>; rel=next", None),
        ("<{base}../admin>; rel=next", None),
    ],
)
async def test_links_to_pages_are_told_below_the_service_and_without_its_address(
    told: str, passed: str | None, paging: tuple[str, list[str]]
) -> None:
    base, links = paging
    links += told.format(base=base).split(", ")
    producers = Producers()
    answer = await producers(base).consume("s", "items", Exchange("GET", "", {}, parts()))
    assert dict(answer.headers).get("link") == passed
    assert await whole(answer.chunks, 1000) == b"[]"
    await producers.close()


async def test_an_app_that_does_not_listen_is_a_problem() -> None:
    producers = Producers()
    with pytest.raises(Problem) as caught:
        await producers("http://127.0.0.1:9/").consume("s", "x", Exchange("GET", "", {}, parts()))
    assert caught.value.status == 503
    await producers.close()


@pytest.mark.parametrize(
    "base", ["", "https://a", "ftp://a", "file:///etc/passwd", "http://", "http://[::1", "http://a:99999", "http://a:x"]
)
def test_what_is_no_web_address_is_said_to_be_unreachable(base: str) -> None:
    with pytest.raises(Problem, match="Service cannot be reached") as caught:
        Producers()(base)
    assert caught.value.status == 502


async def test_the_way_to_an_app_is_kept_and_old_ones_are_let_go() -> None:
    producers = Producers(most=2)
    first = producers("http://127.0.0.1:1/")
    producers("http://127.0.0.1:2/")
    assert producers("http://127.0.0.1:1/") is first
    producers("http://127.0.0.1:3/")
    assert producers("http://127.0.0.1:1/") is first
    await producers.close()


async def told(producers: Producers, base: str, rest: str = "x") -> int:
    """The status of a call, or that of the problem that it ends in."""
    try:
        answer = await producers(base).consume("s", rest, Exchange("GET", "", {}, parts()))
        await whole(answer.chunks, 1000)
    except Problem as problem:
        return problem.status
    return answer.status


async def test_nothing_is_carried_inside_by_address_or_by_a_name_that_leads_there(app: str) -> None:
    port = int(app.split(":")[2].split("/")[0])
    names = (f"127.0.0.1:{port}", f"localhost:{port}", f"127.1:{port}", f"[::ffff:127.0.0.1]:{port}")
    wary, free = Producers(Receivers(inside=frozenset({("127.0.0.1", port)})).is_inside), Producers()
    assert [await told(wary, f"http://{name}/api/") for name in names] == [502, 503, 503, 502]
    assert [await told(free, f"http://{name}/api/") for name in names[:2]] == [200] * 2
    await asyncio.gather(wary.close(), free.close())


@pytest.mark.parametrize(
    "rest",
    ["..", "../admin", "a/../../admin", "%2e%2e/admin", "..%2fadmin", "a%2F..%2F..%2Fadmin", "%252e%252e%252fadmin",
     "..\\admin", "..%5cadmin", "..;/admin", ".;x=1/admin"],
)  # fmt: skip
async def test_no_spelling_of_a_path_leads_out_of_a_services_base(app: str, rest: str) -> None:
    producers = Producers()
    assert await told(producers, app, rest) == 404
    await producers.close()


@pytest.mark.parametrize("rest", ["", "a/b", "a..b", "...", "a%2Fb", "a;x=..", "100%25", "a%20b"])
async def test_other_paths_go_through_as_they_are(app: str, rest: str) -> None:
    producers = Producers()
    assert await told(producers, app, rest) == 200
    await producers.close()
