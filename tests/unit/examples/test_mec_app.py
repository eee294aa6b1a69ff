"""The part that both applications share: bounded, polite, and able to live with an impatient world."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mec_app import Answer, Problem, Request, Server
from mec_app.app import patiently
from mec_app.client import Client

from tests.unit.examples.running import call

release = threading.Event()


def fail(_request: Request) -> Answer:
    raise ZeroDivisionError("secret")


def slow(_request: Request) -> Answer:
    release.wait(10)
    return Answer(204)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server with a few routes, on a port of its own."""
    release.clear()
    echo = {("POST", "/echo"): lambda request: Answer(200, request.body, request.media_type)}
    running = Server(("127.0.0.1", 0), {**echo, ("GET", "/fail"): fail, ("GET", "/slow"): slow}, body_limit=1000)
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    yield running
    release.set()
    running.shutdown()
    running.server_close()


def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


def raw(server: Server, data: bytes) -> bytes:
    """Send bytes and read until the server closes."""
    connection = socket.create_connection(("127.0.0.1", server.server_address[1]), 5)
    with connection, contextlib.suppress(OSError):  # the server may have closed already
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))
    return b""


def test_a_connection_serves_many_requests(server: Server) -> None:
    one = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n"
    answer = raw(server, one + b"a" + one + b"b" + b"GET /none?x=1 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert [line for line in answer.split(b"\r\n") if line.startswith((b"HTTP", b"aHTTP", b"bHTTP"))] == [
        b"HTTP/1.1 200 OK",
        b"aHTTP/1.1 200 OK",
        b"bHTTP/1.1 404 Not Found",
    ]


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /echo HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", 413),
        (b"POST /echo HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 413),
        (b"POST /echo HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /echo HTTP/1.1\r\nContent-Length: 10\r\n\r\nshort", 400),
        (b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 411),
        (b"PUT /echo HTTP/1.1\r\n\r\n", 405),
        (b"GET /else HTTP/1.1\r\n\r\n", 404),
        (b"GET /fail HTTP/1.1\r\n\r\n", 500),
        (b"BREW /echo HTTP/1.1\r\n\r\n", 501),
        (b"nonsense\r\n\r\n", 400),
        (b"GET /" + b"x" * 70000 + b" HTTP/1.1\r\n\r\n", 414),
    ],
)
def test_every_refusal_is_a_problem(server: Server, head: bytes, status: int) -> None:
    answer = raw(server, head)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"Content-Type: application/problem+json" in head
    assert json.loads(body)["status"] == status
    assert b"secret" not in body


def test_a_client_that_asks_before_it_sends_is_answered_at_once(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.server_address[1]), 5) as connection:
        connection.sendall(b"POST /echo HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"a")
        assert connection.recv(1000).endswith(b"a")


def test_leaving_waits_for_the_request_under_way(server: Server) -> None:
    asking = threading.Thread(target=call, args=("GET", url(server) + "/slow"))
    asking.start()
    while server.drain(0):
        time.sleep(0.001)
    assert not server.drain(0.05)
    release.set()
    assert server.drain(5)
    asking.join()


def test_a_crowd_does_not_take_more_than_its_places(server: Server) -> None:
    server._slots = threading.BoundedSemaphore(1)
    with socket.create_connection(("127.0.0.1", server.server_address[1]), 5) as first:
        first.sendall(b"POST /echo HTTP/1.1\r\nContent-Length: 1\r\n\r\na")
        assert first.recv(1000)
        assert raw(server, b"") == b""
    while not (answer := raw(server, b"GET /else HTTP/1.1\r\n\r\n")):
        time.sleep(0.001)
    assert answer.startswith(b"HTTP/1.1 404")


@pytest.fixture
def client(trust: Path) -> Client:
    """A client that trusts the test authority."""
    return Client(str(trust / "ca.pem"), timeout=5)


def test_an_open_connection_is_used_again(server: Server, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    original = client._new
    monkeypatch.setattr(client, "_new", lambda target: made.append(target) or original(target))  # type: ignore[func-returns-value]
    bodies = [client.send("POST", url(server) + "/echo", b"%d" % number).body for number in range(5)]
    assert bodies == [b"0", b"1", b"2", b"3", b"4"]
    assert len(made) == 1


def test_a_connection_that_was_closed_meanwhile_is_not(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        target = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with ThreadPoolExecutor(1) as pool:
            for _ in range(2):
                asking = pool.submit(client.send, "GET", target)
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                assert asking.result().status == 200


def test_a_server_that_talks_nonsense_is_a_bad_gateway(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def babble() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"hello\r\n\r\n")

        talking = threading.Thread(target=babble)
        talking.start()
        with pytest.raises(Problem) as refusal:
            client.send("GET", f"http://127.0.0.1:{listener.getsockname()[1]}/")
        talking.join()
    assert refusal.value.status == 502


@pytest.mark.parametrize("target", ["http://127.0.0.1:1/", "gopher://127.0.0.1/", "http://127.0.0.1:99999/", "http://"])
def test_what_cannot_be_reached_is_a_problem(client: Client, target: str) -> None:
    with pytest.raises(Problem) as refusal:
        client.send("GET", target)
    assert refusal.value.status == 503


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def refuse() -> None:
        calls.append(time.monotonic())
        raise Problem(409, "Not yet")

    with pytest.raises(Problem):
        patiently(refuse, patience=0.2)
    assert len(calls) == 3


def test_a_refusal_for_good_is_not_repeated() -> None:
    calls = []

    def refuse() -> None:
        calls.append(1)
        raise Problem(403, "No")

    with pytest.raises(Problem):
        patiently(refuse)
    assert calls == [1]


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"[" * 5000, b"\xff", b"<html>"])
def test_an_answer_that_is_no_problem_still_becomes_one(body: bytes) -> None:
    assert Problem.read(404, body).title == "Not Found"
    assert Problem.read(799, body).title == "HTTP status 799"
