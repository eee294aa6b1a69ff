"""What is carried through a platform to an app is one request, below its base, and tells nothing about its sender."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from hanse.kit.certificates import client_context
from tests.bounds import SOON
from tests.contract.mp1_host import Host
from tests.contract.test_mp1_reachable import SHARED
from tests.contract.test_mp1_services import TRANSPORT, register

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@dataclass
class Wire:
    """A producer that keeps every byte which it is sent, and the way of a partner's border to its platform."""

    host: Host
    port: int = 0
    path: str = ""
    got: bytearray = field(default_factory=bytearray)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(65536):
                self.got += piece
                writer.write(ANSWER)
        writer.close()

    async def sent(self, raw: str) -> int:
        """The status of the first answer to what is sent as it stands; 0 if the connection is cut without one."""
        self.got.clear()
        url = self.host.base.removeprefix("https://").split(":")
        reader, writer = await asyncio.open_connection(url[0], int(url[1]), ssl=self._context())
        try:
            writer.write(raw.replace("\n", "\r\n").replace("<CR>", "\r").replace("<LF>", "\n").encode("latin-1"))
            async with asyncio.timeout(SOON):
                line = await reader.readline()
            return int(line.split()[1]) if line else 0
        except (TimeoutError, ConnectionError):
            return 0
        finally:
            writer.transport.abort()
            await asyncio.sleep(0.05)  # what was smuggled would come after

    def _context(self) -> ssl.SSLContext:
        identities = self.host.built.wiring.identities
        return client_context([identities.authority_path], identities.issue("border"))

    @property
    def requests(self) -> int:
        return bytes(self.got).count(b" HTTP/1.1\r\n")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wire(host: Host) -> AsyncIterator[Wire]:
    wire = Wire(host)
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    app = await host.app("speech", address="127.0.0.1", port=wire.port)
    endpoint = {"uris": [f"http://127.0.0.1:{wire.port}/api"]}
    made = await register(app, "speech", **SHARED, transportInfo=TRANSPORT | {"endpoint": endpoint})
    assert made.status == 201, made
    wire.path = f"/mpp_fed/v1/services/{made.body['serInstanceId']}"
    yield wire
    server.close()


async def test_an_honest_call_arrives(wire: Wire) -> None:
    assert await wire.sent(f"POST {wire.path}/v1/x?a=1 HTTP/1.1\nhost: h\ncontent-length: 3\n\nabc") == 200
    assert bytes(wire.got).startswith(b"POST /api/v1/x?a=1 HTTP/1.1\r\n")
    assert wire.requests == 1


HIDDEN = "POST /api/admin HTTP/1.1\nhost: x\ncontent-length: 0\n\n"


@pytest.mark.parametrize(
    "headers",
    [
        "content-length: 4\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\ncontent-length: 4",
        "content-length: 4\ncontent-length: 90",
        "content-length: 4, 90",
        "content-length: +4",
        "transfer-encoding: xchunked",
        "transfer-encoding: identity, chunked\ncontent-length: 4",
        "transfer-encoding : chunked",
        "x: y<LF>transfer-encoding: chunked",
        "accept: a<CR>transfer-encoding: chunked",
        "accept: a<CR><LF> b",
        "content-length: 4<CR>x",
    ],
)
async def test_no_second_request_is_hidden_in_the_first(wire: Wire, headers: str) -> None:
    body = f"0\n\n{HIDDEN}"
    status = await wire.sent(f"POST {wire.path}/x HTTP/1.1\nhost: h\n{headers}\n\n{body}")
    assert wire.requests <= 1, status
    assert b"/api/admin HTTP" not in bytes(wire.got).split(b"\r\n\r\n")[0]
    if wire.requests == 0:
        assert status in (0, 400, 408, 501)


async def test_what_follows_a_request_is_the_next_one_and_not_the_apps(wire: Wire) -> None:
    await wire.sent(f"POST {wire.path}/x HTTP/1.1\nhost: h\ncontent-length: 2\n\nab{HIDDEN}")
    assert wire.requests == 1
    assert b"admin" not in wire.got


@pytest.mark.parametrize(
    "rest",
    ["/../admin", "/%2e%2e/admin", "/..%2fadmin", "/a/..;/../x", "/%252e%252e/admin", "/..\\admin", "/x/%2e%2e%5cx"],
)  # fmt: skip
async def test_no_path_leads_beside_the_base_of_a_service(wire: Wire, rest: str) -> None:
    status = await wire.sent(f"GET {wire.path}{rest} HTTP/1.1\nhost: h\n\n")
    assert wire.requests == 0
    assert status in (0, 400, 404)


@pytest.mark.parametrize(
    "rest", ["//other.example/x", "/x%0d%0ahost:%20evil", "/@other.example/", "/x#y", "/%00", "/x%3fa=b"]
)
async def test_what_looks_like_more_than_a_path_stays_a_path(wire: Wire, rest: str) -> None:
    await wire.sent(f"GET {wire.path}{rest} HTTP/1.1\nhost: h\n\n")
    head = bytes(wire.got).partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert wire.requests <= 1
    if wire.requests:
        assert head[0].startswith(b"GET /api/")
        assert [line for line in head if line.lower().startswith(b"host:")] == [f"Host: 127.0.0.1:{wire.port}".encode()]


async def test_an_app_learns_nothing_of_who_calls_from_headers(wire: Wire) -> None:
    secret = "cookie x-forwarded-for forwarded hanse-tenant hanse-peer traceparent via from referer upgrade te"
    headers = "\n".join(f"{name}: sesame" for name in secret.split())
    assert await wire.sent(f"GET {wire.path}/x HTTP/1.1\nhost: sesame\naccept: text/plain\n{headers}\n\n") == 200
    assert b"sesame" not in wire.got
    assert b"text/plain" in wire.got


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "TRACK", "PRI", "get"])
async def test_methods_that_are_none_of_an_app_do_not_reach_it(wire: Wire, method: str) -> None:
    status = await wire.sent(f"{method} {wire.path}/x HTTP/1.1\nhost: h\n\n")
    assert wire.requests == 0, bytes(wire.got)
    assert status in (0, 400, 405, 501)
