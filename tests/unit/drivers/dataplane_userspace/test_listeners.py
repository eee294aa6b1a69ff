"""A socket that several rules share stays open for the last of them, and a failed install opens none."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from hanse.drivers.dataplane_userspace.endpoints import Endpoint
from hanse.drivers.dataplane_userspace.listeners import Listeners
from hanse.kit.problems import Problem

ADDRESS = f"127.{128 + os.getpid() % 64}.{os.getpid() // 64 % 256}.20"
ONE, TWO, DATAGRAMS = Endpoint("tcp", ADDRESS, 18080), Endpoint("tcp", ADDRESS, 18081), Endpoint("udp", ADDRESS, 18080)


def listeners() -> Listeners:
    return Listeners(lambda endpoint, device, source: device.close(), lambda endpoint: asyncio.DatagramProtocol())


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
