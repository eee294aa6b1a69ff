"""Datagrams that are taken and sent by the batch are whole, go to whom they are for, and none is lost for another."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from hanse.kit.datagrams import Datagrams
from hanse.kit.ports import bind
from tests.bounds import SOON

MOST, LONGEST = 4, 64


class Ends:
    """A server whose datagrams are taken in batches, and clients of it."""

    def __init__(self, address: str, stack: ExitStack) -> None:
        self.address, self._stack = address, stack
        self.server = self.bound()
        self.datagrams = Datagrams(self.server, MOST, LONGEST)

    def bound(self) -> socket.socket:
        """One more socket."""
        return self._stack.enter_context(bind(self.address, 0, socket.SOCK_DGRAM))

    def said(self, *texts: bytes) -> socket.socket:
        """A client that has said these."""
        client = self.bound()
        for text in texts:
            client.sendto(text, self.server.getsockname())
        return client


@pytest.fixture(params=["127.0.0.1", "::1"])
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    with ExitStack() as stack:
        yield Ends(request.param, stack)


async def heard(client: socket.socket) -> bytes:
    async with asyncio.timeout(SOON):
        return await asyncio.get_running_loop().sock_recv(client, 1000)


def test_what_was_said_comes_whole_and_in_order_with_the_address_of_who_said_it(ends: Ends) -> None:
    ends.said(b"first", b"", b"third")
    taken = ends.datagrams.receive()
    assert [text for text, _ in taken] == [b"first", b"", b"third"]
    assert {ends.datagrams.host(far) for _, far in taken} == {ends.address}
    assert ends.datagrams.receive() == []


def test_what_is_beyond_a_batch_waits_for_the_next_and_nothing_of_one_before_remains_in_it(ends: Ends) -> None:
    ends.said(*(b"long, of the first %d" % n for n in range(MOST)), b"short", b"last")
    assert [text for text, _ in ends.datagrams.receive()] == [b"long, of the first %d" % n for n in range(MOST)]
    assert [text for text, _ in ends.datagrams.receive()] == [b"short", b"last"]


def test_a_datagram_of_the_longest_comes_whole_and_of_a_longer_one_the_beginning(ends: Ends) -> None:
    ends.said(bytes(range(LONGEST)), bytes(range(LONGEST + 1)), b"next")
    assert [text for text, _ in ends.datagrams.receive()] == [bytes(range(LONGEST)), bytes(range(LONGEST)), b"next"]


async def test_each_client_gets_its_own_answers_also_beyond_a_batch(ends: Ends) -> None:
    clients = [ends.said(b"%d" % n) for n in range(MOST)]
    taken = ends.datagrams.receive()
    ends.datagrams.send([(text * times, far) for times in (1, 2) for text, far in taken])
    for n, client in enumerate(clients):
        assert [await heard(client) for _ in range(2)] == [b"%d" % n, b"%d" % n * 2]


async def test_an_answer_that_has_no_way_costs_no_other_its_own(ends: Ends) -> None:
    client = ends.said(b"here")
    [(_, far)] = ends.datagrams.receive()
    nowhere = far[:2] + bytes(2) + far[4:]  # port 0
    answers = [(b"one", far), (b"lost", nowhere), (b"two", far), (b"lost", nowhere)]
    ends.datagrams.send(answers)
    assert [await heard(client) for _ in range(2)] == [b"one", b"two"]
    with pytest.raises(BlockingIOError):
        client.recv(10)


async def test_an_answer_that_is_too_long_is_an_error_of_ours(ends: Ends) -> None:
    client = ends.said(b"here")
    [(_, far)] = ends.datagrams.receive()
    with pytest.raises(ValueError, match="65 bytes, of at most 64"):
        ends.datagrams.send([(bytes(LONGEST + 1), far)])
    ends.datagrams.send([(bytes(LONGEST), far)])
    assert await heard(client) == bytes(LONGEST)


async def test_who_has_closed_its_socket_neither_hears_nor_speaks_by_the_next_one(ends: Ends) -> None:
    client = ends.said(b"here")
    [(_, far)] = ends.datagrams.receive()
    ends.server.close()
    successor = ends.bound()  # with the same descriptor, as a rule
    client.sendto(b"to the successor", successor.getsockname())
    assert ends.datagrams.receive() == []
    ends.datagrams.send([(b"from a dead one", far)])
    assert await heard(successor) == b"to the successor"
    with pytest.raises(BlockingIOError):
        client.recv(100)
