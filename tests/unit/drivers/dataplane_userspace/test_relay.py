"""Bytes pass from end to end without being read by this process: none is lost, doubled or miscounted, none stays."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import os
import random
import socket
from collections.abc import AsyncIterator

import pytest

from hanse.drivers.dataplane_userspace import UserspaceDataPlane, pipes
from hanse.drivers.dataplane_userspace.pipes import LARGE, SMALL, Pipes
from hanse.drivers.dataplane_userspace.pump import Pump
from hanse.drivers.dataplane_userspace.relay import Relay
from hanse.refpoints.mp2 import Action, FilterType, Forwarding, RuleCounters, TrafficMatch
from tests.both_loops import OVERRIDDEN, event_loop_policy  # noqa: F401 (a fixture)
from tests.bounds import SOON
from tests.unit.drivers.dataplane_userspace.opened import opened

_BLOCK = f"127.{128 + os.getpid() % 64}.{os.getpid() // 64 % 256}"
PLANE, VIRTUAL, APP, DEVICE = (f"{_BLOCK}.{n}" for n in (31, 32, 33, 40))
PORT = 18080
DATA = random.Random(3).randbytes(3_000_000)

pytestmark = OVERRIDDEN


@pytest.fixture
async def plane() -> AsyncIterator[UserspaceDataPlane]:
    match = TrafficMatch(dst_address=(VIRTUAL,), dst_port=(str(PORT),), protocol=("tcp",))
    rule = Forwarding(
        rule_id="r",
        owner="app",
        priority=1,
        filter_type=FilterType.FLOW,
        matches=(match,),
        action=Action.FORWARD_DECAPSULATED,
        to_address=APP,
    )
    plane = UserspaceDataPlane(PLANE)
    await plane.start()
    await plane.install("r", rule)
    yield plane
    await plane.close()


async def counted(plane: UserspaceDataPlane) -> RuleCounters:
    """The counters once no flow is open any more."""
    async with asyncio.timeout(SOON):
        while True:
            [found] = await plane.counters()
            if not found.open_flows:
                return found
            await asyncio.sleep(0.01)


async def dial() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(VIRTUAL, PORT, local_addr=(DEVICE, 0))


async def descriptors() -> set[tuple[str, str]]:
    """Those that are open, by number and name, with what the loop keeps for itself from its first connection on."""
    async with await asyncio.start_server(lambda _r, w: w.close(), APP, PORT + 1):
        _, writer = await asyncio.open_connection(APP, PORT + 1)
        writer.close()
        await writer.wait_closed()
    await asyncio.sleep(0.01)
    gc.collect()  # what earlier tests left to the collector is not ours
    return opened()


async def assert_none_left(before: set[tuple[str, str]]) -> None:
    """None is open that was not open before, and none of the rule, once a busy machine has closed them.

    Those of others may be closed meanwhile: the number alone would tell nothing.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SOON):
            while await descriptors() - before:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    assert await descriptors() - before == set()
    with pytest.raises(ConnectionRefusedError):
        await dial()


async def fitfully(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An application that reads in fits, and tells what it got."""
    heard = hashlib.sha256()
    while data := await reader.read(200_000):
        heard.update(data)
        await asyncio.sleep(random.choice((0, 0, 0.002)))
    writer.write(DATA + heard.digest())
    writer.write_eof()
    await reader.read()
    writer.close()


async def test_many_flows_whose_ends_lag_lose_no_byte_and_are_counted_exactly(plane: UserspaceDataPlane) -> None:
    async def ask() -> bool:
        reader, writer = await dial()
        writer.write(DATA)
        writer.write_eof()
        await asyncio.sleep(0.05)
        heard = await reader.read()
        writer.close()
        return heard == DATA + hashlib.sha256(DATA).digest()

    async with await asyncio.start_server(fitfully, APP, PORT), asyncio.timeout(60):
        assert all(await asyncio.gather(*(ask() for _ in range(20))))
    found = await counted(plane)
    assert (found.bytes_up, found.bytes_down, found.flows) == (20 * len(DATA), 20 * (len(DATA) + 32), 20)


async def test_flows_that_are_cut_in_the_middle_leave_no_descriptor(plane: UserspaceDataPlane) -> None:
    before = await descriptors()

    async def never_read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        lagging.append(writer)

    lagging: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(never_read, APP, PORT)
    ends = [await dial() for _ in range(10)]
    for _, writer in ends:
        writer.write(bytes(20_000_000))
    async with asyncio.timeout(SOON):
        while len(lagging) < 10:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.3)  # what fits between the ends is on its way
    assert len(await plane.flows()) == 10
    await plane.withdraw("r")
    for reader, _ in ends:
        with pytest.raises(ConnectionError):
            await reader.read()
    for writer in [*(writer for _, writer in ends), *lagging]:
        writer.transport.abort()
    server.close()
    await plane.close()
    await assert_none_left(before)


async def test_a_flow_that_is_cut_before_the_application_answers_leaves_no_descriptor(
    plane: UserspaceDataPlane,
) -> None:
    before = await descriptors()
    with socket.socket() as deaf:
        deaf.bind((APP, PORT))
        deaf.listen(0)
        crowd = [socket.socket() for _ in range(3)]  # what does not fit the queue is not answered
        for sock in crowd:
            sock.setblocking(False)
            sock.connect_ex((APP, PORT))
        device = socket.create_connection((VIRTUAL, PORT))
        while not await plane.flows():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        await plane.withdraw("r")
        await asyncio.sleep(0.05)
        device.close()
        for sock in crowd:
            sock.close()
    await assert_none_left(before)


@pytest.mark.parametrize("found_later", [False, True], ids=["never", "later"])
async def test_without_descriptors_for_pipes_flows_pass_and_end_all_the_same(
    plane: UserspaceDataPlane, monkeypatch: pytest.MonkeyPatch, found_later: bool
) -> None:
    def none_left() -> None:
        raise OSError(24, "Too many open files")

    made = pipes._made
    monkeypatch.setattr(pipes, "_made", none_left)
    async with await asyncio.start_server(fitfully, APP, PORT), asyncio.timeout(SOON):
        reader, writer = await dial()
        writer.write(DATA)
        await writer.drain()
        if found_later:
            monkeypatch.setattr(pipes, "_made", made)
        writer.write(DATA)
        writer.write_eof()
        assert await reader.read() == DATA + hashlib.sha256(2 * DATA).digest()
        writer.close()
    found = await counted(plane)
    assert (found.bytes_up, found.bytes_down) == (2 * len(DATA), len(DATA) + 32)


def test_many_lagging_flows_hold_little_each() -> None:
    lent = Pipes()
    taken = [lent.take() for _ in range(40)]
    assert [pipe.room for pipe in taken] == [LARGE] * 32 + [SMALL] * 8
    for pipe in taken:
        lent.give_back(pipe, empty=True)
    assert lent.take().room == LARGE
    lent.close()


def test_a_pipe_with_bytes_in_it_is_not_lent_to_another_flow() -> None:
    lent = Pipes()
    pipe = lent.take()
    os.write(pipe.into, b"secret of one device")
    lent.give_back(pipe, empty=False)
    other = lent.take()
    with pytest.raises(BlockingIOError):
        os.read(other.out, 100)
    lent.give_back(other, empty=True)
    lent.close()


async def test_flows_that_are_over_leave_nothing_to_the_garbage_collector(plane: UserspaceDataPlane) -> None:
    """It stops everything while it looks at all rules: the more of them, the longer."""

    def left() -> list[object]:
        return [found for found in gc.get_objects() if isinstance(found, Relay | Pump)]

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read()
            writer.close()
            await writer.wait_closed()

    gc.collect()
    gc.disable()
    try:
        async with await asyncio.start_server(listen, APP, PORT):
            for broken in (False, True) * 3:
                reader, writer = await dial()
                if broken:
                    writer.transport.abort()
                else:
                    writer.write_eof()
                    await reader.read()
                writer.close()
                with contextlib.suppress(ConnectionError):
                    await writer.wait_closed()
            await counted(plane)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SOON):
                while left():  # noqa: ASYNC110 (what the loop has yet to do for them)
                    await asyncio.sleep(0.1)
        assert left() == []
    finally:
        gc.enable()
