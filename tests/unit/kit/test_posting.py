"""Posts reach whoever speaks HTTP, however it answers; what is no answer is an error, and nobody waits in vain."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from hanse.kit import posting
from hanse.kit.certificates import Authority
from hanse.kit.posting import Poster, Unanswered, target_of
from tests.bounds import SOON

BODY = '{"é":1}'.encode()
OK = b"HTTP/1.1 204 No Content\r\n\r\n"


class Server:
    """Answers each request with the next of ``answers``, the last again and again; ``None`` closes without a word."""

    def __init__(self) -> None:
        self.answers: list[bytes | None] = [OK]
        self.closes = False
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while await self._request(reader):
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if answer is None:
                    break
                writer.write(answer)
                if self.closes:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    async def _request(self, reader: asyncio.StreamReader) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0])
        self.heads.append(head)
        self.bodies.append(await reader.readexactly(length))
        return True

    async def start(self, context: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/told"

    def hang_up(self) -> None:
        """Close the connections that are open, as an idle server does."""
        for writer in self.writers:
            writer.close()

    async def stop(self) -> None:
        self.hang_up()
        self._server.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def poster() -> AsyncIterator[Poster]:
    made = Poster()
    yield made
    await made.close()


async def test_a_body_arrives_whole_with_its_type_and_where_it_belongs(server: Server, poster: Poster) -> None:
    assert await poster.post(server.url + "/a b?x=ä#part", BODY) == 204
    lines = server.heads[0].split("\r\n")
    assert lines[0] == "POST /told/a%20b?x=%C3%A4 HTTP/1.1"
    assert f"host: 127.0.0.1:{server.port}" in lines
    assert "content-type: application/json" in lines
    assert server.bodies == [BODY]


async def test_a_connection_is_used_again(server: Server, poster: Poster) -> None:
    for _ in range(3):
        assert await poster.post(server.url, BODY) == 204
    assert server.connections == 1


async def test_posts_at_the_same_time_do_not_mix(server: Server, poster: Poster) -> None:
    bodies = [str(number).encode() * 1000 for number in range(30)]
    assert await asyncio.gather(*(poster.post(server.url, body) for body in bodies)) == [204] * 30
    assert sorted(server.bodies) == sorted(bodies)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", 200),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 200),
        (b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK, 204),
        (b"HTTP/1.1 307 Elsewhere\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n", 307),
        (b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", 503),
    ],
)
async def test_every_way_to_answer_is_understood_and_leaves_the_connection_fit(
    server: Server, poster: Poster, answer: bytes, status: int
) -> None:
    server.answers = [answer, OK]
    assert [await poster.post(server.url, BODY), await poster.post(server.url, BODY)] == [status, 204]
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.0 200 OK\r\n\r\nto the end", b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"]
)
async def test_a_connection_that_its_receiver_ends_is_not_used_again(
    server: Server, poster: Poster, answer: bytes
) -> None:
    server.answers, server.closes = [answer], True
    for _ in range(2):
        assert await poster.post(server.url, BODY) // 100 == 2
    assert server.connections == 2


async def test_a_kept_connection_that_was_closed_meanwhile_costs_nobody_a_notification(
    server: Server, poster: Poster
) -> None:
    server.answers = [OK, None, OK]  # closed just when the next request comes
    assert await poster.post(server.url, BODY) == 204
    assert await poster.post(server.url, BODY) == 204
    server.hang_up()
    await asyncio.sleep(0.02)
    assert await poster.post(server.url, BODY) == 204
    assert server.connections == 3


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 2",
        b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    ],
)
async def test_what_is_no_answer_is_an_error_and_not_asked_for_again(
    server: Server, poster: Poster, answer: bytes | None
) -> None:
    server.answers, server.closes = [answer], True
    with pytest.raises(Unanswered):
        await poster.post(server.url, BODY)
    assert server.connections == 1


async def test_an_answer_without_end_is_cut(server: Server, poster: Poster) -> None:
    server.answers = [b"HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\n" + b"x" * (posting.MOST_ANSWER + 1)]
    async with asyncio.timeout(SOON):
        assert await poster.post(server.url, BODY) == 200
        assert await poster.post(server.url, BODY) == 200
    assert server.connections == 2


async def test_who_stops_waiting_leaves_no_connection_behind_that_answers_another(
    server: Server, poster: Poster
) -> None:
    assert await poster.post(server.url, BODY) == 204
    server.answers = [b"", OK]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await poster.post(server.url, BODY)
    assert await poster.post(server.url, BODY) == 204
    assert server.connections == 2


async def test_idle_connections_are_let_go(server: Server, poster: Poster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "IDLE_PATIENCE", 0.0)
    for _ in range(2):
        await poster.post(server.url, BODY)
    assert server.connections == 2
    monkeypatch.setattr(posting, "MOST_IDLE", 0)
    await poster.post(server.url, BODY)
    assert poster._idle == {}


async def test_a_receiver_whose_certificate_is_not_trusted_gets_nothing(poster: Poster, tmp_path: Path) -> None:
    server = await _tls_server(tmp_path)
    with pytest.raises(ssl.SSLError):
        await poster.post(server.url, BODY)
    assert server.bodies == []
    await server.stop()


async def test_a_receiver_with_a_trusted_certificate_is_told_over_tls(poster: Poster, tmp_path: Path) -> None:
    server = await _tls_server(tmp_path)
    poster._tls = ssl.create_default_context(cafile=str(tmp_path / "test.ca.pem"))
    assert await poster.post(server.url, BODY) == 204
    await server.stop()


async def _tls_server(directory: Path) -> Server:
    authority = Authority.ensure(directory, "test")
    identity = authority.issue(
        "receiver",
        addresses=("127.0.0.1",),
        uri="hanse://test/receiver",
        lifetime=timedelta(hours=1),
        directory=directory,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(identity.certificate_path, identity.key_path)
    server = Server()
    await server.start(context)
    server.url = server.url.replace("http://", "https://")
    return server


@pytest.mark.parametrize("url", ["nowhere", "http://", "ftp://127.0.0.1/x", "http://[::1/x", "http://h:99999/"])
def test_what_is_no_url_is_said_to_be_none(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (yarl's own words vary)
        target_of(url)


def test_an_ipv6_receiver_is_named_as_its_url_does() -> None:
    target = target_of("http://[::1]:8080/x")
    assert target.origin == ("http", "::1", 8080)
    assert b"host: [::1]:8080\r\n" in target.head


def test_no_header_can_be_slipped_in_by_a_url() -> None:
    asked: Callable[[str], bytes] = lambda url: target_of(url).head  # noqa: E731
    assert asked("http://h/x\r\nevil: 1").count(b"\r\n") == asked("http://h/x").count(b"\r\n")
