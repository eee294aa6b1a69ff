"""However badly the other end behaves, a caller gets a problem that says whose fault it is, and soon."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hanse.kit.contract import reply as reply_module
from hanse.kit.contract.call import continuing
from hanse.kit.contract.client import client
from hanse.kit.contract.declare import Stream
from hanse.kit.contract.exchange import Exchange, whole
from hanse.kit.contract.outgoing import encode_query
from hanse.kit.contract.transport import HttpTransport
from hanse.kit.problems import Problem
from tests.bounds import SOON
from tests.unit.kit.contract.harbour import (
    Harbour,
    Port,
    Rig,
    Ship,
    ShipQuery,
    Watch,
    connected,
    listening,
    pieces,
)


class Scripted:
    """A server that answers every request with given bytes, whatever was asked."""

    def __init__(self, *answers: bytes, then: Callable[[asyncio.StreamWriter], Any] | None = None) -> None:
        self.answers, self.then = list(answers), then
        self.requests: list[bytes] = []
        self.connections = 0
        self.cut = asyncio.Event()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
                await writer.drain()
                if self.then is not None:
                    await self.then(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.cut.set()
        finally:
            writer.close()

    @asynccontextmanager
    async def harbour(self, host: str = "127.0.0.1", **more: Any) -> AsyncIterator[Harbour]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        transport = HttpTransport(f"http://{host}:{server.sockets[0].getsockname()[1]}", None, name="quay.1")
        try:
            yield client(Harbour, Port().peer(transport, **more))
        finally:
            await transport.close()
            server.close()


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def problem_of(call: Any) -> Problem:
    with pytest.raises(Problem) as problem:
        await call
    return problem.value


async def hang(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def end(writer: asyncio.StreamWriter) -> None:
    writer.close()
    raise ConnectionResetError


class TestReaching:
    async def test_nobody_there_is_503_at_once(self) -> None:
        transport = HttpTransport("http://127.0.0.1:1", None, name="quay.1")
        began = time.monotonic()
        problem = await problem_of(client(Harbour, Port().peer(transport)).log("x"))
        assert (problem.status, problem.title) == (503, "quay.1 cannot be reached")
        assert problem.headers["Retry-After"]
        assert time.monotonic() - began < 10, "it was waited for as if somebody might come"
        await transport.close()

    async def test_who_hangs_up_without_an_answer_is_503(self) -> None:
        async with Scripted(b"", then=end).harbour() as harbour:
            assert (await problem_of(harbour.enter(Ship(name="a")))).status == 503

    @pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\n", answer(b"x" * 100)[:-50]])
    async def test_silence_is_504_after_the_callers_patience(self, begun: bytes) -> None:
        async with Scripted(begun, then=hang).harbour() as harbour:
            began = time.monotonic()
            with continuing(patience=0.15):
                problem = await problem_of(harbour.log("x"))
            assert problem.status == 504
            assert 0.1 < time.monotonic() - began < SOON

    async def test_an_answer_that_ends_early_is_not_taken_for_whole(self) -> None:
        async with Scripted(answer(b'"' + b"x" * 100 + b'"')[:-50], then=end).harbour() as harbour:
            assert (await problem_of(harbour.log("x"))).status == 503

    async def test_many_calls_share_connections(self) -> None:
        server = Scripted(answer(b'"x"'))
        async with server.harbour() as harbour:
            for _ in range(20):
                assert await harbour.log("x") == "x"
            assert server.connections == 1
            await asyncio.gather(*(harbour.log("x") for _ in range(10)))
            assert server.connections <= 10

    async def test_a_connection_that_the_server_closed_is_opened_anew(self) -> None:
        port = Port()
        async with listening(port.server) as listener, connected(listener) as transport:
            harbour = client(Harbour, port.peer(transport))
            assert await harbour.log("x") == "x"
            await transport.close()
            assert await harbour.log("x") == "x"

    async def test_a_refusal_leaves_its_connection_usable(self) -> None:
        server = Scripted(answer(b'{"title":"No"}', "404 Not Found"))
        async with server.harbour() as harbour:
            for _ in range(5):
                await problem_of(harbour.log("x"))
            assert server.connections == 1


NONSENSE = {
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "another type": answer(b"[1]"),
    "an empty body": answer(b""),
    "no body where one is due": answer(b"", "204 No Content"),
    "a login page": answer(b"<html>"),
    "bad UTF-8": answer(b'"\xff"'),
    "deep nesting": answer(b"[" * 100_000),
    "a redirection": answer(b"", "302 Found", "location: http://127.0.0.1/elsewhere"),
    "not modified": answer(b"", "304 Not Modified"),
    "an unknown status": answer(b"", "777 What"),
    "a broken chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
}


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE.keys())
async def test_nonsense_is_the_other_ends_fault(nonsense: bytes) -> None:
    async with Scripted(nonsense, then=end).harbour() as harbour:
        problem = await problem_of(harbour.look("x"))
        assert problem.status == 502 or (problem.status == 503 and b"chunked" in nonsense)
        assert problem.title.startswith("quay.1")


async def test_a_redirection_is_not_taken_for_done() -> None:
    async with Scripted(answer(b"", "302 Found", "location: /login")).harbour() as harbour:
        assert (await problem_of(harbour.leave("x"))).status == 502
        assert (await problem_of(harbour.unload("x"))).status == 502


async def test_a_problem_of_the_other_end_is_read_as_it_was_meant() -> None:
    body = b'{"type":"about:blank","title":"Berth taken","status":409,"detail":"by Adler","instance":"/x"}'
    async with Scripted(answer(body, "409 Conflict")).harbour() as harbour:
        problem = await problem_of(harbour.log("x"))
        assert (problem.status, problem.title, problem.detail) == (409, "Berth taken", "by Adler")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"title":5}', b"\xff", b"[" * 100_000])
async def test_a_refusal_in_any_form_keeps_its_status(body: bytes) -> None:
    async with Scripted(answer(body, "404 Not Found")).harbour() as harbour:
        problem = await problem_of(harbour.log("x"))
        assert (problem.status, problem.title) == (404, "Not Found")


class TestPartners:
    @pytest.mark.parametrize(
        ("status", "ours"), [(500, 502), (501, 502), (507, 502), (503, 503), (504, 504), (409, 409)]
    )
    async def test_a_partners_failure_never_looks_like_ours(self, status: int, ours: int) -> None:
        server = Scripted(answer(b'{"title":"Oops","detail":"at /srv/south/db.py:7"}', f"{status} X"))
        watch = Watch()
        async with server.harbour(border=True, observer=watch) as harbour:
            problem = await problem_of(harbour.log("x"))
        assert problem.status == ours
        assert ("db.py" in str(problem)) == (ours == status)
        assert [m.status for m in watch.messages] == [ours]

    async def test_within_an_operator_a_failure_is_told_as_in_one_process(self) -> None:
        async with Scripted(answer(b'{"title":"Internal error"}', "500 X")).harbour() as harbour:
            assert (await problem_of(harbour.log("x"))).status == 500

    async def test_an_answer_without_end_is_cut_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reply_module, "ANSWER_LIMIT", 100_000)

        async def endless(writer: asyncio.StreamWriter) -> None:
            while True:
                writer.write(b"10000\r\n" + b" " * 65536 + b"\r\n")
                await writer.drain()

        server = Scripted(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", then=endless)
        async with server.harbour() as harbour:
            problem = await problem_of(harbour.log("x"))
            assert (problem.status, problem.title) == (502, "quay.1 answers without end")
            await asyncio.wait_for(server.cut.wait(), SOON)

    async def test_cookies_of_one_caller_are_not_shown_for_another(self) -> None:
        server = Scripted(answer(b'"x"', "200 OK", "set-cookie: session=mine"))
        async with server.harbour("localhost") as harbour:  # an address would be given no cookie in any case
            await harbour.log("x")
            await harbour.log("x")
        assert b"session" not in server.requests[1]

    async def test_an_exchange_gains_no_headers_on_its_way(self) -> None:
        server = Scripted(answer(b"", "404 Not Found", "x-a: b"))
        async with server.harbour(authorize=None) as harbour:
            stream = await harbour.pass_on(
                "jan", "", Exchange("GET", "", {"x-flag": "black", "range": "bytes=1-"}, pieces(), None)
            )
            assert (stream.status, await whole(stream.chunks, 10)) == (404, b"")
        lines = server.requests[0].decode().lower().split("\r\n")
        names = {line.partition(":")[0] for line in lines[1:] if line}
        assert lines[0] == "get /harbour/v1/pilots/jan/ http/1.1"
        assert names == {"host", "range", "traceparent", "hanse-patience", "accept"}


class TestAuthorization:
    @pytest.fixture
    def asked(self) -> list[bool]:
        return []

    @pytest.fixture
    def authorize(self, asked: list[bool]) -> Callable[[bool], Any]:
        async def authorize(renew: bool) -> dict[str, str]:
            asked.append(renew)
            return {"authorization": "new" if renew else "old"}

        return authorize

    async def test_a_token_that_has_run_out_is_renewed_without_the_callers_notice(
        self, authorize: Any, asked: list[bool]
    ) -> None:
        server, watch = Scripted(answer(b"", "401 Unauthorized"), answer(b'"x"')), Watch()
        async with server.harbour(authorize=authorize, observer=watch) as harbour:
            assert await harbour.log("x") == "x"
        assert asked == [False, True]
        assert [b"authorization: new" in r.lower() for r in server.requests] == [False, True]
        assert [m.status for m in watch.messages] == [200]

    async def test_a_token_that_is_refused_twice_is_refused(self, authorize: Any, asked: list[bool]) -> None:
        async with Scripted(answer(b"", "401 Unauthorized")).harbour(authorize=authorize) as harbour:
            assert (await problem_of(harbour.log("x"))).status == 401
        assert asked == [False, True]

    async def test_a_body_that_has_flowed_away_is_not_sent_again(self, authorize: Any, asked: list[bool]) -> None:
        async with Scripted(answer(b"", "401 Unauthorized"), answer(b'"x"')).harbour(authorize=authorize) as harbour:
            assert (await problem_of(harbour.load("x", Stream(pieces(b"a"), "application/zip")))).status == 401
        assert asked == [False]


class TestTargets:
    async def test_an_empty_name_does_not_lead_to_the_whole_list(self) -> None:
        server = Scripted(answer(b"", "204 No Content"))
        async with server.harbour() as harbour:
            assert (await problem_of(harbour.leave(""))).status == 404
        assert server.requests == []

    async def test_no_name_leads_out_of_its_place(self) -> None:
        server = Scripted(answer(b"", "204 No Content"))
        async with server.harbour() as harbour:
            for name in ("..", "../../mp1", "a?b", "a#b", "a b\r\nx: y"):
                await harbour.leave(name)
        targets = [r.split(b" ")[1].decode() for r in server.requests]
        names = ["..", "..%2F..%2Fmp1", "a%3Fb", "a%23b", "a%20b%0D%0Ax%3A%20y"]
        assert targets == [f"/harbour/v1/ships/{name}" for name in names]

    def test_a_query_is_written_as_the_standard_has_it(self) -> None:
        query = ShipQuery(rig=Rig.HULK, name=("a b", "ä&"), all=True)
        assert encode_query(query) == "rig=HULK&name=a+b&name=%C3%A4%26&all=true&after="
        assert encode_query(None) == ""
