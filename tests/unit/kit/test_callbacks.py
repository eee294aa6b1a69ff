"""A subscriber gets what it asked to be told, as JSON, once per delivery; what it answers decides what follows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import msgspec
import pytest
from aiohttp import web

from hanse.kit import callbacks
from hanse.kit.callbacks import Callbacks, CallbackTo
from hanse.kit.contract.call import Caller, continuing
from hanse.kit.contract.observe import Message
from hanse.kit.problems import Problem
from hanse.kit.values import Link

NEWS = Link(href="https://here/news")


@dataclass
class Receiver:
    """An app that listens: where, what came, and what it answers."""

    url: str = ""
    status: int = 204
    slow: float = 0.0
    got: list[tuple[str, str, bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((request.method, request.headers.get("content-type", ""), await request.read()))
        await asyncio.sleep(self.slow)
        return web.Response(status=self.status, headers={"location": "/elsewhere"})


@dataclass
class Seen:
    """An observer that keeps what it sees."""

    messages: list[Message] = field(default_factory=list)

    def saw(self, message: Message) -> None:
        self.messages.append(message)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", made.take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    made.url = f"http://{host}:{port}/notify"
    yield made
    await runner.cleanup()


@pytest.fixture
async def seen() -> Seen:
    return Seen()


@pytest.fixture
async def sender(seen: Seen) -> AsyncIterator[Callbacks]:
    made = Callbacks(Caller(role="mep", name="mep.harbour", operator="north"), "Mp1", seen)
    yield made
    await made.close()


def event(url: str, trace: str = "t" * 32) -> bytes:
    with continuing(trace):
        return msgspec.json.encode(CallbackTo.of(url, NEWS, "app.one"))


async def refused(sender: Callbacks, url: str) -> Problem:
    with pytest.raises(Problem) as caught:
        await sender.deliver(event(url))
    return caught.value


async def test_news_is_posted_as_json_and_recorded_in_its_trace(
    sender: Callbacks, receiver: Receiver, seen: Seen
) -> None:
    await sender.deliver(event(receiver.url))
    assert receiver.got == [("POST", "application/json", b'{"href":"https://here/news"}')]
    [message] = seen.messages
    assert (message.trace, message.reference_point, message.status) == ("t" * 32, "Mp1", 204)
    assert (message.sender, message.receiver) == ("mep.harbour", "app.one")


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_success_is_taken(sender: Callbacks, receiver: Receiver, status: int) -> None:
    receiver.status = status
    await sender.deliver(event(receiver.url))


@pytest.mark.parametrize("status", [302, 307, 400, 410, 429, 500, 503])
async def test_any_other_answer_is_a_problem_of_its_status_and_no_redirect_is_followed(
    sender: Callbacks, receiver: Receiver, seen: Seen, status: int
) -> None:
    receiver.status = status
    assert (await refused(sender, receiver.url)).status == status
    assert len(receiver.got) == 1
    assert seen.messages[0].status == status


@pytest.mark.parametrize("status", [401, 403, 404, 405])
async def test_a_receiver_whose_route_is_not_there_yet_is_told_again(
    sender: Callbacks, receiver: Receiver, seen: Seen, status: int
) -> None:
    receiver.status = status
    problem = await refused(sender, receiver.url)
    assert problem.status == 503
    assert str(status) in problem.detail
    assert seen.messages[-1].status == status, "what it answered is what is recorded"


async def test_a_receiver_that_is_not_there_may_be_tried_again(sender: Callbacks, seen: Seen) -> None:
    problem = await refused(sender, "http://127.0.0.1:9/x")
    assert (problem.status, problem.title) == (503, "app.one cannot be reached")
    assert seen.messages[0].status == 503


async def test_a_slow_receiver_is_not_waited_for_without_end(
    sender: Callbacks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "PATIENCE", 0.05)
    receiver.slow = 1.0
    assert (await refused(sender, receiver.url)).status == 504


@pytest.mark.parametrize("url", ["nowhere", "http://", "http://a b/", "http://[::1/x", "ftp://127.0.0.1/x"])
async def test_an_address_that_is_none_is_a_problem_and_no_crash(sender: Callbacks, url: str) -> None:
    assert (await refused(sender, url)).status == 503
