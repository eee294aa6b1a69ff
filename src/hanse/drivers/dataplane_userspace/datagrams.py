"""UDP flows: datagrams from one device port to one destination, carried until nothing was said for a while."""

from __future__ import annotations

import asyncio
from typing import cast

from hanse.drivers.dataplane_userspace.copies import Copying, DatagramCopy
from hanse.drivers.dataplane_userspace.endpoints import Endpoint
from hanse.drivers.dataplane_userspace.flows import Admission, FlowTable, reached_from
from hanse.refpoints.mp2 import Flow

IDLE_SECONDS = 30.0
"""A UDP flow without a datagram for so long is over (RFC 4787 asks for more, for the sake of NATs on the Internet)."""

_MOST_WAITING = 16
_MOST_BUFFERED = 256 * 1024


class _Socket(asyncio.DatagramProtocol):
    """A UDP socket that loses what it cannot send soon, as UDP may, so that nothing heaps up here."""

    transport: asyncio.DatagramTransport | None = None
    lags = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def pause_writing(self) -> None:
        self.lags = True

    def resume_writing(self) -> None:
        self.lags = False

    def send(self, data: bytes, to: tuple[str, int] | None = None) -> bool:
        """Send a datagram; ``False`` if it is lost because the socket is gone or lags behind."""
        if self.lags or self.transport is None or self.transport.is_closing():
            return False
        self.transport.sendto(data, to)
        return True


class Entrance(_Socket):
    """A socket by which devices reach a listener: one at its address alone, or one at every address."""

    def __init__(self, listener: DatagramListener) -> None:
        self.listener = listener

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.listener.entrances.append(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.listener.entrances.remove(self)
        self.listener.check_reached()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.listener.received(data, addr)


class DatagramListener:
    """What devices send to one address and port; each device port that a rule takes has its own session."""

    def __init__(self, table: FlowTable, dialled: Endpoint, source: str) -> None:
        self.table, self._dialled, self._source = table, dialled, source
        self._sessions: dict[tuple[str, int], DatagramSession] = {}
        self.entrances: list[Entrance] = []

    def received(self, data: bytes, device: tuple[str, int]) -> None:
        """A device sent a datagram."""
        session = self._sessions.get(device) or self._begin(device)
        if session:
            session.up(data)

    def answer(self, data: bytes, device: tuple[str, int]) -> bool:
        """Send one back, by whichever socket there is; ``False`` if it is lost."""
        return any(entrance.send(data, device) for entrance in reversed(self.entrances))

    def check_reached(self) -> None:
        """A socket is gone; if it was the last, nobody can be answered any more."""
        for session in [] if self.entrances else list(self._sessions.values()):
            session.cut()

    @property
    def idle(self) -> bool:
        """Whether no session is left."""
        return not self._sessions

    def forget(self, device: tuple[str, int]) -> None:
        """The device's session is over."""
        self._sessions.pop(device, None)

    def _begin(self, device: tuple[str, int]) -> DatagramSession | None:
        admission = self.table.admit(device, self._dialled)
        if admission is None:
            return None
        self._sessions[device] = session = DatagramSession(self, device, admission, self._source)
        return session


class DatagramSession(_Socket):
    """A UDP flow that passes now, with a socket of its own towards the application."""

    def __init__(self, listener: DatagramListener, device: tuple[str, int], admission: Admission, source: str) -> None:
        self._listener, self._device, self.admission = listener, device, admission
        self._waiting: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()
        self._timer = self._loop.call_later(IDLE_SECONDS, self._check_idle)
        self._copying = Copying(DatagramCopy, listener.table.taps)
        admission.by.begin(self)
        self._joining = self._loop.create_task(self._join(source))

    @property
    def flow(self) -> Flow:
        """Who talks to what."""
        return reached_from(self.admission.flow, self.transport.get_extra_info("sockname") if self.transport else None)

    @property
    def target(self) -> tuple[str, int]:
        """The application's address and port."""
        return self.admission.target

    def retap(self) -> None:
        """Be copied to what the rules that copy say now; nobody, until there is a socket to the application."""
        if self.transport:
            self._copying.follow(self._listener.table.taps.of(self.flow))

    def up(self, data: bytes) -> None:
        """Carry a datagram to the application; the first ones wait for the socket, more than some are dropped."""
        self._heard = self._loop.time()
        if self.transport is None:
            if len(self._waiting) < _MOST_WAITING:
                self._waiting.append(data)
        elif self.send(data):
            self.admission.by.bytes_up += len(data)
            for copy in self._copying.up:
                copy.feed(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.admission.by.flows += 1
        self.retap()
        waiting, self._waiting = self._waiting, []
        for data in waiting:
            self.up(data)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002
        self._heard = self._loop.time()
        if self._listener.answer(data, self._device):
            self.admission.by.bytes_down += len(data)
            for copy in self._copying.down:
                copy.feed(data)

    def error_received(self, exc: Exception) -> None:  # noqa: ARG002
        """Nobody listens at the application's port."""
        self.admission.by.refused += 1
        self.cut()

    def cut(self) -> None:
        """End it; UDP has no way to tell the ends."""
        self._timer.cancel()
        self._joining.cancel()
        self._copying.cut()
        self.admission.by.end(self)
        self._listener.forget(self._device)
        if self.transport:
            self.transport.abort()

    def _check_idle(self) -> None:
        left = self._heard + IDLE_SECONDS - self._loop.time()
        if left <= 0:
            self.cut()
        else:
            self._timer = self._loop.call_later(left, self._check_idle)

    async def _join(self, source: str) -> None:
        try:
            await self._loop.create_datagram_endpoint(lambda: self, local_addr=(source, 0), remote_addr=self.target)
        except OSError as error:
            self.error_received(error)
