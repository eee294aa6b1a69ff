"""The process of a tunnel end: ``python -m … SPACE CONTROL ADDRESSES DEVICES``.

SPACE is the namespace that it was started in, CONTROL the descriptor of the socket by which it is told its table,
ADDRESSES those at which it hears GTP-U and GRE, DEVICES its interfaces, both with commas. It ends when its namespace
has its name no more: then another plane has taken its place, and nobody would find it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from hanse.drivers.dataplane_nftables.gtp.gre import PROTOCOL
from hanse.drivers.dataplane_nftables.gtp.message import PORT
from hanse.drivers.dataplane_nftables.gtp.table import Table, Told
from hanse.drivers.dataplane_nftables.gtp.tap import Tap
from hanse.drivers.dataplane_nftables.gtp.tunnels import Datagram, Frame, TunnelEnd
from hanse.drivers.dataplane_nftables.names import GRE, SPACES

_AT_ONCE = 64
_LARGEST = 65535
_LOOK = 2.0
_BUFFER = 4 << 20
_FOR_CONTROL = 1.0


class Process:
    """Carries datagrams and frames between sockets and interfaces."""

    def __init__(self, space: str, control: int, addresses: list[str], devices: list[str]) -> None:
        self._space = Path(SPACES, space)
        self._here = os.stat("/proc/self/ns/net").st_ino
        self._end = TunnelEnd()
        self._control = socket.socket(fileno=control)
        self._sockets = {address: _listening(address) for address in addresses}
        self._raw = {address: _hearing_gre(address) for address in addresses}
        self._interfaces = {device: Tap(device) for device in devices}
        self._poll = select.epoll()
        self._ready: dict[int, Callable[[], None]] = {control: self._told}
        for address, sock in self._sockets.items():
            self._ready[sock.fileno()] = lambda a=address: self._datagrams(a)  # type: ignore[misc]
        for address, sock in self._raw.items():
            self._ready[sock.fileno()] = lambda a=address: self._packets(a)  # type: ignore[misc]
        for device, tap in self._interfaces.items():
            self._ready[tap.number] = lambda d=device: self._frames(d)  # type: ignore[misc]
        for number in self._ready:
            self._poll.register(number, select.EPOLLIN)

    def run(self) -> None:
        """Until the namespace has lost its name."""
        look = 0.0
        while True:
            for number, _ in self._poll.poll(_LOOK):
                self._ready[number]()
            if (now := time.monotonic()) > look:
                look = now + _LOOK
                if not self._named():
                    return

    def _named(self) -> bool:
        try:
            return self._space.stat().st_ino == self._here
        except FileNotFoundError:
            return False

    def _datagrams(self, own: str) -> None:
        for _ in range(_AT_ONCE):
            try:
                said, peer = self._sockets[own].recvfrom(_LARGEST)
            except BlockingIOError:
                return
            except OSError:  # what an earlier datagram met on its way
                continue
            self._do(self._end.datagram(own, (peer[0], peer[1]), said))

    def _packets(self, own: str) -> None:
        """Of GRE: over IPv4 the kernel gives the header of IP as well (raw(7), ipv6(7))."""
        for _ in range(_AT_ONCE):
            try:
                said, peer = self._raw[own].recvfrom(_LARGEST)
            except BlockingIOError:
                return
            except OSError:
                continue
            start = 0 if ":" in own else 4 * (said[0] & 15)
            self._do(self._end.from_gre(own, peer[0], said[start:]))

    def _frames(self, device: str) -> None:
        for _ in range(_AT_ONCE):
            said = self._interfaces[device].read()
            if said is None:
                return
            self._do(self._end.frame(device, said))

    def _do(self, wanted: Datagram | Frame | None) -> None:
        try:
            if isinstance(wanted, Datagram):
                sockets = self._raw if wanted.kind == GRE else self._sockets
                sockets[wanted.own].sendto(wanted.said, wanted.to)
            elif isinstance(wanted, Frame):
                self._interfaces[wanted.device].write(wanted.said)
        except OSError as error:  # full, too large or without a way: lost, as packets may be
            self._end.counts[f"not_sent_{errno.errorcode.get(error.errno or 0, 'error').lower()}"] += 1

    def _told(self) -> None:
        """One who asks sends a table or ``null`` and a line feed, and gets the counts."""
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            asking, _ = self._control.accept()
            with asking:
                asking.settimeout(_FOR_CONTROL)
                table = msgspec.json.decode(_line(asking), type=Told | None)
                if table is not None:
                    self._end.table = Table(table, self._end.table)
                asking.sendall(msgspec.json.encode(dict(self._end.counts)) + b"\n")


def _line(sock: socket.socket) -> bytes:
    heard = bytearray()
    while not heard.endswith(b"\n"):
        more = sock.recv(_LARGEST)
        if not more:
            raise ConnectionError("cut off")
        heard += more
    return bytes(heard)


def _listening(address: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    sock.bind((address, PORT))
    return sock


def _hearing_gre(address: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_RAW, PROTOCOL)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    sock.bind((address, 0))
    return sock


if __name__ == "__main__":
    Process(sys.argv[1], int(sys.argv[2]), sys.argv[3].split(","), sys.argv[4].split(",")).run()
