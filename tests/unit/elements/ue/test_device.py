"""A user's device reaches what its network lets it reach, and is told why where it does not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from aiohttp import web

from hanse.elements.ue import Device
from hanse.kit.problems import Problem
from tests.bounds import SOON

_BLOCK = f"127.{192 + os.getpid() % 60}.{os.getpid() // 60 % 256}"
ADDRESS, APP, DNS = f"{_BLOCK}.10", f"{_BLOCK}.3", f"{_BLOCK}.53"
PORT = 18080


class Resolver(asyncio.DatagramProtocol):
    """A name server on a real socket that knows one name, and remembers who asked."""

    def __init__(self) -> None:
        self.askers: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.askers.append(addr[0])
        query = dns.message.from_wire(data)
        name = query.question[0].name.to_text()
        if name == "silent.example.":
            return
        response = dns.message.make_response(query)
        if name == "video.example.":
            response.answer.append(dns.rrset.from_text(name, 30, "IN", "A", APP))
        codes = {"refused.example.": dns.rcode.REFUSED, "broken.example.": dns.rcode.SERVFAIL}
        known = {"video.example.": dns.rcode.NOERROR, "six.example.": dns.rcode.NOERROR}
        response.set_rcode((codes | known).get(name, dns.rcode.NXDOMAIN))
        self.transport.sendto(response.to_wire(), addr)


@pytest.fixture
async def resolver() -> AsyncIterator[Resolver]:
    loop = asyncio.get_running_loop()
    transport, resolver = await loop.create_datagram_endpoint(Resolver, local_addr=(DNS, PORT))
    yield resolver
    transport.close()


@pytest.fixture
def device(resolver: Resolver) -> Device:
    return Device(ADDRESS, (DNS, PORT), timeout=SOON)


@pytest.fixture
def hasty(resolver: Resolver) -> Device:
    """One that soon gives up: for those who never answer."""
    return Device(ADDRESS, (DNS, PORT), timeout=0.5)


@pytest.fixture
async def app() -> AsyncIterator[None]:
    """An application that tells what it was asked, and by whom."""

    async def tell(request: web.Request) -> web.Response:
        if request.path == "/moved":
            raise web.HTTPFound("http://video.example/elsewhere")
        if request.path == "/silent":
            await asyncio.sleep(60)
        said = f"{request.method} {request.headers.get('X-Word')} {(await request.read()).decode()} {request.remote}"
        return web.Response(text=said, status=201, headers={"X-Host": request.host})

    runner = web.AppRunner(_application(tell), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, APP, PORT).start()
    yield
    await runner.cleanup()


def _application(handler: object) -> web.Application:
    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", handler)  # type: ignore[arg-type]
    return application


async def test_a_name_is_asked_of_the_network_from_the_devices_own_address(device: Device, resolver: Resolver) -> None:
    assert await device.resolve("video.example") == APP
    assert resolver.askers == [ADDRESS]


async def test_an_address_needs_no_resolver(device: Device, resolver: Resolver) -> None:
    assert await device.resolve("127.3.0.7") == "127.3.0.7"
    assert resolver.askers == []


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("no.example", 404, "No such name"),
        ("six.example", 404, "No such IPv4 address"),
        ("refused.example", 403, "refuses this name or this device"),
        ("broken.example", 503, "SERVFAIL"),
        ("silent.example", 503, "cannot be reached"),
        ("a..b", 400, "name is not a domain name"),
    ],
)
async def test_a_name_that_is_not_resolved_says_why(
    device: Device, hasty: Device, name: str, status: int, words: str
) -> None:
    device = hasty if name == "silent.example" else device
    with pytest.raises(Problem, match=words) as by_itself:
        await device.resolve(name)
    assert by_itself.value.status == status
    if name != "a..b":
        with pytest.raises(Problem, match=words) as in_request:
            await device.request("GET", f"http://{name}:{PORT}/")
        assert in_request.value.status == status


async def test_a_lost_question_is_asked_again(hasty: Device, resolver: Resolver) -> None:
    with pytest.raises(Problem):
        await hasty.resolve("silent.example")
    assert resolver.askers == [ADDRESS, ADDRESS]


@pytest.mark.usefixtures("app")
async def test_a_request_carries_method_body_and_headers_from_the_devices_address(device: Device) -> None:
    answer = await device.request("PUT", f"http://video.example:{PORT}/x", b"body", {"X-Word": "word"})
    assert answer.status == 201
    assert answer.body == f"PUT word body {ADDRESS}".encode()
    assert answer.headers["X-Host"] == f"video.example:{PORT}"


@pytest.mark.usefixtures("app")
async def test_a_redirect_is_shown_and_not_followed(device: Device) -> None:
    assert (await device.request("GET", f"http://video.example:{PORT}/moved")).status == 302


@pytest.mark.usefixtures("app")
async def test_an_application_that_does_not_answer_is_not_waited_for_for_ever(hasty: Device) -> None:
    with pytest.raises(Problem, match=r"503.*no answer within 0\.5 seconds"):
        await hasty.request("GET", f"http://video.example:{PORT}/silent")


@pytest.mark.usefixtures("app")
async def test_a_connection_comes_from_the_devices_address(device: Device) -> None:
    reader, writer = await device.open("video.example", PORT)
    assert writer.get_extra_info("sockname")[0] == ADDRESS
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    assert ADDRESS.encode() in await reader.read()
    writer.close()


async def test_where_nothing_listens_the_device_is_told_so(device: Device) -> None:
    with pytest.raises(Problem, match=r"503 video\.example:18080 cannot be reached.*nothing listens there"):
        await device.open("video.example", PORT)
    with pytest.raises(Problem, match=r"503 video\.example:18080 cannot be reached.*nothing listens there"):
        await device.request("GET", f"http://video.example:{PORT}/")


async def test_a_device_that_is_reset_tries_once_and_is_told_that_no_rule_admits_it(device: Device) -> None:
    dialled = []

    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        dialled.append(writer.get_extra_info("peername")[0])
        writer.get_extra_info("socket").setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort()

    server = await asyncio.start_server(reset, APP, PORT)
    with pytest.raises(Problem, match=r"503.*no traffic rule admits this device"):
        await device.request("GET", f"http://video.example:{PORT}/")
    assert dialled == [ADDRESS]
    server.close()


async def test_an_answer_that_is_no_http_is_a_bad_gateway(device: Device) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"SSH-2.0-something\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(babble, APP, PORT)
    with pytest.raises(Problem, match="502"):
        await device.request("GET", f"http://video.example:{PORT}/")
    server.close()


@pytest.mark.parametrize("url", ["https://video.example/", "video.example", "http://", "http://x:99999/", "ftp://x/"])
async def test_what_is_no_http_url_is_refused(device: Device, url: str) -> None:
    with pytest.raises(Problem, match="400 url is not"):
        await device.request("GET", url)


class Truncating(Resolver):
    """A name server whose answers do not fit a datagram."""

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        response = dns.message.make_response(dns.message.from_wire(data))
        response.flags |= dns.flags.TC
        self.transport.sendto(response.to_wire(), addr)


async def test_an_answer_that_does_not_fit_a_datagram_is_asked_for_over_tcp() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(2))
        response = dns.message.make_response(dns.message.from_wire(await reader.readexactly(length)))
        response.answer.append(dns.rrset.from_text(str(response.question[0].name), 30, "IN", "A", APP))
        writer.write(response.to_wire(prepend_length=True))
        writer.close()
        peers.append(writer.get_extra_info("peername")[0])

    peers: list[str] = []
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Truncating, local_addr=(DNS, PORT))
    async with await asyncio.start_server(answer, DNS, PORT):
        assert await Device(ADDRESS, (DNS, PORT), timeout=SOON).resolve("video.example") == APP
    transport.close()
    assert peers == [ADDRESS]


@pytest.mark.usefixtures("resolver", "app")
async def test_every_socket_of_a_device_is_made_in_its_network() -> None:
    entered = 0

    @contextmanager
    def network() -> Iterator[None]:
        nonlocal entered
        entered += 1
        yield

    device = Device(ADDRESS, (DNS, PORT), timeout=SOON, network=network)
    await device.request("GET", f"http://video.example:{PORT}/")
    assert entered == 2, "one to ask the name, one to call"
    _, writer = await device.open(APP, PORT)
    writer.close()
    assert entered == 3
