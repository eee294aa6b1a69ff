"""A redirector as clients meet it on the wire: by HTTP and by TLS, well-behaved and not."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from msgspec.structs import replace

from hanse.assembly.leading import RedirectionSettings
from hanse.assembly.wiring import Wiring
from hanse.elements.mep import Platform
from hanse.kit.certificates import client_context
from hanse.kit.problems import Problem
from hanse.refpoints.mm1.steering import Preference, SteeringPolicy, Target
from hanse.refpoints.mm5.platform import ManagerLookup
from tests.bounds import SOON
from tests.contract.mp1_host import NoManager
from tests.contract.wired import deployed, put_together

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

NAME = "video.example.com"
HARBOUR, AIRPORT = "https://video-harbour.example.com:8443", "http://127.3.0.2"


class Reply(NamedTuple):
    """An answer as it came: status, header fields in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """The body of a problem, which says so and may not be kept."""
        assert self.headers["content-type"] == "application/problem+json"
        assert self.headers["cache-control"] == "no-store"
        found: dict[str, Any] = json.loads(self.body)
        assert found["status"] == self.status
        return found


@dataclass
class Place:
    """A redirector that runs, and the platform that it belongs to."""

    platform: Platform
    settings: RedirectionSettings
    authority: Path
    alice: str
    bob: str

    async def raw(self, data: bytes, peer: str = "", server_name: str = "") -> bytes:
        """All that is answered to some bytes until the connection ends; over TLS if a server name is given."""
        tls = client_context([self.authority]) if server_name else None
        async with asyncio.timeout(SOON):
            reader, writer = await asyncio.open_connection(
                self.settings.address,
                self.settings.tls_port if tls else self.settings.port,
                ssl=tls,
                server_hostname=server_name or None,
                local_addr=(peer or self.alice, 0),
            )
            try:
                writer.write(data)
                return await reader.read()
            except ConnectionError:
                return b""
            finally:
                writer.close()

    async def ask(self, head: str, *fields: str, peer: str = "", server_name: str = "", body: bytes = b"") -> Reply:
        """The answer to one request."""
        lines = [head, *fields, "connection: close", "", ""]
        return read(await self.raw("\r\n".join(lines).encode("latin-1") + body, peer, server_name))

    async def lead(self, *preferences: Preference, name: str = NAME) -> None:
        """Have Alice, or whom they name, led by a policy."""
        targets = (
            Target(host="harbour", address="127.3.0.1", location=HARBOUR),
            Target(host="airport", address="127.3.0.2"),
        )
        policy = SteeringPolicy(name=name, targets=targets, preferences=preferences)
        await self.platform.policies.set_policy(name, policy)


def read(answer: bytes) -> Reply:
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    fields = [line.partition(": ") for line in lines]
    return Reply(int(status.split()[1]), {name.lower(): value for name, _, value in fields}, body)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    with deployed(tmp_path_factory.mktemp("north")) as deployment:
        north = deployment.operators["north"]
        host = north.hosts["harbour"]
        settings = RedirectionSettings(address=host.names.address, port=8480, tls_port=8481)
        hosts = north.hosts | {"harbour": replace(host, redirection=settings)}
        deployment.operators["north"] = replace(north, hosts=hosts)
        built = put_together(deployment, ["mep.harbour", "data_plane.harbour", "names.harbour", "federation_manager"])
        wiring = built.wiring
        wiring.provide(wiring.elements["mepm.harbour"], {ManagerLookup: NoManager()})
        try:
            await wiring.start()
            platform = built.part("mep.harbour")
            assert isinstance(platform, Platform)
            devices = north.devices
            yield Place(
                platform, settings, wiring.identities.authority_path, devices["alice"].address, devices["bob"].address
            )
        finally:
            await wiring.stop()


@pytest.mark.parametrize(
    ("head", "fields", "status"),
    [
        ("GET / HTTP/1.1", ("Host: evil.example",), 404),
        ("GET / HTTP/1.1", (), 400),
        ("GET / HTTP/1.0", (), 400),
        ("GET / HTTP/1.1", (f"Host: {NAME}", f"Host: {NAME}"), 400),
        ("GET / HTTP/1.1", (f"Host: {NAME}", "Host: evil.example"), 400),
        ("GET / HTTP/1.1", (f"Host: {NAME}, evil.example",), 400),
        ("GET / HTTP/1.1", (f"Host: {NAME}/@evil.example",), 400),
        ("GET http://evil.example/ HTTP/1.1", (f"Host: {NAME}",), 404),
        (f"GET https://{NAME}/ HTTP/1.1", (f"Host: {NAME}",), 421),
        (f"GET http://user@{NAME}/ HTTP/1.1", (f"Host: {NAME}",), 400),
        (f"CONNECT {NAME}:443 HTTP/1.1", (f"Host: {NAME}",), 400),
        ("OPTIONS * HTTP/1.1", (f"Host: {NAME}",), 400),
        (f"GET /{'x' * 8192} HTTP/1.1", (f"Host: {NAME}",), 414),
        ("GET /\rLocation:http://evil.example HTTP/1.1", (f"Host: {NAME}",), 400),
        ("GET /\x00 HTTP/1.1", (f"Host: {NAME}",), 400),
        ("GET /\xff HTTP/1.1", (f"Host: {NAME}",), 400),
    ],
)
async def test_what_could_mislead_a_redirector_is_refused(
    place: Place, head: str, fields: tuple[str, ...], status: int
) -> None:
    await place.lead()
    reply = await place.ask(head, *fields)
    assert (reply.status, "location" in reply.headers) == (status, False)
    if "cache-control" in reply.headers:  # all but what is no HTTP at all
        assert reply.problem["title"]


async def test_forwarded_words_do_not_change_where_a_device_is_led(place: Place) -> None:
    await place.lead(Preference(to="airport", devices=("bob",)), Preference(to="harbour", devices=("alice",)))
    fields = ["X-Forwarded-Host: evil.example", f"X-Forwarded-For: {place.bob}", f"Forwarded: for={place.bob}"]
    reply = await place.ask("GET /x HTTP/1.1", f"Host: {NAME}", *fields)
    assert reply.headers["location"] == f"{HARBOUR}/x"


async def test_headers_without_end_end_the_connection_and_the_next_is_served(place: Place) -> None:
    await place.lead()
    fields = "".join(f"x-{number}: {'y' * 1000}\r\n" for number in range(200))
    assert b"307" not in await place.raw(f"GET / HTTP/1.1\r\nHost: {NAME}\r\n{fields}\r\n".encode())
    assert (await place.ask("GET / HTTP/1.1", f"Host: {NAME}")).status == 307


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_every_method_is_led_with_its_path_and_query_and_nobody_may_keep_the_answer(
    place: Place, method: str
) -> None:
    await place.lead(Preference(to="airport", devices=("alice",)))
    reply = await place.ask(f"{method} //a/%2e%2e/b%0D%0A?c=%20&d=[1] HTTP/1.1", f"Host: {NAME}:8480")
    assert reply.status == 307
    assert reply.headers["location"] == f"{AIRPORT}//a/%2e%2e/b%0D%0A?c=%20&d=[1]"
    assert reply.headers["cache-control"] == "no-store"
    assert (reply.headers["content-length"], reply.body) == ("0", b"")


async def test_two_devices_are_led_apart_and_follow_the_next_policy_at_the_next_request(place: Place) -> None:
    async def locations() -> list[str]:
        replies = [await place.ask("GET / HTTP/1.1", f"Host: {NAME}", peer=peer) for peer in (place.alice, place.bob)]
        return [reply.headers["location"] for reply in replies]

    await place.lead(Preference(to="airport", devices=("bob",)), Preference(to="harbour", devices=("alice",)))
    assert await locations() == [f"{HARBOUR}/", f"{AIRPORT}/"]
    await place.lead(Preference(to="airport", devices=("alice",)), Preference(to="harbour", devices=("bob",)))
    assert await locations() == [f"{AIRPORT}/", f"{HARBOUR}/"]


async def test_a_device_that_speaks_no_more_than_tls_1_2_is_led(place: Place) -> None:
    await place.lead()
    context = ssl.create_default_context(cafile=place.authority)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with asyncio.timeout(SOON):
        while True:  # until the name is certified
            try:
                reader, writer = await asyncio.open_connection(
                    place.settings.address, place.settings.tls_port, ssl=context, server_hostname=NAME
                )
                break
            except ssl.SSLCertVerificationError:
                await asyncio.sleep(0.1)
        writer.write(f"GET / HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode())
        assert read(await reader.read()).status == 307
        writer.close()


@pytest.mark.parametrize("expect", ["100-continue", "100-Continue"])
async def test_a_client_that_asks_whether_to_send_its_body_is_led_before_it_does(place: Place, expect: str) -> None:
    await place.lead()
    fields = (f"Host: {NAME}", "Content-Length: 1000000000", f"Expect: {expect}")
    assert (await place.ask("POST / HTTP/1.1", *fields)).status == 307


async def test_a_client_that_sends_its_body_without_asking_is_told_where_to_send_it(place: Place) -> None:
    await place.lead()
    reply = await place.ask("POST / HTTP/1.1", f"Host: {NAME}", "Content-Length: 200000", body=b"x" * 200_000)
    assert reply.status == 307


async def test_requests_on_one_connection_are_each_led_by_their_own_name(place: Place) -> None:
    await place.lead(Preference(to="airport", devices=("alice",)))
    one, last = f"Host: {NAME}\r\n\r\n", f"Host: {NAME}\r\nconnection: close\r\n\r\n"
    both = await place.raw(
        f"GET /1 HTTP/1.1\r\n{one}GET /2 HTTP/1.1\r\nHost: evil.example\r\n\r\nGET /3 HTTP/1.1\r\n{last}".encode()
    )
    found = re.findall(rb"HTTP/1.1 (\d+)|Location: (\S+)", both)
    expected = ["307", f"{AIRPORT}/1", "404", "307", f"{AIRPORT}/3"]
    assert [(status or location).decode() for status, location in found] == expected


async def _by_tls(place: Place, name: str) -> Reply:
    """Over TLS; a name that was led a moment ago gets its certificate in a thread."""
    async with asyncio.timeout(SOON):
        while True:
            try:
                return await place.ask("GET /x HTTP/1.1", f"Host: {name}", server_name=name)
            except ssl.SSLCertVerificationError:
                await asyncio.sleep(0.05)


async def test_names_are_certified_as_they_are_led_and_not_before(place: Place) -> None:
    name = "new.example.com"
    with pytest.raises(ssl.SSLCertVerificationError):
        await place.ask("GET / HTTP/1.1", f"Host: {name}", server_name=name)
    await place.lead(name=name)
    assert (await _by_tls(place, name)).headers["location"] == f"{HARBOUR}/x"
    await place.lead()
    assert (await _by_tls(place, NAME)).status == 307


async def test_names_that_could_not_be_certified_are_as_soon_as_they_can_be(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    await place.lead()
    await _by_tls(place, NAME)
    caplog.set_level("WARNING", "hanse.redirection")
    key = place.authority.parent / "redirection.harbour.key.pem"
    away = key.rename(key.with_suffix(".away"))
    key.mkdir()  # nothing can be made with what is no file
    try:
        await place.lead(name="late.example.com")
        async with asyncio.timeout(SOON):
            while not (said := [r for r in caplog.records if r.name == "hanse.redirection"]):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    finally:
        key.rmdir()
        away.rename(key)
    assert "are not certified, the next try is in 1 s" in said[0].getMessage()
    assert (await _by_tls(place, NAME)).status == 307, "what is certified goes on"
    assert (await _by_tls(place, "late.example.com")).status == 307


async def test_a_tls_connection_serves_the_name_that_it_was_made_for(place: Place) -> None:
    await place.lead()
    await place.lead(name="films.example.com")
    await _by_tls(place, NAME)
    reply = await place.ask("GET / HTTP/1.1", "Host: films.example.com", server_name=NAME)
    assert (reply.status, reply.problem["title"]) == (421, "Connection is not for films.example.com")
    reply = await place.ask("GET / HTTP/1.1", f"Host: {NAME}", server_name=place.settings.address)
    assert reply.status == 307, "a client that tells no name, for an address is none, is served by Host alone"


async def test_nobody_is_led_from_tls_to_plain_http(place: Place) -> None:
    await _by_tls(place, NAME)
    targets = (Target(host="harbour", address="127.3.0.1", location="http://127.3.0.1:8000"),)
    await place.platform.policies.set_policy(NAME, SteeringPolicy(name=NAME, targets=targets))
    reply = await place.ask("GET / HTTP/1.1", f"Host: {NAME}", server_name=NAME)
    assert (reply.status, "come by http" in reply.problem["detail"]) == (421, True)
    await place.lead()


@asynccontextmanager
async def put_up(directory: Path, settings: RedirectionSettings) -> AsyncIterator[Wiring]:
    """A host that has not started yet, with a redirector of these settings."""
    with deployed(directory) as deployment:
        north = deployment.operators["north"]
        hosts = north.hosts | {"harbour": replace(north.hosts["harbour"], redirection=settings)}
        deployment.operators["north"] = replace(north, hosts=hosts)
        built = put_together(deployment, ["mep.harbour", "data_plane.harbour", "names.harbour", "federation_manager"])
        built.wiring.provide(built.wiring.elements["mepm.harbour"], {ManagerLookup: NoManager()})
        try:
            yield built.wiring
        finally:
            await built.wiring.stop()


async def test_a_port_that_is_taken_is_named_with_its_holder(place: Place, tmp_path: Path) -> None:
    async with put_up(tmp_path, place.settings) as wiring:
        with pytest.raises(Problem, match=f"Cannot listen on {place.settings.address}:8480") as caught:
            await wiring.start()
        assert "is taken by pid" in caught.value.detail


async def test_an_address_of_another_machine_is_refused_at_once(tmp_path: Path) -> None:
    async with put_up(tmp_path, RedirectionSettings(address="192.0.2.1")) as wiring, asyncio.timeout(SOON):
        with pytest.raises(Problem, match=r"Cannot listen on 192\.0\.2\.1:8480"):
            await wiring.start()
