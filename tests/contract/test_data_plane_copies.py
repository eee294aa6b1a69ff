"""A data plane that copies in user space: streams and datagrams reach a tap whole, in order, and never go round."""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections.abc import AsyncIterator
from typing import NamedTuple

import msgspec
import pytest

from hanse.drivers.dataplane_userspace import UserspaceDataPlane
from hanse.drivers.dataplane_userspace.copies import MOST_BEHIND
from hanse.kit.problems import Problem
from hanse.refpoints.mp2 import Action, FilterType, Forwarding, RuleCounters, TrafficMatch
from tests.both_loops import OVERRIDDEN, event_loop_policy  # noqa: F401 (a fixture)
from tests.bounds import SOON
from tests.contract.grounds import PORT, Loopback, Run, applications, begun, bound, connected, dial, echo, rule

CORE = Loopback.own.rpartition(".")[0] + ".9"
WORDS = random.Random(5).randbytes(3_000_000)

pytestmark = [pytest.mark.timeout(120), OVERRIDDEN]


@pytest.fixture
async def ground() -> AsyncIterator[Loopback]:
    async with begun(Loopback) as made:
        yield made


@pytest.fixture
async def serve(ground: Loopback) -> AsyncIterator[Run]:
    async with applications(ground) as run:
        yield run


class Heard(NamedTuple):
    """A copy that a tap was told: whence it came, what it said, and whether it said that this was all."""

    source: str
    words: bytes
    whole: bool


class Tapped:
    """An application that takes copies of streams."""

    def __init__(self) -> None:
        self.copies: list[Heard] = []
        self.read = 0
        self.changed = asyncio.Event()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        source, words, whole = writer.get_extra_info("peername")[0], b"", True
        try:
            while data := await reader.read(1 << 16):
                words += data
                self.read += len(data)
                writer.write(b"this goes nowhere")
        except ConnectionError:
            whole = False
        self.copies.append(Heard(source, words, whole))
        self.changed.set()

    async def heard(self, many: int) -> list[Heard]:
        """So many copies that have ended, by their source."""
        async with asyncio.timeout(SOON):
            while len(self.copies) < many:
                self.changed.clear()
                await self.changed.wait()
        return sorted(self.copies)


def tap(ground: Loopback, **changes: object) -> Forwarding:
    values: dict[str, object] = {"action": Action.DUPLICATE_DECAPSULATED, "to_address": ground.other_app, "priority": 5}
    return rule(ground, "tap", **(values | changes))


async def said(ground: Loopback, words: bytes) -> bytes:
    """All that an application answers to a device."""
    reader, writer = await dial(ground)

    async def say() -> None:
        writer.write(words)
        await writer.drain()
        writer.write_eof()

    async with asyncio.timeout(3 * SOON):
        _, answer = await asyncio.gather(say(), reader.read())
    writer.close()
    return answer


async def counters_of(ground: Loopback, rule_id: str) -> RuleCounters:
    return {c.rule_id: c for c in await ground.plane.counters()}[rule_id]


async def shouting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(bytes(255 - b for b in data[:1]) + data[1:])
        await writer.drain()


async def test_a_tap_hears_both_ends_of_a_stream_whole_in_their_names(ground: Loopback, serve: Run) -> None:
    tapped = Tapped()
    await serve(echo)
    await serve(tapped.take, ground.other_app)
    await ground.plane.install("r", rule(ground))
    await ground.plane.install("tap", tap(ground))
    assert await said(ground, WORDS) == WORDS
    assert await tapped.heard(2) == sorted([Heard(ground.device, WORDS, True), Heard(ground.virtual, WORDS, True)])
    found = await counters_of(ground, "tap")
    assert (found.bytes_up, found.bytes_down, found.flows, found.refused) == (len(WORDS), len(WORDS), 0, 0)
    assert (await counters_of(ground, "r")).bytes_up == len(WORDS)


async def test_two_applications_get_one_direction_each(ground: Loopback, serve: Run) -> None:
    up, down = Tapped(), Tapped()
    await serve(shouting)
    await serve(up.take, ground.other_app)
    await serve(down.take, CORE)
    await ground.plane.install("r", rule(ground))
    await ground.plane.install("tap", tap(ground, core_address=CORE))
    answer = await said(ground, b"\x00abc")
    assert await up.heard(1) == [Heard(ground.device, b"\x00abc", True)]
    assert await down.heard(1) == [Heard(ground.virtual, answer, True)]


async def test_a_tap_hears_from_the_middle_of_a_flow_and_until_it_is_withdrawn(ground: Loopback, serve: Run) -> None:
    tapped = Tapped()
    await serve(echo)
    await serve(tapped.take, ground.other_app)
    await ground.plane.install("r", rule(ground))
    reader, writer = await dial(ground)
    for word in (b"one", b"two", b"three"):
        if word == b"two":
            await ground.plane.install("tap", tap(ground))
        writer.write(word)
        assert await reader.readexactly(len(word)) == word
        if word == b"two":
            await ground.plane.install("tap", tap(ground, priority=6))  # the copies go on
            async with asyncio.timeout(SOON):
                while tapped.read < 2 * len(word):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            await ground.plane.withdraw("tap")
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    assert await tapped.heard(2) == sorted([Heard(ground.device, b"two", False), Heard(ground.virtual, b"two", False)])


async def test_a_tap_of_packets_hears_only_the_direction_that_its_filter_describes(
    ground: Loopback, serve: Run
) -> None:
    tapped = Tapped()
    await serve(echo)
    await serve(tapped.take, ground.other_app)
    await ground.plane.install("r", rule(ground))
    back = TrafficMatch(src_address=(ground.virtual,), dst_address=(ground.device,), dst_port=("1-65535",))
    with pytest.raises(Problem, match="core"):
        await ground.plane.install("tap", tap(ground, core_address="nowhere"))
    await ground.plane.install("tap", tap(ground, filter_type=FilterType.PACKET, matches=(back,)))
    assert await said(ground, b"word") == b"word"
    assert await tapped.heard(1) == [Heard(ground.virtual, b"word", True)]
    await asyncio.sleep(0.1)
    assert len(tapped.copies) == 1


async def test_copies_of_other_flows_are_not_made(ground: Loopback, serve: Run) -> None:
    tapped = Tapped()
    await serve(echo)
    await serve(tapped.take, ground.other_app)
    await ground.plane.install("r", rule(ground))
    only = TrafficMatch(src_address=(ground.stranger,), protocol=("tcp",))
    await ground.plane.install("tap", tap(ground, matches=(only,)))
    assert await said(ground, b"mine") == b"mine"
    assert (await counters_of(ground, "tap")).bytes_up == 0
    reader, writer = await dial(ground, ground.stranger)
    writer.write(b"theirs")
    writer.write_eof()
    assert await reader.read() == b"theirs"
    writer.close()
    assert {copy.words for copy in await tapped.heard(2)} == {b"theirs"}


async def test_a_tap_that_leads_to_what_it_taps_is_not_copied_again(ground: Loopback, serve: Run) -> None:
    await serve(echo)
    await ground.plane.install("r", rule(ground))
    await ground.plane.install("tap", tap(ground, to_address=ground.virtual))
    assert await said(ground, WORDS[:100_000]) == WORDS[:100_000]
    assert (await counters_of(ground, "r")).flows == 1
    assert (await counters_of(ground, "tap")).refused <= 2


async def test_a_flow_does_not_wait_for_a_tap_that_nobody_is_at_or_that_reads_nothing(
    ground: Loopback, serve: Run
) -> None:
    lots = WORDS * 5
    assert len(lots) > 2 * MOST_BEHIND
    await serve(echo)
    await ground.plane.install("r", rule(ground))
    await ground.plane.install("tap", tap(ground, core_address=CORE))
    held = asyncio.Event()

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await held.wait()

    await serve(deaf, CORE)
    assert await said(ground, lots) == lots
    assert (await counters_of(ground, "tap")).refused == 2
    held.set()


async def test_copies_count_among_the_sockets_that_devices_may_take(serve: Run) -> None:
    few = Loopback()
    few.plane = UserspaceDataPlane(few.own, most_flows=3)
    tapped = Tapped()
    await serve(echo)
    await serve(tapped.take, few.other_app)
    await few.plane.install("r", rule(few))
    await few.plane.install("tap", tap(few))
    flows = []
    for _ in range(2):
        reader, writer = await dial(few)
        flows.append(writer)
        writer.write(b"x")
        assert await reader.readexactly(1) == b"x"
    assert ((await counters_of(few, "tap")).refused, len(await few.plane.flows())) == (2, 2)
    with pytest.raises(ConnectionError):
        await said(few, b"x")
    for writer in flows:
        writer.close()
    await few.plane.close()


async def test_a_flow_that_is_cut_is_not_taken_for_whole_by_its_tap(ground: Loopback, serve: Run) -> None:
    tapped = Tapped()
    await serve(echo)
    await serve(tapped.take, ground.other_app)
    await ground.plane.install("r", rule(ground))
    await ground.plane.install("tap", tap(ground))
    reader, writer = await dial(ground)
    writer.write(b"half of")
    assert await reader.readexactly(7) == b"half of"
    async with asyncio.timeout(SOON):
        while (await counters_of(ground, "tap")).bytes_down < 7:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await ground.plane.withdraw("r")
    assert {copy.whole for copy in await tapped.heard(2)} == {False}
    writer.close()


async def came(sock: socket.socket) -> tuple[bytes, tuple[str, int]]:
    """The next datagram and whence it came (uvloop has no sock_recvfrom)."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(sock, readable.set)
    await readable.wait()
    loop.remove_reader(sock)
    return sock.recvfrom(2000)


async def test_datagrams_are_copied_both_ways_and_do_not_go_round(ground: Loopback) -> None:
    match = TrafficMatch(dst_address=(ground.virtual,), dst_port=(str(PORT),), protocol=("udp",))
    await ground.plane.install("r", rule(ground, matches=(match,)))
    await ground.plane.install("tap", tap(ground, matches=(match,)))
    round_it = msgspec.structs.replace(tap(ground, matches=(match,), to_address=ground.virtual), rule_id="round")
    await ground.plane.install("round", round_it)
    at = {name: bound(name, PORT, socket.SOCK_DGRAM) for name in (ground.app, ground.other_app)}
    device = bound(ground.device, 0, socket.SOCK_DGRAM)
    async with asyncio.timeout(SOON):
        for word in (b"one", b"two"):
            device.sendto(word, (ground.virtual, PORT))
            got, peer = await came(at[ground.app])
            at[ground.app].sendto(got.upper(), peer)
            assert (await came(device))[0] == word.upper()
            copies = [await came(at[ground.other_app]) for _ in range(2)]
            assert [(text, source[0]) for text, source in copies] == [
                (word, ground.device),
                (word.upper(), ground.virtual),
            ]
    for sock in (*at.values(), device):
        sock.close()
    assert (await counters_of(ground, "r")).flows == 1


async def test_what_is_dialled_at_any_address_or_port_is_copied_by_a_tap_for_all(ground: Loopback, serve: Run) -> None:
    tapped = Tapped()
    await serve(echo)
    await serve(tapped.take, ground.other_app)
    dialled = (ground.virtual.rpartition(".")[0] + ".209", 12_003 + os.getpid() % 1500 * 4)
    every = TrafficMatch(dst_port=(str(dialled[1]),), protocol=("tcp",))
    await ground.plane.install("r", rule(ground, matches=(every,)))
    await ground.plane.install("tap", tap(ground, matches=(TrafficMatch(protocol=("tcp",)),), to_port=PORT))
    reader, writer = await connected(bound(ground.device, 0, socket.SOCK_STREAM), dialled)
    writer.write(b"word")
    writer.write_eof()
    assert await reader.read() == b"word"
    writer.close()
    assert await tapped.heard(2) == sorted([Heard(ground.device, b"word", True), Heard(dialled[0], b"word", True)])
    assert (await counters_of(ground, "tap")).bytes_up == 4
