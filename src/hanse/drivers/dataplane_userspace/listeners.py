"""The sockets on which devices dial: each is open as long as at least one rule listens there."""

from __future__ import annotations

import asyncio
import os
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

from hanse.drivers.dataplane_userspace.datagrams import Entrance
from hanse.drivers.dataplane_userspace.endpoints import ANYWHERE, Endpoint
from hanse.drivers.dataplane_userspace.everywhere import DatagramsEverywhere
from hanse.drivers.dataplane_userspace.refusals import explained, no_room
from hanse.drivers.dataplane_userspace.rules import TCP
from hanse.drivers.dataplane_userspace.sockets import beside, listening_socket
from hanse.kit import descriptors
from hanse.kit.accepting import Acceptor

_MOST_TURNS = 100


class Closable(Protocol):
    """A server or a datagram transport."""

    def close(self) -> None:
        """Stop listening."""


class _Open(NamedTuple):
    """A socket, what serves it, and whether others may have the same."""

    sock: socket.socket
    server: Closable
    shared: bool
    inode: int


class Listeners:
    """Listening sockets, counted by the rules that need them.

    ``serve_stream`` gets the socket of each connection, the address and port that it dialled, and those that it came
    from; ``serve_datagrams`` makes the entrance to the listener of an address and port.
    """

    def __init__(
        self,
        serve_stream: Callable[[Endpoint, socket.socket, tuple[str, int]], None],
        serve_datagrams: Callable[[Endpoint], Entrance],
    ) -> None:
        self._serve_stream, self._serve_datagrams = serve_stream, serve_datagrams
        self._users: Counter[Endpoint] = Counter()
        self._open: dict[Endpoint, _Open] = {}
        self._closing: list[socket.socket] = []

    async def hold(self, wanted: Iterable[Endpoint], *, shared: bool = False) -> None:
        """Listen on all of them, once more each; if one cannot be had, on none (409 tells who holds it).

        ``shared``: data planes of other hosts may listen there too, if theirs are shared as well.
        """
        held: list[Endpoint] = []
        try:
            for endpoint in sorted(wanted):
                await self._hold(endpoint, shared)
                held.append(endpoint)
        except OSError as error:
            self.release(held)
            raise await explained(endpoint, error) from None
        except BaseException:
            self.release(held)
            raise

    async def hold_free(
        self, wanted: Iterable[Endpoint], *, shared: bool = False
    ) -> tuple[frozenset[Endpoint], dict[Endpoint, OSError]]:
        """Listen on those of them that can be had, once more each; and why the others cannot."""
        held, missing = set[Endpoint](), dict[Endpoint, OSError]()
        for endpoint in sorted(wanted):
            try:
                await self._hold(endpoint, shared)
                held.add(endpoint)
            except OSError as error:
                missing[endpoint] = error
        return frozenset(held), missing

    def release(self, unwanted: Iterable[Endpoint]) -> None:
        """One rule fewer listens on each of them; a socket that no rule needs is closed."""
        for endpoint in unwanted:
            self._users[endpoint] -= 1
            if self._users[endpoint] == 0:
                del self._users[endpoint]
                self._close(endpoint)

    async def closed(self) -> None:
        """What was released may be taken by anybody: event loops close some sockets a moment later."""
        for _ in range(_MOST_TURNS):
            self._closing = [sock for sock in self._closing if sock.fileno() >= 0]
            if not self._closing:
                return
            await asyncio.sleep(0)

    def addresses(self) -> list[Endpoint]:
        """Where it listens now."""
        return sorted(self._open)

    def inodes(self) -> frozenset[int]:
        """By which the kernel tells its sockets from those of others."""
        return frozenset(opened.inode for opened in self._open.values())

    def _close(self, endpoint: Endpoint) -> None:
        """Devices that another rule takes are then reached by the socket at every address, if there is one."""
        opened, everywhere = self._open.pop(endpoint), self._open.get(endpoint.everywhere)
        if everywhere and isinstance(everywhere.server, DatagramsEverywhere):
            everywhere.server.enter(endpoint.address)
        opened.server.close()
        self._closing.append(opened.sock)

    async def _hold(self, endpoint: Endpoint, shared: bool) -> None:
        if endpoint not in self._open:
            if len(self._open) >= descriptors.allowed() // 4:
                raise no_room(len(self._open))
            self._open[endpoint] = await self._opened(endpoint, shared)
        self._users[endpoint] += 1

    async def _opened(self, endpoint: Endpoint, shared: bool) -> _Open:
        others = [(opened.sock, opened.shared) for opened in self._beside(endpoint)]
        sock = beside(others, endpoint, shared) if others else listening_socket(endpoint, shared)
        try:
            return _Open(sock, await self._served(endpoint, sock), shared, os.fstat(sock.fileno()).st_ino)
        except BaseException:
            sock.close()
            raise

    def _beside(self, endpoint: Endpoint) -> Iterator[_Open]:
        """Sockets of ours that the kernel takes for rivals: at a single address and at every one."""
        if endpoint.address == ANYWHERE:
            for other, opened in self._open.items():
                if other.everywhere == endpoint:
                    yield opened
        elif endpoint.everywhere in self._open:
            yield self._open[endpoint.everywhere]

    async def _served(self, endpoint: Endpoint, sock: socket.socket) -> Closable:
        if endpoint.protocol == TCP:
            return Acceptor(sock, lambda device, source: self._accepted(endpoint, device, source))
        if endpoint.address == ANYWHERE:
            return DatagramsEverywhere(sock, self._serve_datagrams)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self._serve_datagrams(endpoint), sock=sock)
        return transport

    def _accepted(self, endpoint: Endpoint, device: socket.socket, source: tuple[str, int]) -> None:
        dialled = endpoint
        if endpoint.address == ANYWHERE:
            dialled = Endpoint(endpoint.protocol, *device.getsockname()[:2])
        self._serve_stream(dialled, device, source)
