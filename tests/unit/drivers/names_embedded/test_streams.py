"""Over TCP each answer comes as soon as it is there (RFC 7766), and whoever holds a connection costs little."""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import AsyncIterator, Coroutine

import pytest

from hanse.drivers.names_embedded import EmbeddedNames, streams
from hanse.drivers.names_embedded.streams import StreamService
from tests.both_loops import OVERRIDDEN, event_loop_policy  # noqa: F401 (a fixture)
from tests.bounds import SOON

pytestmark = OVERRIDDEN

_BLOCK = f"127.{128 + os.getpid() % 64}.{os.getpid() // 64 % 256}"
ADDRESS, GREEDY = f"{_BLOCK}.53", f"{_BLOCK}.50"
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Mirror:
    """Answers each message with itself: those that begin with ``s`` when it is let, ``0`` never."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.let = asyncio.Event()

    def __call__(self, message: bytes, client: str, udp: bool) -> bytes | Coroutine[None, None, bytes | None] | None:
        self.asked.append(message)
        if message.startswith(b"0"):
            return None
        return self.later(message) if message.startswith(b"s") else message

    async def later(self, message: bytes) -> bytes:
        await self.let.wait()
        return message


@pytest.fixture
async def mirror() -> Mirror:
    return Mirror()


@pytest.fixture
def idle() -> float:
    """So long that no busy machine ends a connection."""
    return 2 * SOON


@pytest.fixture
async def port(mirror: Mirror, idle: float) -> AsyncIterator[int]:
    service = StreamService(mirror, idle)
    server = await asyncio.start_server(service.serve, ADDRESS, 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    service.close()


def framed(*messages: bytes) -> bytes:
    return b"".join(struct.pack("!H", len(each)) + each for each in messages)


async def connected(port: int, *messages: bytes, source: str = "127.0.0.1") -> Connection:
    reader, writer = await asyncio.open_connection(ADDRESS, port, local_addr=(source, 0))
    writer.write(framed(*messages))
    return reader, writer


async def heard(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(SOON):
        [length] = struct.unpack("!H", await reader.readexactly(2))
        return await reader.readexactly(length)


async def ended(reader: asyncio.StreamReader) -> None:
    async with asyncio.timeout(SOON):
        try:
            while await reader.read(4096):
                pass
        except ConnectionResetError:
            return


async def test_an_answer_that_must_be_waited_for_holds_up_none_that_was_asked_after_it(
    mirror: Mirror, port: int
) -> None:
    reader, writer = await connected(port, b"slow", b"b", b"c")
    assert [await heard(reader), await heard(reader)] == [b"b", b"c"]
    mirror.let.set()
    assert await heard(reader) == b"slow"
    writer.close()


async def test_one_who_says_that_there_are_no_more_questions_still_gets_every_answer(mirror: Mirror, port: int) -> None:
    reader, writer = await connected(port, b"s1", b"a", b"s2")
    writer.write_eof()
    assert await heard(reader) == b"a"
    mirror.let.set()
    assert {await heard(reader), await heard(reader)} == {b"s1", b"s2"}
    await ended(reader)
    writer.close()


async def test_a_message_in_single_bytes_is_as_good_as_one_in_a_piece(port: int) -> None:
    reader, writer = await asyncio.open_connection(ADDRESS, port)
    for byte in framed(b"video", b"films"):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.005)
    assert [await heard(reader), await heard(reader)] == [b"video", b"films"]
    writer.close()


@pytest.mark.parametrize("idle", [0.5])
@pytest.mark.parametrize("part", [b"", b"\x00", b"\x00\x09vid", framed(b"0"), framed(b"0") + b"\x00"])
async def test_who_is_silent_in_the_middle_or_talks_nonsense_is_ended(port: int, part: bytes) -> None:
    reader, writer = await asyncio.open_connection(ADDRESS, port)
    writer.write(part)
    await ended(reader)
    writer.close()


async def test_one_connection_more_than_there_is_place_for_ends_the_one_that_was_silent_longest(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MOST_CONNECTIONS", 2)
    first, second = await connected(port, b"1"), await connected(port, b"2")
    assert [await heard(first[0]), await heard(second[0])] == [b"1", b"2"]
    first[1].write(framed(b"again"))
    assert await heard(first[0]) == b"again"
    third = await connected(port, b"3")
    assert await heard(third[0]) == b"3"
    await ended(second[0])
    first[1].write(framed(b"more"))
    assert await heard(first[0]) == b"more"
    for _, writer in (first, second, third):
        writer.close()


async def test_one_who_opens_connection_after_connection_ends_its_own_and_nobody_elses(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MOST_CONNECTIONS", 3)
    quiet = await connected(port, b"1")
    assert await heard(quiet[0]) == b"1"
    greedy = [await connected(port, b"g", source=GREEDY) for _ in range(2)]
    assert [await heard(reader) for reader, _ in greedy] == [b"g", b"g"]
    for _ in range(5):
        greedy.append(await connected(port, b"g", source=GREEDY))
        assert await heard(greedy[-1][0]) == b"g"
    quiet[1].write(framed(b"2"))
    assert await heard(quiet[0]) == b"2"
    for _, writer in (quiet, *greedy):
        writer.close()


async def test_one_who_asks_without_end_is_read_no_further_than_answers_can_be_waited_for(
    mirror: Mirror, port: int
) -> None:
    reader, writer = await connected(port, *(b"s%d" % n for n in range(100)))
    async with asyncio.timeout(SOON):
        while len(mirror.asked) <= streams.MOST_PIPELINED:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert len(mirror.asked) == streams.MOST_PIPELINED + 1
    mirror.let.set()
    assert {await heard(reader) for _ in range(100)} == {b"s%d" % n for n in range(100)}
    writer.close()


async def test_one_who_asks_thousands_of_questions_at_once_lets_others_in_between(mirror: Mirror, port: int) -> None:
    many, other = await connected(port), await connected(port)
    many[1].write(framed(*[b"x" * 8] * 5000))
    other[1].write(framed(b"y"))
    assert await heard(other[0]) == b"y"
    before = mirror.asked.index(b"y")
    for _ in range(5000):
        await heard(many[0])
    assert before < 5000
    many[1].close()
    other[1].close()


async def test_a_server_that_was_closed_can_be_started_again_with_its_records() -> None:
    names = EmbeddedNames(ADDRESS, 0)
    for _ in range(2):
        await names.start()
        _, writer = await asyncio.open_connection(ADDRESS, names.port)
        await names.close()
        writer.close()
        await asyncio.sleep(0)
