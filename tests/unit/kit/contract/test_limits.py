"""A client that sends too much, too slowly or for ever takes nothing from the others."""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import msgspec
import pytest

from hanse.kit.contract import body as bodies
from hanse.kit.contract import connection
from hanse.kit.contract.call import continuing
from hanse.kit.contract.client import client
from hanse.kit.contract.listen import Listener
from hanse.kit.ports import listen_on
from hanse.kit.problems import Problem
from tests.bounds import SOON
from tests.unit.kit.contract.harbour import Dialogue, Harbour, Port, Ship, connected, dialogue, listening, request

SHIPS = "/harbour/v1/ships"
CUT = 8.0
"""Seconds in which who is too slow has been cut; less than the patience that a test has shortened (10 s and more)."""


@pytest.fixture
def port() -> Port:
    return Port()


@pytest.fixture
async def listener(port: Port) -> AsyncIterator[Listener]:
    async with listening(port.server) as listener:
        yield listener


@pytest.fixture
async def line(listener: Listener) -> AsyncIterator[Dialogue]:
    async with dialogue(listener.port) as line:
        yield line


class TestBodies:
    async def test_a_hundred_megabytes_are_refused_before_they_are_sent(self, line: Dialogue, port: Port) -> None:
        await line.send(request("POST", SHIPS, headers=["content-type: application/json"], length=100_000_000))
        reply = await asyncio.wait_for(line.reply(), SOON)
        assert reply.status == 413
        assert "1048576" in msgspec.json.decode(reply.body)["detail"]
        assert await asyncio.wait_for(line.rest(), SOON) == b""
        assert port.watch.messages == []

    async def test_a_client_that_waits_for_a_go_ahead_gets_the_refusal_instead(self, line: Dialogue) -> None:
        headers = ["content-type: application/json", "expect: 100-continue"]
        await line.send(request("POST", SHIPS, headers=headers, length=100_000_000))
        assert (await line.reply()).status == 413

    async def test_chunks_without_end_are_cut_off(self, line: Dialogue) -> None:
        await line.send(
            request("POST", SHIPS, headers=["content-type: application/json", "transfer-encoding: chunked"])
        )
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        for _ in range(17):
            await line.send(chunk)
        assert (await asyncio.wait_for(line.reply(), SOON)).status == 413
        assert await asyncio.wait_for(line.rest(), SOON) == b""

    async def test_a_client_of_ours_learns_that_its_body_is_too_large(self, listener: Listener, port: Port) -> None:
        async with connected(listener) as transport:
            harbour = client(Harbour, port.peer(transport))
            with pytest.raises(Problem) as refused:
                await harbour.enter(Ship(name="x" * 2_000_000))
            assert refused.value.status in (413, 503)  # a reset may overtake the answer
            assert await harbour.log("x") == "x"

    @pytest.mark.parametrize("size", [1, 60_000, 200_000, 1_000_000])
    async def test_a_body_below_the_limit_is_taken_however_it_arrives(
        self, line: Dialogue, port: Port, size: int
    ) -> None:
        for split in (0, 10, size // 2):
            raw = request("PUT", f"{SHIPS}/x", b'{"name":"' + b"x" * size + b'"}')
            await line.send(raw[: len(raw) - split])
            await asyncio.sleep(0.01)
            await line.send(raw[len(raw) - split :])
            assert (await line.reply()).status == 404

    async def test_a_slow_body_is_given_up(self, line: Dialogue, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bodies, "BODY_PATIENCE", 0.5)
        await line.send(request("POST", SHIPS, headers=["content-type: application/json"], length=50))
        for _ in range(3):
            await asyncio.sleep(0.05)
            with suppress(ConnectionError):  # a busy machine may have given it up by now
                await line.send(b" ")
        reply = await asyncio.wait_for(line.reply(), CUT)
        assert (reply.status, reply.headers["connection"]) == (408, "close")

    @pytest.mark.parametrize("path", [f"{SHIPS}/Adler/hold", "/harbour/v1/pilots/Adler/aboard"])
    async def test_a_stream_that_only_trickles_is_given_up_in_the_end(
        self, listener: Listener, port: Port, monkeypatch: pytest.MonkeyPatch, path: str
    ) -> None:
        monkeypatch.setattr(bodies, "TRICKLE_PATIENCE", 0.6)
        monkeypatch.setattr(bodies, "SLOWEST", 100)
        head = request("PUT", path, headers=["content-type: application/zip"], length=1000)
        async with dialogue(listener.port) as trickling:
            await trickling.send(head)
            answer = asyncio.create_task(trickling.reply())
            for _ in range(999):
                if answer.done():
                    break
                with suppress(ConnectionError):
                    await trickling.send(b"x")
                await asyncio.sleep(0.05)
            reply = await asyncio.wait_for(answer, CUT)
            assert (reply.status, reply.headers["connection"]) == (408, "close")
        async with dialogue(listener.port) as steady:
            await steady.send(head, b"x" * 100)
            for _ in range(9):  # each piece buys a second: so long a machine may look away
                await asyncio.sleep(0.08)
                await steady.send(b"x" * 100)
            assert (await asyncio.wait_for(steady.reply(body=False), SOON)).status in (202, 418)

    @pytest.mark.parametrize("path", [f"{SHIPS}/Adler/hold", "/harbour/v1/pilots/Adler/aboard"])
    async def test_a_stream_that_stalls_is_given_up_and_one_that_is_only_slow_is_not(
        self, listener: Listener, port: Port, monkeypatch: pytest.MonkeyPatch, path: str
    ) -> None:
        monkeypatch.setattr(bodies, "STALL_PATIENCE", 1.5)
        async with dialogue(listener.port) as slow:
            await slow.send(request("PUT", path, headers=["content-type: application/zip"], length=6))
            for _ in range(6):
                await asyncio.sleep(0.3)
                await slow.send(b"x")
            assert (await asyncio.wait_for(slow.reply(body=False), SOON)).status in (202, 418)
        async with dialogue(listener.port) as stalled:
            await stalled.send(request("PUT", path, b"xxx", headers=["content-type: application/zip"], length=6))
            reply = await asyncio.wait_for(stalled.reply(), SOON)
            assert (reply.status, reply.headers["connection"]) == (408, "close")
        assert port.watch.messages[-1].status == 408

    async def test_a_client_that_goes_away_in_its_body_changes_nothing(self, listener: Listener, port: Port) -> None:
        async with dialogue(listener.port) as line:
            await line.send(request("POST", SHIPS, b'{"name":"a"}', length=13))
        await asyncio.sleep(0.05)
        assert port.quay.ships == {}


class TestHeaders:
    async def test_one_byte_a_second_is_cut(self, port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connection, "HEADER_PATIENCE", 0.15)
        async with listening(port.server) as listener, dialogue(listener.port) as line:
            for byte in request("GET", SHIPS)[:40]:  # 0.8 s at least
                with suppress(ConnectionError):
                    await line.send(bytes([byte]))
                if await _ended(line, 0.02):
                    break
            else:
                pytest.fail("each byte bought it more time")

    @pytest.mark.parametrize("beginning", [b"", b"GET", b"\r\n\r\n"])
    async def test_a_connection_on_which_nothing_comes_is_cut(
        self, port: Port, monkeypatch: pytest.MonkeyPatch, beginning: bytes
    ) -> None:
        monkeypatch.setattr(connection, "HEADER_PATIENCE", 0.1)
        async with listening(port.server) as listener, dialogue(listener.port) as line:
            await line.send(beginning)
            assert await _ended(line, CUT)

    async def test_the_second_request_of_a_connection_is_bounded_too(
        self, port: Port, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with listening(port.server) as listener, dialogue(listener.port) as line:
            await line.send(request("GET", SHIPS))
            assert (await line.reply()).status == 200
            monkeypatch.setattr(connection, "HEADER_PATIENCE", 0.1)
            await line.send(request("GET", SHIPS))  # a whole one, so that what its end may start has this patience
            assert (await line.reply()).status == 200
            assert not await _ended(line, 0.2)  # idle is not slow
            await line.send(b"GET /")
            assert await _ended(line, CUT)

    async def test_a_slow_answer_is_no_slow_header(self, port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connection, "HEADER_PATIENCE", 1.0)  # which a busy machine may need for the headers
        async with listening(port.server) as listener, dialogue(listener.port) as line:
            await line.send(request("GET", "/harbour/v1/fail/slow"))
            assert not await _ended(line, 1.2)

    async def test_an_idle_connection_ends_some_time(self, port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connection, "IDLE_PATIENCE", 0)
        async with listening(port.server) as listener, dialogue(listener.port) as line:
            await line.send(request("GET", SHIPS))
            await line.reply()
            assert await _ended(line, CUT)

    async def test_a_connection_that_is_used_stays(self, port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connection, "IDLE_PATIENCE", 2.0)
        async with listening(port.server) as listener, dialogue(listener.port) as line:
            for _ in range(3):
                await line.send(request("GET", SHIPS))
                assert (await line.reply()).status == 200
                assert not await _ended(line, 0.7)
            assert await _ended(line, SOON)

    async def test_an_answer_that_takes_longer_than_a_connection_may_idle_arrives(
        self, port: Port, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection, "IDLE_PATIENCE", 0.05)
        async with listening(port.server) as listener, dialogue(listener.port) as line:
            await line.send(request("GET", SHIPS), request("GET", "/harbour/v1/fail/slow"))
            assert (await line.reply()).status == 200
            assert not await _ended(line, 0.2)

    async def test_headers_without_end_are_cut_off(self, line: Dialogue) -> None:
        await line.send(b"GET / HTTP/1.1\r\n")
        assert await _flooded(line) < 1_000_000

    async def test_many_requests_at_once_are_answered_in_their_order(self, line: Dialogue, port: Port) -> None:
        names = [f"n{i}" for i in range(50)]
        body = b'{"name":"' + b"x" * 3000 + b'"}'
        posts = [request("PUT", f"{SHIPS}/{name}", body) for name in names]
        await line.send(
            *(p + request("GET", f"/harbour/v1/captains/{n}/log") for p, n in zip(posts, names, strict=True))
        )
        for name in names:
            assert (await line.reply()).status == 404
            assert msgspec.json.decode((await line.reply()).body) == name


class TestListening:
    async def test_what_a_request_took_is_free_when_it_is_answered(self, line: Dialogue) -> None:
        for _ in range(3):
            await line.send(request("GET", SHIPS))
            await line.reply()
        gc.collect()
        gc.disable()
        try:
            for _ in range(50):
                await line.send(request("GET", SHIPS))
                await line.reply()
            assert gc.collect() < 50, "each left something behind that only the collector finds"
        finally:
            gc.enable()

    async def test_answers_are_not_held_back(self, listener: Listener, port: Port) -> None:
        async with connected(listener) as transport:
            harbour = client(Harbour, port.peer(transport))
            taken = []
            for _ in range(50):
                began = time.monotonic()
                await harbour.log("x")
                taken.append(time.monotonic() - began)
            assert statistics.median(taken) < 0.03, "a delayed acknowledgement takes 0.04 s"

    async def test_a_taken_port_is_told_with_its_holder(self, listener: Listener) -> None:
        with pytest.raises(Problem) as taken:
            listen_on("127.0.0.1", listener.port)
        assert f"127.0.0.1:{listener.port}" in taken.value.title
        assert "taken by pid" in taken.value.detail

    async def test_an_address_that_is_not_here_is_told(self) -> None:
        with pytest.raises(Problem, match=r"Cannot listen on 192\.0\.2\.1:0"):
            listen_on("192.0.2.1", 0)

    async def test_closing_lets_answers_finish_and_takes_no_more(self, port: Port) -> None:
        async with listening(port.server) as listener, connected(listener) as transport:
            harbour = client(Harbour, port.peer(transport))
            await harbour.log("x")
            with continuing(patience=SOON):
                slow = asyncio.create_task(harbour.fail("slow"))
                await asyncio.sleep(0.05)
            await listener.close(grace=0.1)
            (result,) = await asyncio.gather(slow, return_exceptions=True)
            assert isinstance(result, Problem)
            assert result.status == 503
            with pytest.raises(Problem, match="503"):
                await harbour.log("x")

    async def test_a_listener_that_never_started_lets_go_of_its_port(self, port: Port) -> None:
        address = "127.61.1.7"  # where nobody else takes the port meanwhile
        listener = Listener(port.server, listen_on(address, 0), None)
        number = listener.port
        await listener.close()
        listen_on(address, number).close()


async def _ended(line: Dialogue, seconds: float) -> bool:
    """Whether the other end closes within the time; nothing else may come."""
    try:
        return await asyncio.wait_for(line.reader.read(1), seconds) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


async def _flooded(line: Dialogue) -> int:
    """Send headers until the other end has enough; how many bytes it was offered."""
    for number in range(2000):
        try:
            await line.send(b"x-%d: " % number + b"y" * 1000 + b"\r\n")
        except ConnectionError:
            return number * 1000
        if number % 50 == 0 and await _ended(line, 0.01):
            return number * 1000
    return 2_000_000
