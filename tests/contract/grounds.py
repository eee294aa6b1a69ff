"""Where a data plane is tried: addresses, and real sockets of devices and applications."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

import pytest

from hanse.drivers.dataplane_nftables import AccessNetwork, NftablesDataPlane, Site
from hanse.drivers.dataplane_nftables.namespaces import inside
from hanse.drivers.dataplane_nftables.trial import found_out
from hanse.drivers.dataplane_userspace import UserspaceDataPlane
from hanse.refpoints.mp2 import Action, DataPlane, FilterType, Forwarding, TrafficMatch
from tests.bounds import SOON

PORT = 18080
_BLOCK = f"127.{64 + os.getpid() % 64}.{os.getpid() // 64 % 256}"


class Ground(Protocol):
    """A data plane with two devices and the addresses of two applications."""

    plane: DataPlane
    own: str
    virtual: str
    app: str
    other_app: str
    device: str
    stranger: str

    async def start(self) -> None:
        """Make it."""

    async def close(self) -> None:
        """Remove it."""

    def socket(self, at: str, port: int = 0, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """A non-blocking socket at an address of a device or an application."""


G = TypeVar("G", bound=Ground)


class Loopback:
    """All on one machine's loopback."""

    own, virtual, app, other_app = (f"{_BLOCK}.{n}" for n in (1, 2, 3, 4))
    device, stranger = f"{_BLOCK}.10", f"{_BLOCK}.11"

    def __init__(self) -> None:
        networks = {"cells": (self.device,), "hotspot": (self.stranger,)}
        self._plane = UserspaceDataPlane(self.own, networks=networks)
        self.plane: DataPlane = self._plane

    async def start(self) -> None:
        await self._plane.start()

    async def close(self) -> None:
        await self._plane.close()

    def socket(self, at: str, port: int = 0, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        return bound(at, port, kind)


class Namespaces:
    """Each party in a network namespace of its own."""

    own, virtual, app, other_app = "10.65.0.1", "10.66.0.1", "10.65.1.3", "10.65.1.4"
    device, stranger = "10.64.1.10", "10.64.2.11"
    virtual6, app6, device6 = "fd00:66::1", "fd00:65:1::3", "fd00:64:1::10"

    def __init__(self, name: str = "") -> None:
        self.site = Site(
            name=name or f"test-{os.getpid()}",
            own=("10.65.0.1/24", "fd00:65::1/64"),
            home=("10.65.0.2/24", "fd00:65::2/64"),
            apps=("10.65.1.0/24", "fd00:65:1::/64"),
            access=(
                AccessNetwork("cells", ("10.64.1.1/24", "fd00:64:1::1/64")),
                AccessNetwork("hotspot", ("10.64.2.1/24", "fd00:64:2::1/64")),
            ),
        )
        self.nftables = NftablesDataPlane(self.site)
        self.plane: DataPlane = self.nftables

    async def start(self) -> None:
        await self.nftables.start()
        await self.nftables.ground.attach("alice", "cells", (f"{self.device}/24", f"{self.device6}/64"))
        await self.nftables.ground.attach("stranger", "hotspot", (f"{self.stranger}/24",))

    async def close(self) -> None:
        await self.nftables.close()

    def space(self, at: str) -> str:
        """The namespace in which an address is."""
        devices = {self.device: "alice", self.device6: "alice", self.stranger: "stranger"}
        return self.site.device_space(devices[at]) if at in devices else self.site.home_space

    def socket(self, at: str, port: int = 0, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        with inside(self.space(at)):
            return bound(at, port, kind)


def bound(at: str, port: int, kind: socket.SocketKind) -> socket.socket:
    """A non-blocking socket at an address and port."""
    sock = socket.socket(socket.AF_INET6 if ":" in at else socket.AF_INET, kind)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((at, port))
    return sock


async def connected(
    sock: socket.socket, to: tuple[str, int], patience: float = SOON
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Streams of a socket that dials; TimeoutError after so many seconds."""
    try:
        async with asyncio.timeout(patience):
            await asyncio.get_running_loop().sock_connect(sock, to)
    except BaseException:
        sock.close()
        raise
    return await asyncio.open_connection(sock=sock)


async def answered(streams: tuple[asyncio.StreamReader, asyncio.StreamWriter], words: bytes, patience: float) -> bytes:
    """All that the other end says after these words, which are all that it is told; closes the connection."""
    reader, writer = streams
    writer.write(words)
    writer.write_eof()
    try:
        async with asyncio.timeout(patience):
            return await reader.read()
    finally:
        writer.close()


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Run(Protocol):
    """Runs an application at an address until the test ends."""

    async def __call__(self, handle: Serve, address: str = "") -> None: ...


async def skip_without_kernel() -> None:
    """Skips where this machine lacks what the kernel's data plane needs, but not in CI."""
    if reason := (await found_out()).get("kernel"):
        assert not os.environ.get("CI"), reason
        pytest.skip(reason)


@asynccontextmanager
async def begun(kind: Callable[[], G]) -> AsyncIterator[G]:
    """A data plane on its ground; skipped where this machine lacks what it needs, but not in CI."""
    if kind is not Loopback:
        await skip_without_kernel()
    ground = kind()
    try:
        await ground.start()
        yield ground
    finally:
        await ground.close()


@asynccontextmanager
async def applications(ground: Ground) -> AsyncIterator[Run]:
    """Runs applications until the block ends."""
    servers: list[asyncio.Server] = []

    async def start(handle: Serve, address: str = "") -> None:
        async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await handle(reader, writer)
            except ConnectionError:
                pass
            finally:
                writer.close()

        servers.append(await asyncio.start_server(closing, sock=ground.socket(address or ground.app, PORT)))

    try:
        yield start
    finally:
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


def rule(ground: Ground, rule_id: str = "r", **changes: object) -> Forwarding:
    """Devices that dial the virtual address reach the application."""
    matches = (TrafficMatch(dst_address=(ground.virtual,), dst_port=(str(PORT),), protocol=("tcp",)),)
    values: dict[str, object] = {"priority": 10, "filter_type": FilterType.FLOW, "matches": matches}
    values |= {"action": Action.FORWARD_DECAPSULATED, "to_address": ground.app, "to_port": PORT} | changes
    return Forwarding(rule_id=rule_id, owner="app", **values)  # type: ignore[arg-type]


def coming_from(ground: Ground, *sources: str) -> tuple[TrafficMatch, ...]:
    """The same from some addresses only."""
    virtual, port = (ground.virtual,), (str(PORT),)
    return (TrafficMatch(src_address=sources, dst_address=virtual, dst_port=port, protocol=("tcp",)),)


async def dial(
    ground: Ground, source: str = "", patience: float = SOON
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await connected(ground.socket(source or ground.device), (ground.virtual, PORT), patience)


async def told(ground: Ground, source: str = "", patience: float = SOON) -> bytes:
    """All that the application says to a device."""
    reader, writer = await dial(ground, source, patience)
    try:
        return await reader.read()
    finally:
        writer.close()


async def lacks(ground: Ground, what: str) -> bool:
    return what in (await ground.plane.capabilities()).lacks
