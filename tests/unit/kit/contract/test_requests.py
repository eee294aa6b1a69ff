"""Whatever is wrong with a request, its sender is told what, and nothing has changed."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import replace

import msgspec
import pytest

from hanse.kit.contract.declare import Api, get
from hanse.kit.contract.decode import decode_body
from hanse.kit.contract.guard import Guard
from hanse.kit.contract.reference import Offer, ReferencePoint
from hanse.kit.problems import Problem
from hanse.kit.values import Value
from tests.unit.kit.contract.harbour import SEA, Dialogue, Port, Reply, Rig, Ship, dialogue, listening, request

SHIPS = "/harbour/v1/ships"
DEPTH = 100_000


@pytest.fixture
def port() -> Port:
    port = Port()
    port.quay.ships["Adler"] = Ship(name="Adler", crew=7)
    return port


@pytest.fixture
async def line(port: Port) -> AsyncIterator[Dialogue]:
    async with listening(port.server) as listener, dialogue(listener.port) as line:
        yield line


async def refused(line: Dialogue, raw: bytes, status: int) -> dict[str, object]:
    """The problem that a request is answered with; the connection serves the next one all the same."""
    await line.send(raw)
    return told(await line.reply(), status)


def told(reply: Reply, status: int) -> dict[str, object]:
    assert (reply.status, reply.headers["content-type"]) == (status, "application/problem+json"), reply
    problem: dict[str, object] = msgspec.json.decode(reply.body)
    assert problem["status"] == status
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert problem["detail"]
    return problem


NOT_JSON = {
    "a word": b"hello",
    "cut off": b'{"name": "a',
    "cut off at once": b"{",
    "two values": b'{"name":"a"} {"name":"b"}',
    "a comma too many": b'{"name":"a",}',
    "single quotes": b"{'name':'a'}",
    "a comment": b'{"name":"a"} // b',
    "bad UTF-8 in a value": b'{"name":"\xff\xfe"}',
    "bad UTF-8 in a key": b'{"\xc3(":1,"name":"a"}',
    "half a surrogate": rb'{"name":"\ud800"}',
    "half a surrogate in papers": rb'{"name":"a","papers":"\udfff"}',
    "NaN": b'{"name":"a","papers":NaN}',
    "Infinity": b'{"name":"a","papers":-Infinity}',
    "a control character": b'{"name":"a\nb"}',
    "UTF-16": '{"name":"a"}'.encode("utf-16"),
    "only blanks": b"   ",
    "arrays in arrays": b"[" * DEPTH,
    "objects in objects": b'{"name":' * DEPTH,
    "arrays in papers": b'{"name":"a","papers":' + b"[" * DEPTH + b"]" * DEPTH + b"}",
    "objects in papers": b'{"name":"a","papers":' + b'{"a":' * DEPTH + b"1" + b"}" * DEPTH + b"}",
    "arrays in an unknown member": b'{"name":"a","x":' + b"[" * DEPTH + b"]" * DEPTH + b"}",
    "arrays in the wrapper": b'{"Ship":' + b"[" * DEPTH + b"]" * DEPTH + b"}",
    "wrappers in wrappers": b'{"Ship":' * DEPTH + b"1" + b"}" * DEPTH,
    "a wrapper that is cut off": b'{"Ship":',
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
async def test_a_body_that_cannot_be_read_is_the_senders_fault(line: Dialogue, port: Port, body: bytes) -> None:
    await refused(line, request("POST", SHIPS, body), 400)
    assert list(port.quay.ships) == ["Adler"]
    await line.send(request("GET", SHIPS))
    assert (await line.reply()).status == 200


WRONG = {
    b'{"name":1}': ("Invalid attribute name", "str"),
    b'{"name":null}': ("Invalid attribute name", "str"),
    b"{}": ("Missing attribute name", "name"),
    b'{"rig":"COG"}': ("Missing attribute name", "name"),
    b'{"name":"a","rig":"RAFT"}': ("Invalid attribute rig", "legal: COG, HULK"),
    b'{"name":"a","crew":"many"}': ("Invalid attribute crew", "int"),
    b'{"name":"a","crew":1.5}': ("Invalid attribute crew", "int"),
    b'{"name":"a","homePort":null}': ("Invalid attribute homePort", "str"),
    b'{"name":"a","cargo":["x",1]}': ("Invalid attribute cargo[1]", "str"),
    b"[]": ("Invalid body", "object"),
    b'"Ship"': ("Invalid body", "object"),
    b'["Ship",1]': ("Invalid body", "object"),
    b'{"Ship":[]}': ("Invalid body", "object"),
    b'{"Ship":{"name":1}}': ("Invalid attribute name", "str"),
    b'{"Ship":{"name":"a"},"x":1}': ("Missing attribute name", "name"),
    b'{"name":"a","crew":' + b"9" * 5000 + b"}": ("Invalid attribute crew", ""),
    b'{"name":"a","crew":1e999}': ("", ""),
}


@pytest.mark.parametrize("body", WRONG)
async def test_the_title_names_the_attribute_and_the_detail_what_is_legal(
    line: Dialogue, port: Port, body: bytes
) -> None:
    problem = await refused(line, request("POST", SHIPS, body), 400)
    title, detail = WRONG[body]
    assert str(problem["title"]).startswith(title)
    assert detail in str(problem["detail"])
    assert list(port.quay.ships) == ["Adler"]


async def test_what_is_merely_unusual_is_taken(line: Dialogue, port: Port) -> None:
    usual = Ship(name="a")
    for body in (
        b'{"name":"b","name":"a"}',
        b'{"Ship":{"name":"a"}}',
        b' \r\n{ "Ship" : {"name":"a"} } ',
        b'{"name":"a","unknown":[{}]}',
        rb'{"name":"\u0061"}',
    ):
        port.quay.ships.pop("a", None)
        await line.send(request("POST", SHIPS, body, ["content-type: application/json; charset=utf-8"]))
        assert (await line.reply()).status == 201
        assert port.quay.ships["a"] == usual


async def test_no_bytes_at_all_crash_the_server(line: Dialogue, port: Port) -> None:
    generator = random.Random(7)
    whole = b'{"Ship":{"name":"\xc3\xa4","rig":"HULK","crew":3,"papers":{"a":[1,2.5e3,null,true]},"cargo":["x"]}}'
    for _ in range(300):
        body = bytearray(whole)
        for _ in range(generator.randint(1, 4)):
            body[generator.randrange(len(body))] = generator.choice(b'{}[]",:\\u\x00\xff0-e. ')
        await line.send(request("PUT", f"{SHIPS}/Adler", bytes(body)))
        reply = await line.reply()
        if reply.status != 200:
            told(reply, 400)


QUERIES = {
    "rigg=COG": ("Unknown query parameter rigg", "legal: rig, name, crew, all, after"),
    "rig=RAFT": ("Invalid query parameter rig", "legal: COG, HULK"),
    "rig=COG&rig=HULK": ("Query parameter rig given 2 times", "once"),
    "crew=": ("Invalid query parameter crew", "int"),
    "crew=1.5": ("Invalid query parameter crew", "int"),
    "crew=nan": ("Invalid query parameter crew", "int"),
    "crew=" + "9" * 5000: ("Invalid query parameter crew", "range"),
    "all=perhaps": ("Invalid query parameter all", "legal: true, false"),
    "after=%ff": ("Query is not UTF-8", "UTF-8"),
    "%ff=1": ("Query is not UTF-8", "UTF-8"),
    "&".join(f"name={i}" for i in range(500)): ("Too many query parameters", "200"),
    "=x": ("Unknown query parameter", "legal"),
}


class Berth(Value):
    rig: Rig
    free: bool


@pytest.mark.parametrize(
    ("body", "attribute", "legal"), [(b"{}", "rig", "COG, HULK"), (b'{"rig":"COG"}', "free", "true, false")]
)
def test_whoever_leaves_out_a_choice_is_told_what_there_is_to_choose_from(
    body: bytes, attribute: str, legal: str
) -> None:
    with pytest.raises(Problem) as caught:
        decode_body(body, Berth)
    assert caught.value.title == f"Missing attribute {attribute}"
    assert caught.value.detail.endswith(f"legal: {legal}")


@pytest.mark.parametrize("query", QUERIES)
async def test_a_query_that_means_nothing_is_refused(line: Dialogue, query: str) -> None:
    problem = await refused(line, request("GET", f"{SHIPS}?{query}"), 400)
    title, detail = QUERIES[query]
    assert str(problem["title"]).startswith(title)
    assert detail in str(problem["detail"])


async def test_a_resource_without_query_takes_none(line: Dialogue) -> None:
    problem = await refused(line, request("GET", f"{SHIPS}/Adler?x=1"), 400)
    assert problem["title"] == "Unknown query parameter x"


async def test_a_query_in_any_spelling_is_understood(line: Dialogue) -> None:
    for query in ("rig=COG&all=TRUE&crew=7", "name=Adler&name=x", "?after=", "after=a+b%20c", "&&rig=COG&"):
        await line.send(request("GET", f"{SHIPS}?{query.lstrip('?')}"))
        assert (await line.reply()).status == 200, query


PATHS = {
    "/": 404,
    "/harbour/v3/ships": 404,
    "/harbour/v1": 404,
    f"{SHIPS}/Adler/sails": 404,
    f"{SHIPS}//hold": 404,
    f"{SHIPS}/nobody": 404,
    f"{SHIPS}/Adler%2Fhold": 404,
    f"{SHIPS}/..": 404,
    f"{SHIPS}/%ff": 400,
    f"{SHIPS}/%C3%28": 400,
    f"{SHIPS}/%zz": 400,
    f"{SHIPS}/%": 400,
    f"{SHIPS}/Adler%2": 400,
    f"{SHIPS}/%00": 400,
    f"{SHIPS}/a%0d%0ax-evil:1": 400,
    f"{SHIPS}/" + "x" * 9000: 414,
    f"{SHIPS}?after=" + "x" * 9000: 414,
}


@pytest.mark.parametrize("path", PATHS)
async def test_a_path_that_leads_nowhere_is_refused(line: Dialogue, path: str) -> None:
    await refused(line, request("GET", path), PATHS[path])


async def test_the_whole_of_a_name_is_percent_decoded_once(line: Dialogue, port: Port) -> None:
    for path, name in (("a%2Fb", "a/b"), ("%252F", "%2F"), ("a%20b", "a b"), ("a+b", "a+b"), ("%C3%A4", "ä")):
        await line.send(request("GET", f"/harbour/v2/captains/{path}/log"))
        assert msgspec.json.decode((await line.reply()).body) == name


async def test_a_slash_at_the_end_means_nothing(line: Dialogue) -> None:
    await line.send(request("GET", f"{SHIPS}/Adler/"))
    assert (await line.reply()).status == 200


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "TRACE", "PROPFIND"])
async def test_a_wrong_method_is_told_the_right_ones(line: Dialogue, port: Port, method: str) -> None:
    await line.send(request(method, SHIPS))
    reply = await line.reply()
    told(reply, 405)
    assert reply.headers["allow"] == "GET, HEAD, POST"
    assert list(port.quay.ships) == ["Adler"]


async def test_who_takes_no_json_is_told_so(line: Dialogue) -> None:
    await refused(line, request("GET", SHIPS, headers=["accept: application/xml"]), 406)
    for accept in ("application/json", "*/*", "application/*", "text/html, */*;q=0.1", "application/problem+json"):
        await line.send(request("GET", SHIPS, headers=[f"accept: {accept}"]))
        assert (await line.reply()).status == 200


@pytest.mark.parametrize("media", ["text/plain", "application/xml", "application/jsonx", "multipart/form-data"])
async def test_a_body_of_another_kind_is_refused(line: Dialogue, port: Port, media: str) -> None:
    raw = request("POST", SHIPS, b'{"name":"a"}', [f"content-type: {media}"])
    problem = await refused(line, raw, 415)
    assert "application/json" in str(problem["detail"])
    assert list(port.quay.ships) == ["Adler"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (["accept: application/xml", "accept: application/json"], 200),
        (["accept: application/json", "accept: application/xml"], 200),
        (["accept: text/html", "accept: application/xml"], 406),
        (["x: 1", "x: 2"], 200),
        (["host: other"], 400),
        (["authorization: pilot", "authorization: gull"], 400),
    ],
)
async def test_fields_of_one_name_are_one_list_or_one_too_many(line: Dialogue, headers: list[str], status: int) -> None:
    await line.send(request("GET", SHIPS, headers=headers))
    reply = await line.reply()
    assert reply.status == status
    if status == 400:
        assert "once" in str(told(reply, 400)["detail"])


@pytest.mark.parametrize(("version", "status"), [("1.1", 400), ("1.0", 200)])
async def test_a_request_says_for_which_host_it_is(line: Dialogue, version: str, status: int) -> None:
    await line.send(f"GET {SHIPS} HTTP/{version}\r\nauthorization: pilot\r\n\r\n".encode())
    reply = await line.reply()
    assert reply.status == status
    if status == 400:
        assert "Host" in str(told(reply, 400)["title"])


@pytest.mark.parametrize(("coding", "status"), [("gzip", 415), ("identity, br", 415), ("Identity", 201)])
async def test_a_body_that_is_compressed_is_refused_as_that(
    line: Dialogue, port: Port, coding: str, status: int
) -> None:
    await line.send(request("POST", SHIPS, b'{"name":"a"}', [f"content-encoding: {coding}"]))
    reply = await line.reply()
    assert (reply.status, "a" in port.quay.ships) == (status, status == 201)
    if status == 415:
        assert "Content-Encoding" in str(told(reply, 415)["title"])
        assert reply.headers["accept-encoding"] == "identity"


async def test_a_package_must_say_what_it_is(line: Dialogue, port: Port) -> None:
    for headers in ([], ["content-type: application/json"]):
        raw = request("PUT", f"{SHIPS}/Adler/hold", b"", headers, length=0)
        assert "application/zip" in str((await refused(line, raw, 415))["detail"])
    assert port.quay.holds == {}


async def test_nobody_is_let_in_before_anything_else_is_said(line: Dialogue) -> None:
    for target in (SHIPS, "/nothing"):
        await line.send(b"GET " + target.encode() + b" HTTP/1.1\r\nhost: x\r\n\r\n")
        reply = await line.reply()
        told(reply, 401)
        assert reply.headers["www-authenticate"].startswith("Bearer")


class TestConditions:
    async def test_what_the_client_has_is_not_sent_again(self, line: Dialogue) -> None:
        for condition, status in (
            ('"7"', 304),
            ('W/"7"', 304),
            ('"6", "7"', 304),
            ("*", 304),
            ('"6"', 200),
            ("7", 200),
        ):
            await line.send(request("GET", f"{SHIPS}/Adler", headers=[f"if-none-match: {condition}"]))
            reply = await line.reply()
            assert (reply.status, reply.headers["etag"]) == (status, '"7"'), condition
            assert bool(reply.body) == (status == 200)

    async def test_a_change_on_an_old_view_is_refused(self, line: Dialogue, port: Port) -> None:
        body = b'{"name":"Adler","crew":9}'
        await refused(line, request("PUT", f"{SHIPS}/Adler", body, ['if-match: "6"']), 412)
        assert port.quay.ships["Adler"].crew == 7
        await line.send(request("PUT", f"{SHIPS}/Adler", body, ['if-match: "6", "7"']))
        assert (await line.reply()).status == 200
        assert port.quay.ships["Adler"].crew == 9


class TestHeaders:
    @pytest.mark.parametrize("patience", ["nan", "-nan", "x", "", "1e999", "-1", "0"])
    async def test_a_nonsensical_patience_does_no_harm(self, line: Dialogue, port: Port, patience: str) -> None:
        await line.send(request("GET", "/harbour/v1/captains/x/log", headers=[f"hanse-patience: {patience}"]))
        assert (await line.reply()).status == 200
        assert -0.1 <= port.quay.calls[-1].deadline - port.watch.messages[-1].began <= 601

    @pytest.mark.parametrize(
        "trace", ["", "00-" + "ä" * 32 + "-" + "b" * 16 + "-01", "00-g-b-01", "-" * 99, "00-" + "A" * 32]
    )
    async def test_a_trace_that_is_none_is_replaced(self, line: Dialogue, port: Port, trace: str) -> None:
        await line.send(request("GET", "/harbour/v1/captains/x/log", headers=[f"traceparent: {trace}"]))
        assert (await line.reply()).status == 200
        call = port.quay.calls[-1]
        assert len(call.trace) == 32
        assert set(call.trace + call.span) <= set("0123456789abcdef")

    async def test_strange_bytes_in_headers_are_no_error(self, line: Dialogue) -> None:
        for header in ("x-a: \xff\xfe", "hanse-tenant: \xff", "accept: \xff*/*", "idempotency-key: " + "\xe9" * 500):
            await line.send(request("GET", SHIPS, headers=[header]))
            assert (await line.reply()).status == 200

    @pytest.mark.parametrize(
        "raw",
        [
            b"hello\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET /\xc3\xa4 HTTP/1.1\r\nhost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nx y: z\r\n\r\n",
            b"GET / HTTP/1.1\r\nx: a\x00b\r\n\r\n",
            b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
            b"POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
            b"POST / HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        ],
    )
    async def test_what_is_no_http_is_refused_in_the_same_words(self, line: Dialogue, raw: bytes) -> None:
        await line.send(raw)
        reply = await line.reply()
        told(reply, 400)
        assert reply.headers["connection"] == "close"
        assert await line.rest() == b""


class TestOwnFaults:
    @pytest.mark.parametrize("how", ["key", "recursion", "os", "surrogate"])
    async def test_an_error_of_a_provider_tells_nothing_of_itself(self, line: Dialogue, how: str) -> None:
        problem = await refused(line, request("GET", f"/harbour/v1/fail/{how}"), 500)
        assert "secret" not in str(problem)

    async def test_an_error_of_the_authenticator_is_a_problem_too(self) -> None:
        def broken(scope: object, headers: object) -> None:
            raise KeyError("secret")

        port = Port(authenticate=broken)  # type: ignore[arg-type]
        async with listening(port.server) as listener, dialogue(listener.port) as line:
            assert "secret" not in str(await refused(line, request("GET", SHIPS), 500))

    async def test_a_stream_that_fails_ends_the_connection_before_its_end(self, line: Dialogue) -> None:
        await line.send(request("GET", f"{SHIPS}/leaking/hold"))
        answer = await line.rest()
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"half of" in answer
        assert not answer.endswith(b"0\r\n\r\n")

    def test_one_path_served_twice_is_found_at_start(self) -> None:
        class Twin(Api, bases=("/harbour/v1",)):
            @get("/ships/{other}")
            async def look(self, other: str) -> Ship: ...

        port = Port()
        both = ReferencePoint("Sea", "ship – harbour", "none", (Offer(Twin, provider="quay", users=("pilot",)),))
        gate = replace(port.gate, guard=Guard([SEA, both]))
        with pytest.raises(ValueError, match="served twice"):
            port.server.mount(type("TwinQuay", (Twin,), {})(), gate, [Twin])
