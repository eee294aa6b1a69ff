"""The sockets on which devices dial: each is open as long as at least one rule listens there."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from hanse.drivers.dataplane_userspace.endpoints import Endpoint
from hanse.kit.accepting import Acceptor
from hanse.kit.ports import bind, describe_holder
from hanse.kit.problems import Problem, bad_request, conflict

_BACKLOG = 1024


class Closable(Protocol):
    """A server or a datagram transport."""

    def close(self) -> None:
        """Stop listening."""


class Listeners:
    """Listening sockets, counted by the rules that need them.

    ``serve_stream`` gets the socket of each connection that an endpoint accepts, with the address and port that
    dialled; ``serve_datagrams`` makes the one protocol of an endpoint's socket.
    """

    def __init__(
        self,
        serve_stream: Callable[[Endpoint, socket.socket, tuple[str, int]], None],
        serve_datagrams: Callable[[Endpoint], asyncio.DatagramProtocol],
    ) -> None:
        self._serve_stream, self._serve_datagrams = serve_stream, serve_datagrams
        self._users: Counter[Endpoint] = Counter()
        self._open: dict[Endpoint, Closable] = {}

    async def hold(self, wanted: Iterable[Endpoint], *, shared: bool = False) -> None:
        """Listen on all of them, once more each; if one cannot be had, on none (409 tells who holds it).

        ``shared``: data planes of other hosts may listen there too, if theirs are shared as well.
        """
        held: list[Endpoint] = []
        try:
            for endpoint in sorted(wanted):
                if endpoint not in self._open:
                    self._open[endpoint] = await self._listen(endpoint, shared)
                self._users[endpoint] += 1
                held.append(endpoint)
        except BaseException:
            self.release(held)
            raise

    def release(self, unwanted: Iterable[Endpoint]) -> None:
        """One rule fewer listens on each of them; a socket that no rule needs is closed."""
        for endpoint in unwanted:
            self._users[endpoint] -= 1
            if self._users[endpoint] == 0:
                del self._users[endpoint]
                self._open.pop(endpoint).close()

    def addresses(self) -> list[Endpoint]:
        """Where it listens now."""
        return sorted(self._open)

    async def _listen(self, endpoint: Endpoint, shared: bool) -> Closable:
        try:
            return await self._opened(endpoint, shared)
        except OSError as error:
            raise await _explain(endpoint, error) from None

    def _opened(self, endpoint: Endpoint, shared: bool) -> Awaitable[Closable]:
        return self._stream(endpoint, shared) if endpoint.protocol == "tcp" else self._datagrams(endpoint, shared)

    async def _stream(self, endpoint: Endpoint, shared: bool) -> Closable:
        sock = bind(endpoint.address, endpoint.port, shared=shared)
        try:
            sock.listen(_BACKLOG)  # here the kernel finds a second listener
            return Acceptor(sock, lambda device, source: self._serve_stream(endpoint, device, source))
        except BaseException:
            sock.close()
            raise

    async def _datagrams(self, endpoint: Endpoint, shared: bool) -> Closable:
        sock = bind(endpoint.address, endpoint.port, endpoint.kind, shared=shared)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self._serve_datagrams(endpoint), sock=sock)
        return transport


async def _explain(endpoint: Endpoint, error: OSError) -> Problem:
    """The problem that says who is in the way and what to do about it."""
    protocol, address, port = endpoint
    if error.errno == errno.EADDRINUSE:
        holder = await asyncio.to_thread(describe_holder, address, port, protocol)
        return conflict(
            f"{protocol} port {port} on {address} is taken", f"{holder}; stop it or give the rule another dstPort"
        )
    if error.errno == errno.EACCES:
        return bad_request(f"dstPort {port} needs root", f"user space may listen on ports from 1024 on {address}")
    return bad_request(f"{address}:{port} cannot be listened on", str(error))
