"""Whoever uses an API cannot tell how it is wired: in one process, in memory, or over a socket."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hanse.kit.certificates import Authority, client_context, server_context, thumbprint
from hanse.kit.contract.call import Caller, continuing, current_call, first_call, serving
from hanse.kit.contract.client import client
from hanse.kit.contract.declare import Stream
from hanse.kit.contract.exchange import Exchange, whole
from hanse.kit.contract.gate import Gate
from hanse.kit.contract.guard import Guard
from hanse.kit.contract.serve import ApiServer
from hanse.kit.contract.transport import HttpTransport, MemoryTransport
from hanse.kit.problems import Problem
from hanse.refpoints.mp2 import Action, DataPlane, DataPlaneCapabilities, FilterType, Forwarding, Mp2, TrafficMatch
from tests.unit.kit.contract.harbour import (
    APP,
    CALLERS,
    PILOT,
    Harbour,
    Port,
    Rig,
    Ship,
    ShipQuery,
    Watch,
    by_header,
    connected,
    listening,
    pieces,
    showing,
    wired,
)

WIRINGS = ("direct", "memory", "socket")


@pytest.fixture
def port() -> Port:
    return Port()


@pytest.fixture(params=WIRINGS)
async def harbour(request: pytest.FixtureRequest, port: Port) -> AsyncIterator[Harbour]:
    async with wired(request.param, port) as api:
        yield api


async def entered(harbour: Harbour, *names: str) -> None:
    for name in names:
        await harbour.enter(Ship(name=name))


class TestResults:
    async def test_what_is_created_comes_back_whole_with_its_location(self, harbour: Harbour) -> None:
        ship = Ship(name="Kraweel", rig=Rig.HULK, crew=40, home_port="Lübeck", cargo=("salt", "fur"), papers={"a": [1]})
        created = await harbour.enter(ship)
        assert created.value == ship
        assert created.location.endswith("/ships/Kraweel")

    async def test_a_location_leads_to_the_resource_whatever_its_name_is(self, harbour: Harbour, port: Port) -> None:
        created = await harbour.enter(Ship(name="a\r\nx-evil: 1"))
        assert "\n" not in created.location or created.location == "/ships/a\r\nx-evil: 1"
        assert list(port.quay.ships) == ["a\r\nx-evil: 1"]

    async def test_an_etag_travels_with_its_value(self, harbour: Harbour) -> None:
        await harbour.enter(Ship(name="Adler", crew=7))
        tagged = await harbour.look("Adler")
        assert (tagged.value.name, tagged.tag) == ("Adler", "7")
        assert (await harbour.refit("Adler", Ship(name="Adler", crew=8))).tag == "8"

    async def test_a_long_list_is_read_page_by_page(self, harbour: Harbour) -> None:
        await entered(harbour, "a", "b", "c & d", "e")
        first = await harbour.find(ShipQuery())
        assert ([s.name for s in first.items], first.next) == (["a", "b"], "after=b")
        second = await harbour.find(ShipQuery(after="b"))
        assert ([s.name for s in second.items], second.next) == (["c & d", "e"], "")

    async def test_query_parameters_arrive_as_they_were_given(self, harbour: Harbour) -> None:
        await entered(harbour, "a b&c=d", "ü", "z")
        found = await harbour.find(ShipQuery(rig=Rig.COG, name=("a b&c=d", "ü"), all=True))
        assert [s.name for s in found.items] == ["a b&c=d", "ü"]

    async def test_accepted_work_tells_where_it_can_be_watched(self, harbour: Harbour) -> None:
        await entered(harbour, "Bunte Kuh")
        accepted = await harbour.repair("Bunte Kuh")
        assert accepted.location.replace("%20", " ").endswith("/ships/Bunte Kuh")

    async def test_nothing_is_nothing(self, harbour: Harbour, port: Port) -> None:
        await entered(harbour, "Adler")
        assert await harbour.leave("Adler") is None  # type: ignore[func-returns-value]
        assert port.quay.ships == {}

    async def test_any_name_may_stand_in_a_path(self, harbour: Harbour) -> None:
        letters = "aZ09-._~/?#%&=+ :@;,$!*'()[]{}|\\^`\"<>äß€𝄞"
        generator = random.Random(1)
        names = ["..", ".", "a/../b", "%2F", "%", "+", "a b"]
        names += ["".join(generator.choices(letters, k=generator.randint(1, 12))) for _ in range(40)]
        assert [await harbour.log(name) for name in names] == names


class TestStreams:
    async def test_a_package_of_megabytes_goes_in_and_out_unchanged(self, harbour: Harbour, port: Port) -> None:
        package = random.Random(2).randbytes(3_000_000)
        parts = [package[i : i + 70_000] for i in range(0, len(package), 70_000)]
        await harbour.load("Adler", Stream(pieces(*parts), "application/zip", len(package)))
        stream = await harbour.unload("Adler")
        assert await whole(stream.chunks, len(package)) == package == port.quay.holds["Adler"]
        assert (stream.media_type, stream.length, stream.status) == ("application/zip", len(package), 200)
        assert ("etag", "lead") in stream.headers

    async def test_a_stream_of_unknown_length_arrives_to_its_last_byte(self, harbour: Harbour, port: Port) -> None:
        await harbour.load("Adler", Stream(pieces(b"a" * 100_000, b"", b"z"), "application/zip"))
        assert port.quay.holds["Adler"] == b"a" * 100_000 + b"z"

    async def test_a_stream_that_fails_in_its_middle_does_not_look_complete(self, harbour: Harbour) -> None:
        stream = await harbour.unload("leaking")
        seen = b""
        failure: Exception | None = None
        try:
            async for part in stream.chunks:
                seen += part
        except (Problem, RuntimeError) as error:
            failure = error
        assert seen in (b"", b"half of")
        assert failure is not None
        assert getattr(failure, "status", 503) == 503

    @pytest.mark.parametrize("size", [0, 10, 1_500_000])
    @pytest.mark.parametrize("chunked", [False, True])
    async def test_an_exchange_is_passed_on_as_it_is(self, harbour: Harbour, size: int, chunked: bool) -> None:
        body = random.Random(size).randbytes(size)
        headers = {"vary": "black", "accept": "image/png", "content-type": "image/x", "host": "h", "cookie": "c"}
        if chunked:
            headers["transfer-encoding"] = "chunked"
        length = None if chunked or not size else size
        exchange = Exchange("PATCH", "a=%20&b", headers, pieces(body[:7], body[7:]), length)
        stream = await harbour.pass_on("jan", "x/a%20b%2Fc/", exchange)
        answer = await whole(stream.chunks, 10_000_000)
        line, _, echo = answer.partition(b"\n")
        assert line.decode().rpartition(" ")[0] == f"PATCH x/a%20b%2Fc/ a=%20&b {size}"
        assert echo == body
        assert (stream.status, stream.media_type) == (418, "image/png")
        assert dict(stream.headers).get("vary") == "black"

    @pytest.mark.parametrize("wiring", ["memory", "socket"])
    async def test_an_exchange_tells_nothing_but_what_is_its_content(self, port: Port, wiring: str) -> None:
        async with wired(wiring, port) as harbour:
            exchange = Exchange("GET", "", {"x-flag": "black", "vary": "accept"}, pieces(), None)
            stream = await harbour.pass_on("jan", "x", exchange)
        assert dict(stream.headers) == {"vary": "accept"}


class TestRefusals:
    async def test_a_problem_says_the_same(self, harbour: Harbour) -> None:
        await entered(harbour, "Adler")
        with pytest.raises(Problem) as refused:
            await harbour.enter(Ship(name="Adler"))
        problem = refused.value
        assert (problem.status, problem.title, problem.detail) == (409, "Berth taken", "Adler is here already")

    @pytest.mark.parametrize("how", ["key", "recursion", "os"])
    async def test_an_error_of_ours_tells_no_secret(self, harbour: Harbour, how: str) -> None:
        with pytest.raises(Problem) as failed:
            await harbour.fail(how)
        assert failed.value.status == 500
        assert "secret" not in str(failed.value)

    @pytest.mark.parametrize("wiring", WIRINGS)
    async def test_a_role_that_is_not_listed_is_refused(self, port: Port, wiring: str) -> None:
        async with wired(wiring, port, CALLERS[b"thief"]) as harbour:
            with pytest.raises(Problem) as refused:
                await harbour.enter(Ship(name="Adler"))
        assert (refused.value.status, refused.value.title) == (403, "Not allowed")
        assert port.quay.ships == {}
        assert [(m.status, m.reference_point) for m in port.watch.messages] == [(403, "refused")]

    @pytest.mark.parametrize("wiring", WIRINGS)
    async def test_an_application_reaches_only_what_is_its_own(self, port: Port, wiring: str) -> None:
        async with wired(wiring, port, APP) as harbour:
            assert await harbour.log("anna") == "anna"
            for other in ("bert", "Anna", "anna/", "anna%00"):
                with pytest.raises(Problem) as refused:
                    await harbour.log(other)
                assert (refused.value.status, refused.value.title) == (403, "Not yours")
            with pytest.raises(Problem, match="403"):
                await harbour.find(ShipQuery())


class TestRecords:
    @pytest.mark.parametrize("wiring", WIRINGS)
    async def test_each_side_tells_a_call_once_and_the_two_fit(self, port: Port, wiring: str) -> None:
        ours = Watch()
        async with wired(wiring, port, observer=ours) as harbour:
            call = first_call()
            with serving(call):
                await harbour.enter(Ship(name="Adler"))
        (received,) = port.watch.messages
        assert (received.trace, received.operation, received.status) == (call.trace, "enter", 201)
        assert (received.sender, received.receiver, received.reference_point) == ("pilot.1", "quay.1", "Sea")
        assert received.path == "/harbour/v1/ships"
        assert received.began <= received.ended
        for sent in ours.messages:
            assert (sent.trace, sent.span, sent.status, sent.side) == (received.trace, received.span, 201, "sender")
            assert sent.parent == call.span
        assert len(ours.messages) == (0 if wiring == "direct" else 1)

    @pytest.mark.parametrize("wiring", ["memory", "socket"])
    async def test_no_trace_crosses_a_border_but_a_link_joins_the_two_sides(self, wiring: str) -> None:
        ours, theirs = Watch(), Port(border=True)
        async with wired(wiring, theirs, border=True, observer=ours) as harbour:
            call = first_call(PILOT)
            with serving(call), continuing(idempotency_key="secret-key", tenant="secret-tenant"):
                await harbour.enter(Ship(name="Adler"))
        (sent,), (received,) = ours.messages, theirs.watch.messages
        assert sent.link == received.link != ""
        assert sent.trace == call.trace
        assert received.trace not in (call.trace, received.link)
        assert call.trace not in str(received)
        (seen,) = theirs.quay.calls
        assert "secret" not in repr(seen)

    @pytest.mark.parametrize("wiring", ["memory", "socket"])
    async def test_a_call_that_its_caller_gave_up_is_not_told_as_a_success(self, port: Port, wiring: str) -> None:
        ours = Watch()
        async with wired(wiring, port, observer=ours) as harbour:
            task = asyncio.create_task(harbour.fail("slow"))
            await asyncio.sleep(0.1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert [m.status for m in ours.messages] == [499]

    @pytest.mark.parametrize("wiring", WIRINGS)
    async def test_who_asks_for_whom_arrives(self, port: Port, wiring: str, monkeypatch: pytest.MonkeyPatch) -> None:
        trusted = Caller(role="pilot", name="oss", operator="north", trusted=True)
        monkeypatch.setitem(CALLERS, b"trusted", trusted)
        for caller, shown, expected in ((trusted, "trusted", "müller"), (PILOT, "pilot", "tenant-1")):
            async with wired(wiring, port, caller, authorize=showing(shown)) as harbour:
                with continuing(idempotency_key="k-1", tenant="müller", patience=50):
                    await harbour.log("x")
            call = port.quay.calls[-1]
            assert (call.tenant, call.idempotency_key, call.caller.name) == (expected, "k-1", caller.name)
            assert 30 < call.remaining() <= 50


class TestDeadlines:
    @pytest.mark.parametrize("wiring", ["memory", "socket"])
    async def test_a_slow_provider_ends_in_504(self, port: Port, wiring: str) -> None:
        async with wired(wiring, port) as harbour:
            with continuing(patience=0.2), pytest.raises(Problem) as late:
                await harbour.fail("slow")
        assert late.value.status == 504

    @pytest.mark.parametrize("wiring", ["memory", "socket"])
    async def test_a_call_whose_time_is_over_is_not_sent(self, port: Port, wiring: str) -> None:
        async with wired(wiring, port) as harbour:
            with continuing(patience=-1), pytest.raises(Problem, match="504"):
                await harbour.enter(Ship(name="Adler"))
        assert port.quay.ships == {}


class TestCertificates:
    async def test_the_server_knows_whose_certificate_was_shown(self, tmp_path: Path) -> None:
        authority = Authority.ensure(tmp_path, "north")
        life = timedelta(hours=1)
        server = authority.issue("quay", addresses=("127.0.0.1",), lifetime=life, directory=tmp_path)
        pilot = authority.issue("pilot", lifetime=life, directory=tmp_path)
        seen: list[Any] = []

        def by_certificate(scope: Any, headers: dict[bytes, bytes]) -> Caller:
            seen.append(scope["client_certificate"])
            return by_header(scope, headers)

        port = Port(authenticate=by_certificate)
        trust = [authority.certificate_path]
        for required, identity in ((True, pilot), (False, pilot), (False, None)):
            theirs = server_context(server, clients=trust, require_client=required)
            ours = client_context(trust, identity)
            async with listening(port.server, theirs) as listener, connected(listener, ours) as transport:
                harbour = client(Harbour, port.peer(transport))
                assert [await harbour.log("x") for _ in range(2)] == ["x", "x"]
                if identity is not None:
                    assert listener.drop(lambda der: der == seen[-1]) == 1
        assert [der and thumbprint(der) for der in seen] == [pilot.thumbprint] * 4 + [None, None]

    async def test_a_server_is_not_believed_because_nobody_said_whom_to_trust(self, tmp_path: Path) -> None:
        authority = Authority.ensure(tmp_path, "north")
        life = timedelta(hours=1)
        server = authority.issue("quay", addresses=("127.0.0.1",), lifetime=life, directory=tmp_path)
        port = Port()
        async with listening(port.server, server_context(server, require_client=None)) as listener:
            transport = HttpTransport(f"https://127.0.0.1:{listener.port}", None)
            with pytest.raises(Problem, match="503"):
                await client(Harbour, port.peer(transport)).log("x")
            await transport.close()
        assert port.quay.calls == []

    async def test_without_a_certificate_nobody_enters(self, tmp_path: Path) -> None:
        authority = Authority.ensure(tmp_path / "north", "north")
        stranger = Authority.ensure(tmp_path / "south", "south")
        life = timedelta(hours=1)
        server = authority.issue("quay", addresses=("127.0.0.1",), lifetime=life, directory=tmp_path)
        foreign = stranger.issue("pilot", lifetime=life, directory=tmp_path)
        port, trust = Port(), [authority.certificate_path]
        theirs = server_context(server, clients=trust, require_client=True)
        async with listening(port.server, theirs) as listener:
            for context in (
                client_context(trust),
                client_context(trust, foreign),
                client_context([stranger.certificate_path]),
            ):
                async with connected(listener, context) as transport:
                    with pytest.raises(Problem) as refused:
                        await client(Harbour, port.peer(transport)).enter(Ship(name="Adler"))
                    assert refused.value.status == 503
        assert port.quay.ships == {}


class _Rules(DataPlane):
    def __init__(self) -> None:
        self.rules: dict[str, Forwarding] = {}

    async def install(self, rule_id: str, forwarding: Forwarding) -> None:
        self.rules[rule_id] = forwarding

    async def withdraw(self, rule_id: str) -> None:
        self.rules.pop(rule_id, None)

    async def forwardings(self) -> list[Forwarding]:
        return list(self.rules.values())

    async def capabilities(self) -> DataPlaneCapabilities:
        return DataPlaneCapabilities(kind="test", available=True, lacks={current_call().caller.name: "x"})


async def test_a_data_plane_on_another_machine_takes_the_same_rules() -> None:
    rules, watch = _Rules(), Watch()
    platform = Caller(role="mep", name="mep.harbour", operator="north")
    server = ApiServer(lambda scope, headers: platform)
    server.mount(rules, Gate("data_plane", "data_plane.harbour", "north", Guard([Mp2]), watch), [DataPlane])
    port = Port()
    remote = client(DataPlane, port.peer(MemoryTransport(server), platform))
    match = TrafficMatch(src_address=("127.9.0.0/16",), protocol=("tcp",))
    rule = Forwarding(
        rule_id="r/1",
        owner="app",
        priority=1,
        filter_type=FilterType.FLOW,
        matches=(match,),
        action=Action.FORWARD_DECAPSULATED,
        to_address="127.2.0.5",
    )
    await remote.install("r/1", rule)
    assert await remote.forwardings() == [rule] == list(rules.rules.values())
    await remote.withdraw("r/1")
    assert await remote.forwardings() == []
    assert (await remote.capabilities()).lacks == {"mep.harbour": "x"}
    assert {m.reference_point for m in watch.messages} == {"Mp2"}
