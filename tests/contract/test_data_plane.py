"""Every data plane: what a rule says happens to real bytes, and is counted (`hanse.refpoints.mp2.DataPlane`)."""

from __future__ import annotations

import asyncio
import random
import socket
from typing import cast

import pytest

from hanse.kit.values import ABSENT
from hanse.refpoints.mp2 import Action, RuleCounters, TrafficMatch
from tests.both_loops import OVERRIDDEN, event_loop_policy  # noqa: F401 (a fixture)
from tests.bounds import SOON
from tests.contract.grounds import PORT, Ground, Run, coming_from, dial, echo, lacks, rule, says, told

FIVE_MEGABYTES = random.Random(7).randbytes(5_000_000)

pytestmark = OVERRIDDEN


async def assert_cut(ground: Ground, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The device sees it at once, or where the data plane cannot speak first, when it speaks."""
    if await lacks(ground, "reset on withdrawal"):
        writer.write(b"still there?")
    with pytest.raises(ConnectionError):
        async with asyncio.timeout(SOON):
            await reader.read()


async def counted(ground: Ground, rule_id: str = "r") -> RuleCounters:
    """The counters once no flow is open any more."""
    async with asyncio.timeout(SOON):
        while True:
            found = {c.rule_id: c for c in await ground.plane.counters()}[rule_id]
            if not found.open_flows:
                return found
            await asyncio.sleep(0.02)


async def assert_carried(ground: Ground, counters: RuleCounters, up: int, down: int, flows: int) -> None:
    """Exactly, or where headers count too, at least that and not more than headers can be."""
    assert counters.flows == flows
    if not await lacks(ground, "payload bytes"):
        assert (counters.bytes_up, counters.bytes_down) == (up, down)
    else:
        headers = 1000 * flows
        assert up < counters.bytes_up < up * 1.1 + down * 0.1 + headers
        assert down < counters.bytes_down < down * 1.1 + up * 0.1 + headers


async def test_every_byte_arrives_and_is_counted_both_ways(ground: Ground, serve: Run) -> None:
    await serve(echo)
    await ground.plane.install("r", rule(ground))
    reader, writer = await dial(ground)
    writer.write(FIVE_MEGABYTES)
    writer.write_eof()
    assert await reader.read() == FIVE_MEGABYTES
    writer.close()
    await assert_carried(ground, await counted(ground), 5_000_000, 5_000_000, flows=1)


async def test_an_answer_after_the_devices_half_close_is_not_lost(ground: Ground, serve: Run) -> None:
    async def answer_at_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.read()
        writer.write(b"got %d" % len(request))

    await serve(answer_at_the_end)
    await ground.plane.install("r", rule(ground))
    reader, writer = await dial(ground)
    writer.write(b"x" * 100)
    writer.write_eof()
    assert await reader.read() == b"got 100"
    writer.close()


async def test_a_device_may_speak_on_after_the_application_half_closed(
    ground: Ground,
    serve: Run,
) -> None:
    heard = asyncio.get_running_loop().create_future()

    async def greet_then_listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"go on")
        writer.write_eof()
        heard.set_result(await reader.read())

    await serve(greet_then_listen)
    await ground.plane.install("r", rule(ground))
    reader, writer = await dial(ground)
    assert await reader.read() == b"go on"
    writer.write(b"thank you")
    writer.write_eof()
    assert await heard == b"thank you"
    writer.close()


async def test_a_withdrawn_rule_takes_no_byte_from_the_flows_of_others(
    ground: Ground,
    serve: Run,
) -> None:
    await serve(echo)
    await ground.plane.install("stays", rule(ground, "stays", matches=coming_from(ground, ground.device)))
    await ground.plane.install("goes", rule(ground, "goes", matches=coming_from(ground, ground.stranger)))
    chunk, half = FIVE_MEGABYTES[:250_000], 125_000
    withdrawn = asyncio.Event()

    async def run() -> bool:
        reader, writer = await dial(ground)
        writer.write(chunk[:half])
        await withdrawn.wait()
        writer.write(chunk[half:])
        writer.write_eof()
        complete = await reader.read() == chunk
        writer.close()
        return complete

    doomed = await dial(ground, ground.stranger)
    running = [asyncio.create_task(run()) for _ in range(20)]
    async with asyncio.timeout(SOON):
        while len(await ground.plane.flows()) < 21:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    await ground.plane.withdraw("goes")
    withdrawn.set()
    await assert_cut(ground, *doomed)
    assert all(await asyncio.gather(*running))
    await assert_carried(ground, await counted(ground, "stays"), 5_000_000, 5_000_000, flows=20)


async def test_the_peer_that_an_application_sees_tells_whose_flow_it_is(ground: Ground, serve: Run) -> None:
    seen: dict[bytes, tuple[str, int]] = {}

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen[await reader.readexactly(1)] = writer.get_extra_info("peername")[:2]
        await reader.read()

    await serve(note)
    await ground.plane.install("r", rule(ground))
    devices = {b"a": ground.device, b"s": ground.stranger}
    writers = [(await dial(ground, devices[mark]))[1] for mark in (b"a", b"s")]
    for mark, writer in zip(devices, writers, strict=True):
        writer.write(mark)
    async with asyncio.timeout(SOON):
        while len(seen) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    sources = {(f.peer_address, f.peer_port): f.src_address for f in await ground.plane.flows()}
    assert {mark: sources[peer] for mark, peer in seen.items()} == devices
    for writer in writers:
        writer.close()


async def test_a_device_that_no_rule_lets_in_is_reset_and_counted(ground: Ground, serve: Run) -> None:
    await serve(says(b"secret"))
    await ground.plane.install("r", rule(ground, matches=coming_from(ground, ground.device)))
    with pytest.raises(ConnectionError):
        await told(ground, ground.stranger)
    assert await told(ground, ground.device) == b"secret"
    counters = await counted(ground)
    assert (counters.refused, counters.flows) == (0 if await lacks(ground, "refused flows") else 1, 1)


async def test_the_lower_priority_value_decides(ground: Ground, serve: Run) -> None:
    await serve(says(b"late"))
    await serve(says(b"first"), ground.other_app)
    await ground.plane.install("late", rule(ground, "late", priority=255))
    await ground.plane.install(
        "first",
        rule(ground, "first", priority=0, to_address=ground.other_app, matches=coming_from(ground, ground.device)),
    )
    assert await told(ground, ground.device) == b"first"
    assert await told(ground, ground.stranger) == b"late"
    await ground.plane.withdraw("first")
    assert await told(ground, ground.device) == b"late"
    assert [f.rule_id for f in await ground.plane.forwardings()] == ["late"]


async def test_a_dropped_device_reaches_nothing(ground: Ground, serve: Run) -> None:
    await serve(says(b"hello"))
    everything = (TrafficMatch(src_address=(ground.stranger,)),)
    await ground.plane.install("r", rule(ground))
    drop = rule(ground, "d", action=Action.DROP, priority=1, matches=everything, to_address=ABSENT, to_port=ABSENT)
    await ground.plane.install("d", drop)
    refusal, patience = (ConnectionError, SOON) if await lacks(ground, "silent DROP") else (TimeoutError, 0.5)
    with pytest.raises(refusal):
        await told(ground, ground.stranger, patience)
    assert await told(ground, ground.device) == b"hello"
    assert (await counted(ground, "d")).refused >= 1


async def test_an_application_sees_the_data_plane_and_never_the_device(
    ground: Ground,
    serve: Run,
) -> None:
    async def who(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(writer.get_extra_info("peername")[0].encode())

    await serve(who)
    await ground.plane.install("r", rule(ground))
    assert await told(ground) == ground.own.encode()


async def test_installing_the_same_rule_twice_keeps_its_flows_and_counters(
    ground: Ground,
    serve: Run,
) -> None:
    await serve(echo)
    await ground.plane.install("r", rule(ground))
    reader, writer = await dial(ground)
    writer.write(b"before")
    assert await reader.readexactly(6) == b"before"
    await ground.plane.install("r", rule(ground, priority=3))
    writer.write(b"after")
    writer.write_eof()
    assert await reader.read() == b"after"
    writer.close()
    await assert_carried(ground, await counted(ground), up=11, down=11, flows=1)


async def test_a_flow_that_its_changed_rule_would_not_carry_is_cut(ground: Ground, serve: Run) -> None:
    await serve(echo)
    await ground.plane.install("r", rule(ground))
    reader, writer = await dial(ground)
    writer.write(b"x")
    await reader.readexactly(1)
    await ground.plane.install("r", rule(ground, matches=coming_from(ground, ground.stranger)))
    await assert_cut(ground, reader, writer)
    writer.close()


async def test_a_rule_that_comes_to_mean_other_devices_cuts_the_flows_of_those_alone_that_it_means_no_more(
    ground: Ground, serve: Run
) -> None:
    await serve(echo)
    both = coming_from(ground, ground.device, ground.stranger)
    await ground.plane.install("r", rule(ground, matches=both))
    stays, goes = await dial(ground), await dial(ground, ground.stranger)
    for reader, writer in (stays, goes):
        writer.write(b"x")
        await reader.readexactly(1)
    await ground.plane.install("r", rule(ground, matches=coming_from(ground, ground.device)))
    await assert_cut(ground, *goes)
    await ground.plane.install("r", rule(ground, matches=both))
    reader, writer = stays
    writer.write(FIVE_MEGABYTES[:200_000])
    writer.write_eof()
    assert await reader.read() == FIVE_MEGABYTES[:200_000]
    for _, end in (stays, goes):
        end.close()


async def test_withdrawing_frees_the_port_and_twice_is_no_error(ground: Ground, serve: Run) -> None:
    await serve(says(b"x"))
    await ground.plane.install("r", rule(ground))
    await ground.plane.withdraw("r")
    await ground.plane.withdraw("r")
    with pytest.raises(ConnectionError):
        await told(ground)
    assert await ground.plane.counters() == []


async def test_an_application_that_is_down_refuses_the_device(ground: Ground) -> None:
    await ground.plane.install("r", rule(ground))
    with pytest.raises(ConnectionError):
        await told(ground)
    counters = await counted(ground)
    seen = (0, 1) if await lacks(ground, "refused flows") else (1, 0)
    assert (counters.refused, counters.flows) == seen


class _Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(data + addr[0].encode(), addr)


async def test_datagrams_go_both_ways_and_a_stranger_hears_nothing(ground: Ground) -> None:
    loop = asyncio.get_running_loop()
    server = ground.socket(ground.app, PORT, socket.SOCK_DGRAM)
    transport, _ = await loop.create_datagram_endpoint(_Echo, sock=server)
    match = TrafficMatch(
        src_address=(ground.device,), dst_address=(ground.virtual,), dst_port=(str(PORT),), protocol=("udp",)
    )
    await ground.plane.install("r", rule(ground, matches=(match,)))
    device, stranger = (ground.socket(at, 0, socket.SOCK_DGRAM) for at in (ground.device, ground.stranger))
    with device, stranger:
        stranger.connect((ground.virtual, PORT))
        device.connect((ground.virtual, PORT))  # now it hears only what comes from the address that it dialled
        stranger.send(b"let me in")
        device.send(b"hi ")
        async with asyncio.timeout(SOON):
            answer = await loop.sock_recv(device, 2048)
        assert answer == b"hi " + ground.own.encode()
        with pytest.raises(BlockingIOError):
            stranger.recv(2048)
    [counters] = await ground.plane.counters()
    headers = 28 if await lacks(ground, "payload bytes") else 0
    assert (counters.bytes_up, counters.bytes_down) == (3 + headers, len(answer) + headers)
    refused = 0 if await lacks(ground, "refused flows") else 1
    assert (counters.flows, counters.open_flows, counters.refused) == (1, 1, refused)
    transport.close()
