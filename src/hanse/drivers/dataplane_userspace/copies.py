"""Copies of what passes: each direction of a flow goes to the application of a tap as a stream or as datagrams.

An application that does not take its copy, or lags behind, loses it; the flow that is copied never waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Sequence
from typing import Protocol

from hanse.drivers.dataplane_userspace.installed import Installed
from hanse.drivers.dataplane_userspace.rules import TCP, UDP
from hanse.drivers.dataplane_userspace.sockets import dialling, reset
from hanse.drivers.dataplane_userspace.taps import Tap, Taps, Way

MOST_BEHIND = 4 << 20
"""Bytes by which a copied stream may lag; then it is reset, so that the rest is not taken for the whole."""
_FAREWELL = 5.0
"""Seconds that an application has to close a copied stream that has ended."""


class Copy(Protocol):
    """One direction of a flow, on its way to the application of a tap."""

    def feed(self, data: bytes) -> None:
        """More was said."""

    def end(self) -> None:
        """All was said."""

    def cut(self) -> None:
        """What was said is not the whole."""


class StreamCopy:
    """A connection that says what one end of a TCP flow says; what the application answers is thrown away."""

    def __init__(self, way: Way, by: Installed, taps: Taps, count: Callable[[int], None]) -> None:
        self._by, self._taps, self._count = by, taps, count
        self._loop = asyncio.get_running_loop()
        self._waiting = bytearray()
        self._all_said = self._over = self._there = self._lags = self._hung_up = False
        self._sock = dialling(way.source)
        if self._sock.connect_ex(way.target) not in (0, errno.EINPROGRESS):
            self._sock.close()
            raise ConnectionError(f"{way.target} cannot be dialled")
        self._name = (TCP, self._sock.getsockname(), way.target)
        taps.begin(*self._name, self.cut)
        self._loop.add_writer(self._sock, self._connected)

    def feed(self, data: bytes) -> None:
        if self._over:
            return
        self._waiting += data
        if self._there and not self._lags:
            self._send()
        if len(self._waiting) > MOST_BEHIND:
            self._fail()

    def end(self) -> None:
        self._all_said = True
        if self._there and not self._waiting and not self._over:
            self._part()

    def cut(self) -> None:
        if not self._over:
            self._close()
            reset(self._sock)

    def _connected(self) -> None:
        self._loop.remove_writer(self._sock)
        if self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._fail()
            return
        self._there = True
        self._loop.add_reader(self._sock, self._discard)
        self._send()

    def _send(self) -> None:
        """Say what waits, as far as the application takes it."""
        try:
            sent = self._sock.send(self._waiting) if self._waiting else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            self._fail()
            return
        self._count(sent)
        del self._waiting[:sent]
        if self._waiting and not self._lags:
            self._loop.add_writer(self._sock, self._send)
        elif self._lags and not self._waiting:
            self._loop.remove_writer(self._sock)
        self._lags = bool(self._waiting)
        if self._all_said and not self._waiting:
            self._part()

    def _discard(self) -> None:
        try:
            if self._sock.recv(65536):
                return
        except BlockingIOError:
            return
        except OSError:
            self._fail()
            return
        self._loop.remove_reader(self._sock)
        self._hung_up = True
        if self._all_said and not self._waiting:
            self._part()

    def _part(self) -> None:
        """Say that it was all, and close when the application does: closed before, what it has not read may be lost."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
        if self._hung_up:
            self._close()
            self._sock.close()
        else:
            self._loop.call_later(_FAREWELL, self.cut)

    def _fail(self) -> None:
        if self._waiting or not self._all_said:
            self._by.refused += 1
        self.cut()

    def _close(self) -> None:
        self._over = True
        self._loop.remove_reader(self._sock)
        self._loop.remove_writer(self._sock)
        self._taps.end(*self._name)
        self._waiting.clear()


class DatagramCopy:
    """A socket that sends what one end of a UDP flow sends."""

    def __init__(self, way: Way, by: Installed, taps: Taps, count: Callable[[int], None]) -> None:
        self._by, self._taps, self._count = by, taps, count
        self._sock = dialling(way.source, socket.SOCK_DGRAM)
        self._sock.connect(way.target)
        self._name = (UDP, self._sock.getsockname(), way.target)
        taps.begin(*self._name, self.cut)

    def feed(self, data: bytes) -> None:
        try:
            self._count(self._sock.send(data))
        except OSError:  # its queue is full, or nobody listened to the last one
            self._by.refused += 1

    def end(self) -> None:
        self.cut()

    def cut(self) -> None:
        self._taps.end(*self._name)
        self._sock.close()


class Copying:
    """The copies of one flow: made as its rules say, and ended with it."""

    def __init__(self, kind: Callable[[Way, Installed, Taps, Callable[[int], None]], Copy], taps: Taps) -> None:
        self._kind, self._taps = kind, taps
        self._made: dict[Tap, tuple[Copy | None, Copy | None]] = {}
        self.up: Sequence[Copy] = ()
        self.down: Sequence[Copy] = ()

    def follow(self, wanted: Sequence[Tap]) -> None:
        """Copy to these from now on; those that go on are not touched."""
        if not wanted and not self._made:
            return
        for tap in self._made.keys() - set(wanted):
            for copy in self._made.pop(tap):
                if copy:
                    copy.cut()
        for tap in wanted:
            if tap not in self._made:
                self._made[tap] = (
                    self._copy(tap.up, tap.by, tap.by.count_up),
                    self._copy(tap.down, tap.by, tap.by.count_down),
                )
        self.up = [up for up, _ in self._made.values() if up]
        self.down = [down for _, down in self._made.values() if down]

    def cut(self) -> None:
        """The flow was cut."""
        self.follow(())

    def _copy(self, way: Way | None, by: Installed, count: Callable[[int], None]) -> Copy | None:
        if way is None:
            return None
        if not self._taps.has_room():
            by.refused += 1
            return None
        try:
            return self._kind(way, by, self._taps, count)
        except OSError:
            by.refused += 1
            return None
