"""Mp1, calls that the platform carries: a list in pages of a producer is read through the platform to its end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urljoin

import pytest
from aiohttp import web

from tests.contract.mp1_host import App, hosting
from tests.contract.test_mp1_services import service

ITEMS = [f"item-{number}" for number in range(5)]


@asynccontextmanager
async def producing(way: str) -> AsyncIterator[tuple[str, int]]:
    """An application that answers two items at a time, with links of one of the usual ways; where it listens."""

    async def items(request: web.Request) -> web.Response:
        at = int(request.query.get("at", "0"))
        here = {"whole": str(request.url.origin()) + "/items", "path": "/items", "query": ""}[way]
        headers = {"link": f'<{here}?at={at + 2}>; rel="next"'} if at + 2 < len(ITEMS) else {}
        return web.json_response(ITEMS[at : at + 2], headers=headers)

    application = web.Application()
    application.router.add_get("/items", items)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][:2]
    await runner.cleanup()


async def read(app: App, uri: str) -> list[str]:
    """All items of a list, page by page, as any client reads it that knows RFC 8288."""
    found: list[str] = []
    for _ in ITEMS:
        reply = await app.call("GET", uri)
        assert reply.status == 200, reply
        found += reply.body
        if "link" not in reply.headers:
            break
        target, _, relation = reply.headers["link"].removeprefix("<").partition(">")
        assert relation == '; rel="next"'
        uri = urljoin(uri, target)
        assert uri.startswith(app.base), "through the platform, and nowhere else"
    return found


@pytest.mark.parametrize("way", ["whole", "path", "query"])
async def test_a_list_in_pages_is_read_through_the_platform_to_its_end(way: str, tmp_path: Path) -> None:
    async with producing(way) as (address, port), hosting(tmp_path) as host:
        app, consumer = await host.app("items", address=address, port=port), await host.app()
        chosen = {name: value for name, value in service("items").items() if name != "transportInfo"}
        made = await app.services("POST", "/services", chosen | {"transportId": "rest-http"})
        assert made.status == 201, made
        (uri,) = made.body["transportInfo"]["endpoint"]["uris"]
        assert await read(consumer, f"{uri}/items") == ITEMS
