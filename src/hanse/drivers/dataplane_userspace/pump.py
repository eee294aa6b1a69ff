"""One direction of a TCP flow: what one socket has is moved to another, no faster than that takes it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Sequence

from hanse.drivers.dataplane_userspace.copies import Copy
from hanse.drivers.dataplane_userspace.pipes import Pipe, Pipes

_CHUNK = 1 << 18


class Pump:
    """Moves bytes from ``source`` to ``target`` until the source has said all; the end is passed on, too.

    ``count`` is told bytes as they come, ``done`` that all were passed on, ``failed`` which of the sockets broke.
    """

    def __init__(
        self,
        source: socket.socket,
        target: socket.socket,
        pipes: Pipes,
        count: Callable[[int], None],
        done: Callable[[], None],
        failed: Callable[[socket.socket], None],
    ) -> None:
        self._source, self._target, self._pipes = source, target, pipes
        self._count, self._done, self._failed = count, done, failed
        self._loop = asyncio.get_running_loop()
        self._pipe: Pipe | None = None
        self._held = 0
        self._copies: Sequence[Copy] = ()
        self._rest = b""
        self.ended = False

    def start(self) -> None:
        """Move whatever comes from now on."""
        self._loop.add_reader(self._source, self._move)

    def copy_to(self, copies: Sequence[Copy]) -> None:
        """Tell these, too, whatever comes from now on. What is copied goes through this process."""
        self._copies = copies
        if self.ended:
            self._end_copies()

    def stop(self) -> None:
        """Move nothing any more; what the target has not taken is lost, and copies are not whole."""
        if not self.ended:
            for copy in self._copies:
                copy.cut()
        self._loop.remove_reader(self._source)
        self._loop.remove_writer(self._target)
        self._give_back()

    def _move(self) -> None:
        if self._copies:
            self._carry()
            return
        try:
            self._pipe = self._pipes.take()
        except OSError:  # no descriptors are left, and none comes free unless the ends of flows are seen
            self._carry()
            return
        try:
            self._held = os.splice(self._source.fileno(), self._pipe.into, self._pipe.room)
        except BlockingIOError:
            self._give_back()
        except OSError:
            self._give_back()
            self._failed(self._source)
        else:
            self._moved()

    def _carry(self) -> None:
        """Move bytes through this process, which takes no pipe."""
        try:
            self._rest = self._source.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            self._failed(self._source)
            return
        if not self._rest:
            self._end()
            return
        self._count(len(self._rest))
        for copy in self._copies:
            copy.feed(self._rest)
        if not self._say_rest() and self._rest:
            self._loop.remove_reader(self._source)
            self._loop.add_writer(self._target, self._catch_up)

    def _moved(self) -> None:
        if not self._held:
            self._give_back()
            self._end()
            return
        self._count(self._held)
        if not self._pass_on() and self._pipe:  # it lags: read no more until it has taken this
            self._loop.remove_reader(self._source)
            self._loop.add_writer(self._target, self._catch_up)

    def _catch_up(self) -> None:
        if self._say_rest() if self._rest else self._pass_on():
            self._loop.remove_writer(self._target)
            self.start()

    def _say_rest(self) -> bool:
        """Whether the target took all that was carried; nothing is left either if it broke."""
        try:
            self._rest = self._rest[self._target.send(self._rest) :]
        except BlockingIOError:
            return False
        except OSError:
            self._rest = b""
            self._failed(self._target)
            return False
        return not self._rest

    def _pass_on(self) -> bool:
        """Whether the target took all that is held."""
        assert self._pipe
        try:
            while self._held:
                self._held -= os.splice(self._pipe.out, self._target.fileno(), self._held)
        except BlockingIOError:
            return False
        except OSError:
            self._give_back()
            self._failed(self._target)
            return False
        self._give_back()
        return True

    def _end(self) -> None:
        self.ended = True
        self._loop.remove_reader(self._source)
        with contextlib.suppress(OSError):  # it may have been reset a moment ago
            self._target.shutdown(socket.SHUT_WR)
        self._end_copies()
        self._done()

    def _end_copies(self) -> None:
        for copy in self._copies:
            copy.end()

    def _give_back(self) -> None:
        if self._pipe:
            self._pipes.give_back(self._pipe, empty=not self._held)
        self._pipe, self._held = None, 0
