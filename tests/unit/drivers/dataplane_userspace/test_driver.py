"""What only the user-space data plane promises: bounded memory, shared sockets, and nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
from collections.abc import AsyncIterator

import pytest
import uvloop

from hanse.drivers.dataplane_userspace import UserspaceDataPlane
from hanse.drivers.dataplane_userspace.datagrams import IDLE_SECONDS, DatagramListener
from hanse.drivers.dataplane_userspace.endpoints import Endpoint
from hanse.drivers.dataplane_userspace.flows import FlowTable
from hanse.drivers.dataplane_userspace.listening import listening
from hanse.drivers.dataplane_userspace.rules import read_rule
from hanse.kit.ports import bind
from hanse.kit.problems import Problem
from hanse.refpoints.mp2 import Action, FilterType, Forwarding, RuleCounters, TrafficMatch
from tests.bounds import SOON
from tests.passing import Passing
from tests.unit.drivers.dataplane_userspace.opened import opened

_BLOCK = f"127.{128 + os.getpid() % 64}.{os.getpid() // 64 % 256}"
PLANE, VIRTUAL, APP, DEVICE = (f"{_BLOCK}.{n}" for n in (1, 2, 3, 10))
PORT = 18080


@pytest.fixture
async def plane() -> AsyncIterator[UserspaceDataPlane]:
    plane = UserspaceDataPlane(PLANE)
    await plane.start()
    yield plane
    await plane.close()


def rule(rule_id: str = "r", protocol: str = "tcp", port: int = PORT) -> Forwarding:
    match = TrafficMatch(dst_address=(VIRTUAL,), dst_port=(str(port),), protocol=(protocol,))
    return Forwarding(
        rule_id=rule_id,
        owner="app",
        priority=1,
        filter_type=FilterType.FLOW,
        matches=(match,),
        action=Action.FORWARD_DECAPSULATED,
        to_address=APP,
    )


async def counters(plane: UserspaceDataPlane) -> RuleCounters:
    [found] = await plane.counters()
    return found


async def test_a_device_that_sends_faster_than_its_application_reads_fills_no_memory(plane: UserspaceDataPlane) -> None:
    async def never_read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(30)

    server = await asyncio.start_server(never_read, APP, PORT)
    await plane.install("r", rule())
    _, writer = await asyncio.open_connection(VIRTUAL, PORT, local_addr=(DEVICE, 0))
    writer.write(bytes(64 * 1024 * 1024))
    before, taken = -1, 0
    while before != taken or not taken:
        before = taken
        await asyncio.sleep(0.1)
        taken = (await counters(plane)).bytes_up
    assert 0 < taken < 16 * 1024 * 1024
    writer.transport.abort()
    server.close()


async def test_bytes_that_come_before_the_application_answers_are_not_lost(plane: UserspaceDataPlane) -> None:
    heard = asyncio.get_running_loop().create_future()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set_result(await reader.read())
        writer.close()

    server = await asyncio.start_server(listen, APP, PORT)
    await plane.install("r", rule())
    with bind(DEVICE, 0) as sock:
        sock.setblocking(True)
        sock.connect((VIRTUAL, PORT))  # the kernel greets; the relay has not been asked yet
        sock.sendall(b"early")
        sock.shutdown(socket.SHUT_WR)
        assert await heard == b"early"
    server.close()


async def test_a_device_that_resets_resets_the_application(plane: UserspaceDataPlane) -> None:
    ended = asyncio.get_running_loop().create_future()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"x")
            ended.set_result(await reader.read())
        except ConnectionResetError as error:
            ended.set_result(error)
        writer.close()

    server = await asyncio.start_server(listen, APP, PORT)
    await plane.install("r", rule())
    reader, writer = await asyncio.open_connection(VIRTUAL, PORT, local_addr=(DEVICE, 0))
    await reader.readexactly(1)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()
    assert isinstance(await ended, ConnectionResetError)
    async with asyncio.timeout(SOON):
        while (await counters(plane)).open_flows:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    server.close()


async def test_after_close_nothing_listens_and_no_descriptor_is_left(plane: UserspaceDataPlane) -> None:
    gc.collect()  # what earlier tests left to the collector is not ours
    before = opened()
    for number in range(8):
        await plane.install(f"t{number}", rule(f"t{number}", port=PORT + number % 4))
        await plane.install(f"u{number}", rule(f"u{number}", "udp", PORT + number % 4))
    assert len(opened() - before) == 8
    await plane.close()
    await asyncio.sleep(0.01)
    assert opened() - before == set()


async def test_a_rule_is_installed_under_its_own_id_only(plane: UserspaceDataPlane) -> None:
    with pytest.raises(Problem, match="400 ruleId differs"):
        await plane.install("other", rule())


async def test_an_address_that_is_not_there_is_said_at_start() -> None:
    plane = UserspaceDataPlane("192.0.2.1")
    assert not (await plane.capabilities()).available
    with pytest.raises(Problem, match=r"400 192\.0\.2\.1 cannot be the data plane's address"):
        await plane.start()


async def test_a_silent_udp_flow_is_forgotten() -> None:
    table, endpoint = FlowTable(10), Endpoint("udp", VIRTUAL, PORT)
    read = read_rule(rule(protocol="udp"))
    table.put(read, listening(read).fixed)
    passing = Passing()
    with bind(APP, PORT, socket.SOCK_DGRAM):
        listener = DatagramListener(table, endpoint, PLANE)
        listener.received(b"hello", (DEVICE, 1))
        assert len(table.flows()) == 1
        async with asyncio.timeout(SOON):
            while not table.rules()[0].counters().bytes_up:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        await passing.advance(IDLE_SECONDS)
        assert table.flows() == []
        assert table.rules()[0].counters().bytes_up == 5


async def test_a_udp_application_that_is_down_counts_as_refused(plane: UserspaceDataPlane) -> None:
    await plane.install("r", rule(protocol="udp"))
    with bind(DEVICE, 0, socket.SOCK_DGRAM) as device:
        device.sendto(b"hello", (VIRTUAL, PORT))
        async with asyncio.timeout(SOON):
            while not (await counters(plane)).refused:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
    assert await plane.flows() == []


@pytest.mark.parametrize("policy", [asyncio.DefaultEventLoopPolicy, uvloop.EventLoopPolicy])
def test_a_port_is_free_as_soon_as_its_rule_is_withdrawn(policy: type[asyncio.DefaultEventLoopPolicy]) -> None:
    async def in_turn() -> None:
        first, second = UserspaceDataPlane(PLANE), UserspaceDataPlane(PLANE)
        for number in range(20):
            plane = (first, second)[number % 2]
            for protocol in ("tcp", "udp"):
                await plane.install(protocol, rule(protocol, protocol, PORT + 2))
            for protocol in ("tcp", "udp"):
                await plane.withdraw(protocol)

    with asyncio.Runner(loop_factory=policy().new_event_loop) as runner:
        runner.run(in_turn())


async def test_a_taken_port_names_its_holder_and_changes_nothing(plane: UserspaceDataPlane) -> None:
    with socket.create_server((VIRTUAL, PORT + 1)):
        taken = rf"409.*{PORT + 1} on {VIRTUAL} is taken by pid {os.getpid()}.*dstPort"
        with pytest.raises(Problem, match=taken):
            await plane.install("r", rule(port=PORT + 1))
    assert await plane.forwardings() == []
