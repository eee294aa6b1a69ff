"""A transport that goes on with new connections cuts nothing that is under way, and leaves none of the old ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from hanse.kit.contract import transport as module
from hanse.kit.contract.reply import Reply
from hanse.kit.contract.transport import HttpTransport
from hanse.kit.problems import Problem
from tests.bounds import SOON

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"


class Slow:
    """A server that sends the second half of its answers when it is told to; it counts its connections."""

    def __init__(self) -> None:
        self.connections, self.open = 0, 0
        self.go_on = asyncio.Event()
        self.url = ""


class Connection(asyncio.Protocol):
    """One connection of it, which sees at once when the other side cuts it."""

    def __init__(self, slow: Slow) -> None:
        self.slow = slow

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.slow.connections += 1
        self.slow.open += 1

    def data_received(self, data: bytes) -> None:
        self.transport.write(HEAD + b"ab")
        self.rest = asyncio.create_task(self.answer_the_rest())

    async def answer_the_rest(self) -> None:
        await self.slow.go_on.wait()
        self.transport.write(b"cd")

    def connection_lost(self, exc: Exception | None) -> None:
        self.slow.open -= 1


@pytest.fixture
async def slow() -> AsyncIterator[Slow]:
    made = Slow()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(made), "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made
    made.go_on.set()
    server.close()


@pytest.fixture
async def transport(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HttpTransport]:
    monkeypatch.setattr(module, "RETIRED_LOOK", 0.01)
    made = HttpTransport(slow.url, None)
    yield made
    await made.close()


async def asked(transport: HttpTransport) -> Reply:
    return await transport.send("GET", "/", {}, None, 20.0)


async def body(reply: Reply) -> bytes:
    return b"".join([chunk async for chunk in reply.chunks])


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not holds():  # noqa: ASYNC110 (the server has no event for it)
            await asyncio.sleep(0.01)


async def test_an_answer_that_is_under_way_is_read_to_its_end(transport: HttpTransport, slow: Slow) -> None:
    before = await asked(transport)
    transport.renew()
    after = await asked(transport)
    assert slow.connections == 2, "what comes later goes over a connection of its own"
    await asyncio.sleep(0.1)
    assert slow.open == 2
    slow.go_on.set()
    assert [await body(before), await body(after)] == [b"abcd", b"abcd"]
    await until(lambda: slow.open == 1)
    assert transport.renewals == 1


async def test_a_connection_without_use_is_closed_at_once(transport: HttpTransport, slow: Slow) -> None:
    slow.go_on.set()
    await body(await asked(transport))
    transport.renew()
    await until(lambda: slow.open == 0)


async def test_an_answer_that_was_given_up_holds_no_connection(transport: HttpTransport, slow: Slow) -> None:
    (await asked(transport)).close()
    transport.renew()
    await until(lambda: slow.open == 0)


async def test_an_answer_that_somebody_forgot_holds_no_connection_for_ever(
    transport: HttpTransport, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETIRED_PATIENCE", 0.05)
    await asked(transport)
    transport.renew()
    await until(lambda: slow.open == 0)


async def test_closing_cuts_what_was_under_way_before_a_renewal_too(transport: HttpTransport, slow: Slow) -> None:
    held = await asked(transport)
    transport.renew()
    await transport.close()
    await until(lambda: slow.open == 0)
    with pytest.raises(Problem) as caught:
        await body(held)
    assert caught.value.status == 503
    slow.go_on.set()
    assert await body(await asked(transport)) == b"abcd", "and the next request opens a new one"
