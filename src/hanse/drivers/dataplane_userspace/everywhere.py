"""A UDP socket at every address: datagrams by the address that they were sent to, answers from that address (ip(7))."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable

from hanse.drivers.dataplane_userspace.datagrams import Entrance
from hanse.drivers.dataplane_userspace.endpoints import Endpoint
from hanse.drivers.dataplane_userspace.rules import UDP

_IP_PKTINFO = 8
"""Of `linux/in.h`; this Python does not name it."""
_PKTINFO = struct.Struct("=i4s4s")
_MOST_BYTES = 65535
_AT_ONCE = 100
_TIDY = 256


class DatagramsEverywhere:
    """Hands each datagram to the listener of the address that was dialled, which lasts as long as it is used."""

    def __init__(self, sock: socket.socket, entrance: Callable[[Endpoint], Entrance]) -> None:
        """``sock`` is bound at every address, and is closed with this."""
        sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        self._sock, self._made, self._port = sock, entrance, sock.getsockname()[1]
        self._entrances: dict[str, Entrance] = {}
        self._tidied = 0
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock, self._read)

    def close(self) -> None:
        """Listen no more, and end what passes."""
        if self._sock.fileno() < 0:
            return
        self._loop.remove_reader(self._sock)
        self._sock.close()
        for entrance in self._entrances.values():
            entrance.connection_lost(None)
        self._entrances.clear()

    def enter(self, address: str) -> Entrance:
        """The way to the listener of an address, from now on."""
        if address not in self._entrances:
            self._tidy()
            self._entrances[address] = entrance = self._made(Endpoint(UDP, address, self._port))
            entrance.connection_made(_From(self._sock, address))
        return self._entrances[address]

    def _read(self) -> None:
        for _ in range(_AT_ONCE):
            if self._sock.fileno() < 0:  # a datagram may be what ends the listening
                return
            try:
                data, extra, _, device = self._sock.recvmsg(_MOST_BYTES, socket.CMSG_SPACE(_PKTINFO.size))
            except OSError:  # there are no more, or one was lost
                return
            dialled = next((_PKTINFO.unpack(said)[2] for _, kind, said in extra if kind == _IP_PKTINFO), None)
            if dialled is not None:
                self.enter(socket.inet_ntoa(dialled)).datagram_received(data, device)

    def _tidy(self) -> None:
        """Forget the listeners without sessions, once so many are new: a device may dial millions of addresses."""
        if len(self._entrances) < self._tidied + _TIDY:
            return
        for address, entrance in list(self._entrances.items()):
            if entrance.listener.idle:
                del self._entrances[address]
                entrance.connection_lost(None)
        self._tidied = len(self._entrances)


class _From(asyncio.DatagramTransport):
    """Sends from one address by a socket that is bound at all of them."""

    def __init__(self, sock: socket.socket, address: str) -> None:
        super().__init__()
        said = _PKTINFO.pack(0, socket.inet_aton(address), bytes(4))
        self._sock, self._said = sock, [(socket.IPPROTO_IP, _IP_PKTINFO, said)]

    def is_closing(self) -> bool:
        return self._sock.fileno() < 0

    def sendto(self, data: bytes, addr: tuple[str, int] | None = None) -> None:  # type: ignore[override]
        """What cannot be sent now is lost, as UDP may."""
        with contextlib.suppress(OSError):
            self._sock.sendmsg([data], self._said, 0, addr)
