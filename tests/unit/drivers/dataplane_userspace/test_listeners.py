"""A socket that several rules share stays open for the last of them, and a failed install opens none."""

from __future__ import annotations

import asyncio
import os
import resource
import socket

import pytest

from hanse.drivers.dataplane_userspace.datagrams import DatagramListener, Entrance
from hanse.drivers.dataplane_userspace.endpoints import ANYWHERE, Endpoint
from hanse.drivers.dataplane_userspace.flows import FlowTable
from hanse.drivers.dataplane_userspace.listeners import Listeners
from hanse.kit.problems import Problem
from tests.bounds import SOON

ADDRESS = f"127.{128 + os.getpid() % 64}.{os.getpid() // 64 % 256}.20"
ONE, TWO, DATAGRAMS = Endpoint("tcp", ADDRESS, 18080), Endpoint("tcp", ADDRESS, 18081), Endpoint("udp", ADDRESS, 18080)


PORT = 12_001 + os.getpid() % 1500 * 4
EVERYWHERE = [Endpoint(protocol, ANYWHERE, PORT) for protocol in ("tcp", "udp")]
SINGLE = [Endpoint(protocol, ADDRESS, PORT) for protocol in ("tcp", "udp")]


def listeners() -> Listeners:
    table = FlowTable(10)
    return Listeners(
        lambda endpoint, device, source: device.close(),
        lambda endpoint: Entrance(DatagramListener(table, endpoint, ADDRESS)),
    )


def answers(endpoint: Endpoint) -> bool:
    try:
        socket.create_connection((endpoint.address, endpoint.port), timeout=1).close()
    except ConnectionRefusedError:
        return False
    return True


async def test_a_shared_socket_outlives_the_first_rule_that_goes() -> None:
    shared = listeners()
    await shared.hold([ONE, DATAGRAMS])
    await shared.hold([ONE, TWO])
    shared.release([ONE, DATAGRAMS])
    assert shared.addresses() == [ONE, TWO]
    assert answers(ONE)
    shared.release([ONE, TWO])
    await asyncio.sleep(0)
    assert shared.addresses() == []
    assert not answers(ONE)


async def test_if_one_port_is_taken_none_is_kept_and_shared_ones_stay() -> None:
    shared = listeners()
    await shared.hold([ONE])
    with socket.create_server((ADDRESS, TWO.port)), pytest.raises(Problem, match=f"409 tcp port {TWO.port}"):
        await shared.hold([ONE, TWO])
    assert shared.addresses() == [ONE]
    shared.release([ONE])
    assert shared.addresses() == []


async def test_a_taken_udp_port_is_told_as_such() -> None:
    shared = listeners()
    with socket.socket(type=socket.SOCK_DGRAM) as holder:
        holder.bind((ADDRESS, DATAGRAMS.port))
        with pytest.raises(Problem, match=f"409 udp port {DATAGRAMS.port}.*pid {os.getpid()}"):
            await shared.hold([DATAGRAMS])


async def test_an_address_that_this_machine_does_not_have_is_refused() -> None:
    with pytest.raises(Problem, match=r"400 192\.0\.2\.1:18080 cannot be listened on"):
        await listeners().hold([Endpoint("tcp", "192.0.2.1", 18080)])


async def test_data_planes_that_share_an_address_listen_beside_each_other_and_no_stranger_does() -> None:
    one, other, stranger = listeners(), listeners(), listeners()
    await one.hold([ONE, DATAGRAMS], shared=True)
    await other.hold([ONE, DATAGRAMS], shared=True)
    for endpoint in (ONE, DATAGRAMS):
        with pytest.raises(Problem, match="409"):
            await stranger.hold([endpoint])
    one.release([ONE, DATAGRAMS])
    await asyncio.sleep(0)
    assert all(answers(ONE) for _ in range(8)), "the one that stays gets every connection"
    other.release([ONE, DATAGRAMS])


async def test_an_address_that_somebody_has_alone_cannot_be_shared() -> None:
    alone, shared = listeners(), listeners()
    await alone.hold([ONE])
    with pytest.raises(Problem, match="409"):
        await shared.hold([ONE], shared=True)
    alone.release([ONE])


class Dialled:
    """Listeners that note which address and port each connection dialled, and by which socket it was accepted."""

    def __init__(self) -> None:
        self.seen: list[Endpoint] = []
        self.came = asyncio.Event()
        table = FlowTable(10)
        self.listeners = Listeners(self._take, lambda endpoint: Entrance(DatagramListener(table, endpoint, ADDRESS)))

    def _take(self, endpoint: Endpoint, device: socket.socket, source: tuple[str, int]) -> None:
        self.seen.append(endpoint)
        device.close()
        self.came.set()

    async def dial(self, address: str) -> Endpoint:
        """What they say was dialled."""
        self.came.clear()
        socket.create_connection((address, PORT), timeout=1).close()
        async with asyncio.timeout(SOON):
            await self.came.wait()
        return self.seen[-1]


async def test_a_socket_at_every_address_tells_which_one_a_device_dialled() -> None:
    dialled = Dialled()
    await dialled.listeners.hold(EVERYWHERE)
    for address in (ADDRESS, "127.77.1.2", "127.0.0.1"):
        assert await dialled.dial(address) == Endpoint("tcp", address, PORT)
    dialled.listeners.release(EVERYWHERE)
    await asyncio.sleep(0)
    assert not answers(SINGLE[0])


async def test_one_rule_may_have_every_address_and_another_a_single_one_whichever_comes_first() -> None:
    for first, second in ((EVERYWHERE, SINGLE), (SINGLE, EVERYWHERE)):
        dialled = Dialled()
        await dialled.listeners.hold(first)
        await dialled.listeners.hold(second)
        assert dialled.listeners.addresses() == sorted(EVERYWHERE + SINGLE)
        for address in (ADDRESS, "127.77.1.2"):
            assert await dialled.dial(address) == Endpoint("tcp", address, PORT)
        dialled.listeners.release(first)
        await asyncio.sleep(0)
        assert answers(SINGLE[0]), "the other still listens"
        assert answers(Endpoint("tcp", "127.77.1.2", PORT)) == (second is EVERYWHERE)
        dialled.listeners.release(second)
        await asyncio.sleep(0)


async def test_who_has_every_address_alone_does_not_come_to_share_it_by_listening_at_one_of_them_too() -> None:
    for first, second in ((EVERYWHERE, SINGLE), (SINGLE, EVERYWHERE)):
        alone, other = listeners(), listeners()
        await alone.hold(first)
        await alone.hold(second)
        elsewhere = [Endpoint(e.protocol, "127.77.1.2", PORT) for e in SINGLE]
        for endpoint in (*EVERYWHERE, *SINGLE, *elsewhere):
            for shared in (True, False):
                with pytest.raises(Problem, match=f"409.*{PORT}"):
                    await other.hold([endpoint], shared=shared)
        alone.release(EVERYWHERE + SINGLE)
        await asyncio.sleep(0)


async def test_a_port_that_is_taken_at_one_address_is_not_to_be_had_at_every_one() -> None:
    taken = listeners()
    for kind, endpoint in ((socket.SOCK_STREAM, EVERYWHERE[0]), (socket.SOCK_DGRAM, EVERYWHERE[1])):
        with socket.socket(type=kind) as holder:
            holder.bind(("127.77.1.2", PORT))
            if kind is socket.SOCK_STREAM:
                holder.listen()
            with pytest.raises(Problem, match=f"409 {endpoint.protocol} port {PORT}.*pid {os.getpid()}"):
                await taken.hold([endpoint])
    assert taken.addresses() == []


async def test_data_planes_that_share_every_address_do_so_and_one_that_goes_leaves_it_to_the_other() -> None:
    one, other = listeners(), listeners()
    await one.hold(EVERYWHERE, shared=True)
    await other.hold(EVERYWHERE, shared=True)
    one.release(EVERYWHERE)
    await asyncio.sleep(0)
    assert all(answers(SINGLE[0]) for _ in range(8))
    other.release(EVERYWHERE)


async def test_of_sockets_that_may_be_missing_those_that_are_free_are_held() -> None:
    some = listeners()
    with socket.create_server((ADDRESS, TWO.port)):
        held, missing = await some.hold_free([ONE, TWO])
    assert held == {ONE}
    assert missing.keys() == {TWO}
    assert some.addresses() == [ONE]
    some.release(held)


async def test_rules_cannot_take_all_that_this_process_may_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (20, 20))
    few = listeners()
    wanted = [Endpoint("tcp", ADDRESS, 18090 + n) for n in range(6)]
    with pytest.raises(Problem, match=r"400.*a quarter of what this process may open"):
        await few.hold(wanted)
    assert few.addresses() == []
    await few.hold(wanted[:5])
    few.release(wanted[:5])
