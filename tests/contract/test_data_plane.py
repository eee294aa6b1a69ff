"""Every data plane: what a rule says happens to real bytes, and is counted (`hanse.refpoints.mp2.DataPlane`)."""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol, cast

import pytest
import uvloop

from hanse.drivers.dataplane_userspace import UserspaceDataPlane
from hanse.kit.ports import bind
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mp2 import Action, FilterType, Forwarding, RuleCounters, TrafficMatch

_BLOCK = f"127.{64 + os.getpid() % 64}.{os.getpid() // 64 % 256}"
PLANE, VIRTUAL, APP, OTHER_APP = (f"{_BLOCK}.{n}" for n in (1, 2, 3, 4))
DEVICE, STRANGER = f"{_BLOCK}.10", f"{_BLOCK}.11"
PORT = 18080
FIVE_MEGABYTES = random.Random(7).randbytes(5_000_000)

pytestmark = pytest.mark.filterwarnings("ignore:Overriding the .event_loop_policy. fixture")

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Run(Protocol):
    """Runs an application at an address until the test ends."""

    async def __call__(self, handle: Serve, address: str = APP) -> None: ...


@pytest.fixture(params=[asyncio.DefaultEventLoopPolicy, uvloop.EventLoopPolicy], ids=["asyncio", "uvloop"])
def event_loop_policy(request: pytest.FixtureRequest) -> asyncio.AbstractEventLoopPolicy:
    policy: asyncio.AbstractEventLoopPolicy = request.param()
    return policy


@pytest.fixture(params=[UserspaceDataPlane])
async def plane(request: pytest.FixtureRequest) -> AsyncIterator[UserspaceDataPlane]:
    plane: UserspaceDataPlane = request.param(PLANE)
    await plane.start()
    yield plane
    await plane.close()


@pytest.fixture
async def serve() -> AsyncIterator[Run]:
    """Run an application at an address until the test ends."""
    servers: list[asyncio.Server] = []

    async def start(handle: Serve, address: str = APP) -> None:
        async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await handle(reader, writer)
            except ConnectionError:
                pass
            finally:
                writer.close()

        servers.append(await asyncio.start_server(closing, address, PORT))

    yield start
    for server in servers:
        server.close()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


def says(word: bytes) -> Serve:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(word)
        await writer.drain()

    return say


def rule(rule_id: str = "r", **changes: object) -> Forwarding:
    """Devices that dial the virtual address reach the application."""
    matches = (TrafficMatch(dst_address=(VIRTUAL,), dst_port=(str(PORT),), protocol=("tcp",)),)
    values: dict[str, object] = {"priority": 10, "filter_type": FilterType.FLOW, "matches": matches}
    values |= {"action": Action.FORWARD_DECAPSULATED, "to_address": APP, "to_port": PORT} | changes
    return Forwarding(rule_id=rule_id, owner="app", **values)  # type: ignore[arg-type]


def coming_from(*sources: str) -> tuple[TrafficMatch, ...]:
    match = TrafficMatch(src_address=sources, dst_address=(VIRTUAL,), dst_port=(str(PORT),), protocol=("tcp",))
    return (match,)


async def dial(source: str = DEVICE, to: str = VIRTUAL) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(to, PORT, local_addr=(source, 0))


async def told(source: str = DEVICE, to: str = VIRTUAL) -> bytes:
    """All that the application says to a device."""
    reader, writer = await dial(source, to)
    try:
        return await reader.read()
    finally:
        writer.close()


async def counted(plane: UserspaceDataPlane, rule_id: str = "r") -> RuleCounters:
    """The counters once no flow is open any more."""
    async with asyncio.timeout(5):
        while True:
            found = {c.rule_id: c for c in await plane.counters()}[rule_id]
            if not found.open_flows:
                return found
            await asyncio.sleep(0.005)


async def test_every_byte_arrives_and_is_counted_both_ways(plane: UserspaceDataPlane, serve: Run) -> None:
    await serve(echo)
    await plane.install("r", rule())
    reader, writer = await dial()
    writer.write(FIVE_MEGABYTES)
    writer.write_eof()
    assert await reader.read() == FIVE_MEGABYTES
    writer.close()
    counters = await counted(plane)
    assert (counters.bytes_up, counters.bytes_down, counters.flows) == (5_000_000, 5_000_000, 1)


async def test_an_answer_after_the_devices_half_close_is_not_lost(plane: UserspaceDataPlane, serve: Run) -> None:
    async def answer_at_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.read()
        writer.write(b"got %d" % len(request))

    await serve(answer_at_the_end)
    await plane.install("r", rule())
    reader, writer = await dial()
    writer.write(b"x" * 100)
    writer.write_eof()
    assert await reader.read() == b"got 100"
    writer.close()


async def test_a_device_may_speak_on_after_the_application_half_closed(
    plane: UserspaceDataPlane,
    serve: Run,
) -> None:
    heard = asyncio.get_running_loop().create_future()

    async def greet_then_listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"go on")
        writer.write_eof()
        heard.set_result(await reader.read())

    await serve(greet_then_listen)
    await plane.install("r", rule())
    reader, writer = await dial()
    assert await reader.read() == b"go on"
    writer.write(b"thank you")
    writer.write_eof()
    assert await heard == b"thank you"
    writer.close()


async def test_a_withdrawn_rule_takes_no_byte_from_the_flows_of_others(
    plane: UserspaceDataPlane,
    serve: Run,
) -> None:
    await serve(echo)
    await plane.install("stays", rule("stays", matches=coming_from(DEVICE)))
    await plane.install("goes", rule("goes", matches=coming_from(STRANGER)))
    chunk, half = FIVE_MEGABYTES[:250_000], 125_000
    withdrawn = asyncio.Event()

    async def run() -> bool:
        reader, writer = await dial()
        writer.write(chunk[:half])
        await withdrawn.wait()
        writer.write(chunk[half:])
        writer.write_eof()
        complete = await reader.read() == chunk
        writer.close()
        return complete

    doomed = await dial(STRANGER)
    running = [asyncio.create_task(run()) for _ in range(20)]
    async with asyncio.timeout(5):
        while len(await plane.flows()) < 21:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    await plane.withdraw("goes")
    withdrawn.set()
    with pytest.raises(ConnectionResetError):
        await doomed[0].read()
    assert all(await asyncio.gather(*running))
    counters = await counted(plane, "stays")
    assert (counters.bytes_up, counters.bytes_down, counters.flows) == (5_000_000, 5_000_000, 20)


async def test_a_device_that_no_rule_lets_in_is_reset_and_counted(plane: UserspaceDataPlane, serve: Run) -> None:
    await serve(says(b"secret"))
    await plane.install("r", rule(matches=coming_from(DEVICE)))
    with pytest.raises(ConnectionResetError):
        await told(STRANGER)
    assert await told(DEVICE) == b"secret"
    counters = await counted(plane)
    assert (counters.refused, counters.flows) == (1, 1)


async def test_the_lower_priority_value_decides(plane: UserspaceDataPlane, serve: Run) -> None:
    await serve(says(b"late"))
    await serve(says(b"first"), OTHER_APP)
    await plane.install("late", rule("late", priority=255))
    await plane.install("first", rule("first", priority=0, to_address=OTHER_APP, matches=coming_from(DEVICE)))
    assert await told(DEVICE) == b"first"
    assert await told(STRANGER) == b"late"
    await plane.withdraw("first")
    assert await told(DEVICE) == b"late"
    assert [f.rule_id for f in await plane.forwardings()] == ["late"]


async def test_a_dropped_device_reaches_nothing(plane: UserspaceDataPlane, serve: Run) -> None:
    await serve(says(b"hello"))
    everything = (TrafficMatch(src_address=(STRANGER,)),)
    await plane.install("r", rule())
    drop = rule("d", action=Action.DROP, priority=1, matches=everything, to_address=ABSENT, to_port=ABSENT)
    await plane.install("d", drop)
    with pytest.raises(ConnectionResetError):
        await told(STRANGER)
    assert await told(DEVICE) == b"hello"
    assert (await counted(plane, "d")).refused == 1


async def test_an_application_sees_the_data_plane_and_never_the_device(
    plane: UserspaceDataPlane,
    serve: Run,
) -> None:
    async def who(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(writer.get_extra_info("peername")[0].encode())

    await serve(who)
    await plane.install("r", rule())
    assert await told() == PLANE.encode()


async def test_installing_the_same_rule_twice_keeps_its_flows_and_counters(
    plane: UserspaceDataPlane,
    serve: Run,
) -> None:
    await serve(echo)
    await plane.install("r", rule())
    reader, writer = await dial()
    writer.write(b"before")
    assert await reader.readexactly(6) == b"before"
    await plane.install("r", rule(priority=3))
    writer.write(b"after")
    writer.write_eof()
    assert await reader.read() == b"after"
    writer.close()
    assert (await counted(plane)).bytes_up == 11


async def test_a_flow_that_its_changed_rule_would_not_carry_is_cut(plane: UserspaceDataPlane, serve: Run) -> None:
    await serve(echo)
    await plane.install("r", rule())
    reader, writer = await dial()
    writer.write(b"x")
    await reader.readexactly(1)
    await plane.install("r", rule(matches=coming_from(STRANGER)))
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


async def test_withdrawing_frees_the_port_and_twice_is_no_error(plane: UserspaceDataPlane, serve: Run) -> None:
    await serve(says(b"x"))
    await plane.install("r", rule())
    await plane.withdraw("r")
    await plane.withdraw("r")
    with pytest.raises(ConnectionRefusedError):
        await told()
    assert await plane.counters() == []


async def test_an_application_that_is_down_refuses_the_device(plane: UserspaceDataPlane) -> None:
    await plane.install("r", rule())
    with pytest.raises(ConnectionResetError):
        await told()
    counters = await counted(plane)
    assert (counters.refused, counters.flows) == (1, 0)


async def test_a_taken_port_names_its_holder_and_changes_nothing(plane: UserspaceDataPlane) -> None:
    with socket.create_server((VIRTUAL, PORT + 1)):
        wide = (TrafficMatch(dst_address=(VIRTUAL,), dst_port=(f"{PORT}-{PORT + 1}",), protocol=("tcp",)),)
        with pytest.raises(Problem, match=rf"409.*{PORT + 1} on {VIRTUAL} is taken by pid {os.getpid()}.*dstPort"):
            await plane.install("r", rule(matches=wide))
    assert await plane.forwardings() == []
    with pytest.raises(ConnectionRefusedError):
        await told()


async def test_what_it_cannot_do_it_says_beforehand_and_refuses(plane: UserspaceDataPlane) -> None:
    capabilities = await plane.capabilities()
    assert capabilities.available
    for action in (Action.FORWARD_ENCAPSULATED, Action.DUPLICATE_DECAPSULATED):
        assert action in capabilities.lacks
        with pytest.raises(Problem, match="400 action"):
            await plane.install("r", rule(action=action))


class _Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(data + addr[0].encode(), addr)


async def test_datagrams_go_both_ways_and_a_stranger_hears_nothing(plane: UserspaceDataPlane) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(_Echo, local_addr=(APP, PORT))
    match = TrafficMatch(src_address=(DEVICE,), dst_address=(VIRTUAL,), dst_port=(str(PORT),), protocol=("udp",))
    await plane.install("r", rule(matches=(match,)))
    with bind(DEVICE, 0, socket.SOCK_DGRAM) as device, bind(STRANGER, 0, socket.SOCK_DGRAM) as stranger:
        stranger.connect((VIRTUAL, PORT))
        device.connect((VIRTUAL, PORT))  # now it hears only what comes from the address that it dialled
        stranger.send(b"let me in")
        device.send(b"hi ")
        async with asyncio.timeout(5):
            answer = await loop.sock_recv(device, 2048)
        assert answer == b"hi " + PLANE.encode()
        with pytest.raises(BlockingIOError):
            stranger.recv(2048)
    [counters] = await plane.counters()
    assert (counters.bytes_up, counters.bytes_down) == (3, len(answer))
    assert (counters.flows, counters.open_flows, counters.refused) == (1, 1, 1)
    transport.close()
