"""What tests of rules for many addresses or ports share: devices that dial, and applications that answer."""

from __future__ import annotations

import asyncio
import os
import socket

from hanse.refpoints.mp2 import RuleCounters, TrafficMatch
from tests.bounds import SOON
from tests.contract.grounds import PORT, Ground, answered, connected

DIALLED = 12_002 + os.getpid() % 1500 * 4
"""A port that no other run of these tests takes at every address of this machine."""
OTHER_PORT = PORT + 7


def tcp(**attributes: object) -> tuple[TrafficMatch, ...]:
    return (TrafficMatch(protocol=("tcp",), **attributes),)  # type: ignore[arg-type]


def neighbour(ground: Ground) -> str:
    """Another address of the network of the virtual one, which no rule names."""
    return ground.virtual.rpartition(".")[0] + ".209"


async def heard(ground: Ground, at: tuple[str, int], words: bytes = b"", source: str = "") -> bytes:
    streams = await connected(ground.socket(source or ground.device), at)
    return await answered(streams, words, SOON)


async def heard_soon(ground: Ground, at: tuple[str, int]) -> bytes:
    """As soon as somebody listens there."""
    async with asyncio.timeout(SOON):
        while True:
            try:
                return await heard(ground, at)
            except ConnectionError:
                await asyncio.sleep(0.05)


async def refused_soon(ground: Ground, at: tuple[str, int]) -> None:
    """As soon as nobody listens there any more."""
    async with asyncio.timeout(SOON):
        while True:
            try:
                await heard(ground, at)
            except ConnectionError:
                return
            await asyncio.sleep(0.05)


async def counters(ground: Ground, rule_id: str = "r") -> RuleCounters:
    return {c.rule_id: c for c in await ground.plane.counters()}[rule_id]


async def serving(ground: Ground, word: bytes, port: int, address: str = "") -> asyncio.Server:
    async def say(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(word)
        writer.close()

    return await asyncio.start_server(say, sock=ground.socket(address or ground.app, port))


async def came(sock: socket.socket) -> tuple[bytes, tuple[str, int]]:
    """The next datagram and whence it came (uvloop has no sock_recvfrom)."""
    readable, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(sock, readable.set)
    async with asyncio.timeout(SOON):
        await readable.wait()
    loop.remove_reader(sock)
    return sock.recvfrom(2000)


async def connected_and_told(ground: Ground, at: tuple[str, int], patience: float) -> bytes:
    return await answered(await connected(ground.socket(ground.stranger), at, patience), b"", patience)


def device_of(ground: Ground) -> socket.socket:
    return ground.socket(ground.device, 0, socket.SOCK_DGRAM)
