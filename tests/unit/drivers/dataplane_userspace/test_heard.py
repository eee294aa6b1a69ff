"""Who listens where is what the kernel says: no more, and nothing left out."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from hanse.drivers.dataplane_userspace.heard import heard

_BLOCK = f"127.{128 + os.getpid() % 64}.{os.getpid() // 64 % 256}"
APP, OTHER = f"{_BLOCK}.30", f"{_BLOCK}.31"


@pytest.fixture
def sockets() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def listener(address: str, port: int = 0) -> socket.socket:
    return socket.create_server((address, port))


def datagrams(address: str) -> socket.socket:
    made = socket.socket(type=socket.SOCK_DGRAM)
    made.bind((address, 0))
    return made


def port(sock: socket.socket) -> int:
    number: int = sock.getsockname()[1]
    return number


def test_listeners_of_both_protocols_are_heard_at_their_own_address(sockets: ExitStack) -> None:
    streams = [sockets.enter_context(listener(APP)) for _ in range(2)]
    words = sockets.enter_context(datagrams(APP))
    elsewhere = sockets.enter_context(listener(OTHER))
    found = heard([APP, OTHER], frozenset())
    assert found == {
        ("tcp", APP): sorted(map(port, streams)),
        ("udp", APP): [port(words)],
        ("tcp", OTHER): [port(elsewhere)],
    }
    assert heard([OTHER], frozenset()) == {("tcp", OTHER): [port(elsewhere)]}


def test_what_is_bound_or_connected_does_not_listen(sockets: ExitStack) -> None:
    server = sockets.enter_context(listener(OTHER))
    client = sockets.enter_context(socket.create_connection((OTHER, port(server)), source_address=(APP, 0)))
    bound = sockets.enter_context(socket.socket())
    bound.bind((APP, 0))
    words = sockets.enter_context(datagrams(APP))
    words.connect((OTHER, 9))
    assert heard([APP], frozenset()) == {}
    assert client.getpeername()[0] == OTHER


def test_an_application_that_listens_by_ipv6_at_an_ipv4_address_is_heard(sockets: ExitStack) -> None:
    server = sockets.enter_context(socket.socket(socket.AF_INET6))
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.bind((f"::ffff:{APP}", 0))
    server.listen()
    assert heard([APP], frozenset()) == {("tcp", APP): [port(server)]}


def test_own_sockets_and_those_at_every_address_do_not_count(sockets: ExitStack) -> None:
    own = sockets.enter_context(listener(APP))
    sockets.enter_context(listener("0.0.0.0"))
    assert heard([APP], {os.fstat(own.fileno()).st_ino}) == {}


def test_hundreds_of_listeners_are_heard_though_the_kernel_tells_of_them_in_parts(sockets: ExitStack) -> None:
    ports = sorted(port(sockets.enter_context(listener(APP))) for _ in range(400))
    assert heard([APP], frozenset()) == {("tcp", APP): ports}
