"""Packets between namespaces are large, which makes rules cheap; nobody gets one that it could not read."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest

from hanse.drivers.dataplane_nftables.namespaces import inside
from hanse.drivers.dataplane_nftables.tapping import tap_device
from hanse.kit.values import ABSENT
from hanse.refpoints.mp2 import Action, Ethernet, TrafficMatch
from tests.contract.grounds import PORT, Namespaces, applications, begun, connected, rule

WHOLE = hashlib.shake_256(b"Hanse").digest(1 << 20) * 24
ETHERNET = 14
"""Bytes of a frame's header."""
LARGEST_TOLD = 65535
"""Bytes of an IPv4 packet that its header can tell."""
SO_RCVBUFFORCE = 33
"""Of `asm-generic/socket.h`, which Python does not name: beyond what the machine lets everybody have."""


@pytest.fixture
async def spaces() -> AsyncIterator[Namespaces]:
    async with begun(Namespaces) as ground:
        yield ground


async def arrives_whole(spaces: Namespaces, device: str, virtual: str, app: str) -> int:
    """Send all bytes through a rule; the bytes that it counted."""
    heard = hashlib.sha256()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 20):
            heard.update(data)
        writer.write(heard.digest())

    match = TrafficMatch(dst_address=(virtual,), dst_port=(str(PORT),), protocol=("tcp",))
    await spaces.plane.install("r", rule(spaces, matches=(match,), to_address=app))
    async with applications(spaces) as start:
        await start(listen, app)
        reader, writer = await connected(spaces.socket(device), (virtual, PORT))
        writer.write(WHOLE)
        writer.write_eof()
        async with asyncio.timeout(60):
            assert await reader.read() == hashlib.sha256(WHOLE).digest()
        writer.close()
    return next(c.bytes_up for c in await spaces.plane.counters() if c.rule_id == "r")


async def test_a_packet_is_larger_than_its_header_can_tell_so_that_rules_cost_little(spaces: Namespaces) -> None:
    with reading(spaces, spaces.site.home_link) as frames:
        await arrives_whole(spaces, spaces.device, spaces.virtual, spaces.app)
    assert max(size for size, _ in frames) > LARGEST_TOLD + ETHERNET


@pytest.mark.parametrize("version", [4, 6])
async def test_what_goes_in_large_packets_arrives_whole_and_is_counted(spaces: Namespaces, version: int) -> None:
    ends4 = (spaces.device, spaces.virtual, spaces.app)
    ends6 = (spaces.device6, spaces.virtual6, spaces.app6)
    counted = await arrives_whole(spaces, *(ends4 if version == 4 else ends6))
    assert len(WHOLE) < counted < 1.1 * len(WHOLE)


async def test_who_reads_copies_gets_frames_whose_length_is_told(spaces: Namespaces) -> None:
    match = TrafficMatch(dst_address=(spaces.virtual,), dst_port=(str(PORT),), protocol=("tcp",))
    copy = {"action": Action.DUPLICATE_DECAPSULATED, "to_address": spaces.other_app, "to_port": ABSENT}
    await spaces.plane.install("tap", rule(spaces, "tap", matches=(match,), priority=5, **copy))
    with reading(spaces, tap_device(spaces.other_app)) as frames:
        await arrives_whole(spaces, spaces.device, spaces.virtual, spaces.app)
    assert tells_lengths(frames)


async def test_who_is_reached_by_frames_gets_such_whose_length_is_told(spaces: Namespaces) -> None:
    beside = {"to_mac": Ethernet(dst_address="02:00:5e:10:00:01"), "to_address": ABSENT, "to_port": ABSENT}
    elsewhere = (TrafficMatch(dst_address=("10.66.0.99",), protocol=("udp",)),)
    await spaces.plane.install("mac", rule(spaces, "mac", matches=elsewhere, **beside))
    with reading(spaces, spaces.site.home_link) as frames:
        await arrives_whole(spaces, spaces.device, spaces.virtual, spaces.app)
    assert tells_lengths(frames)
    await spaces.plane.withdraw("mac")
    with reading(spaces, spaces.site.home_link) as frames:
        await arrives_whole(spaces, spaces.device, spaces.virtual, spaces.app)
    assert not tells_lengths(frames)


def tells_lengths(frames: list[tuple[int, bytes]]) -> bool:
    """Whether a megabyte came at least, and each frame of IPv4 tells how long it is."""
    found = [(size, int.from_bytes(frame[16:18], "big")) for size, frame in frames if frame[12:14] == b"\x08\x00"]
    assert sum(size for size, _ in found) > 1 << 20
    return all(20 <= told <= size - ETHERNET for size, told in found)


@contextmanager
def reading(spaces: Namespaces, interface: str) -> Iterator[list[tuple[int, bytes]]]:
    """The length and the first bytes of each frame that comes by an interface."""
    with inside(spaces.site.home_space):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        sock.bind((interface, 3))
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)  # all of it, however late the reader has its turn
    sock.settimeout(0.5)
    frames: list[tuple[int, bytes]] = []
    ended, room = threading.Event(), bytearray(64)

    def read() -> None:
        while True:
            try:
                size = sock.recv_into(room, 0, socket.MSG_TRUNC)
                frames.append((size, bytes(room)))
            except TimeoutError:
                if ended.is_set():
                    return

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield frames
    finally:
        ended.set()
        thread.join(10)
        sock.close()
