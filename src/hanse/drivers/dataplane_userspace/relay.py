"""A TCP flow: the device's connection and the application's, bytes moved from one to the other and back.

Neither end is read faster than the other takes it, so a flow holds no more than the buffers of its two sockets and one
read. A half-close passes on; a reset passes on as a reset.
"""

from __future__ import annotations

import asyncio
import socket

from hanse.drivers.dataplane_userspace.copies import Copying, StreamCopy
from hanse.drivers.dataplane_userspace.flows import Admission, reached_from
from hanse.drivers.dataplane_userspace.pipes import Pipes
from hanse.drivers.dataplane_userspace.pump import Pump
from hanse.drivers.dataplane_userspace.sockets import dialling, reset
from hanse.drivers.dataplane_userspace.taps import Taps
from hanse.refpoints.mp2 import Flow

_CONNECT_SECONDS = 5.0


class Relay:
    """A TCP flow that passes now, from the socket of a device; it is dialled on from the data plane's own address."""

    def __init__(self, device: socket.socket, admission: Admission, source: str, pipes: Pipes, taps: Taps) -> None:
        self.admission = admission
        self._device, self._pipes, self._taps = device, pipes, taps
        self._copying = Copying(StreamCopy, taps)
        self._application: socket.socket | None = None
        self._own: tuple[str, int] | None = None
        self._pumps: tuple[Pump, ...] = ()
        admission.by.begin(self)
        self._joining = asyncio.get_running_loop().create_task(self._join(source))

    @property
    def flow(self) -> Flow:
        """Who talks to what."""
        return reached_from(self.admission.flow, self._own)

    @property
    def target(self) -> tuple[str, int]:
        """The application's address and port."""
        return self.admission.target

    def retap(self) -> None:
        """Be copied to what the rules that copy say now; nobody, until the application answers."""
        if self._pumps:
            self._copying.follow(self._taps.of(self.flow) if self._taps.any else ())
            up, down = self._pumps
            up.copy_to(self._copying.up)
            down.copy_to(self._copying.down)

    def cut(self) -> None:
        """Reset both ends."""
        self._end()
        reset(self._device)
        if self._application:
            reset(self._application)

    async def _join(self, source: str) -> None:
        """Dial the application; if it does not answer, the device is refused as if it had dialled it itself."""
        try:
            application = await self._dialled(source)
        except OSError:  # a TimeoutError is one
            self.admission.by.refused += 1
            self.admission.by.end(self)
            reset(self._device)
        else:
            self._joined(application)

    async def _dialled(self, source: str) -> socket.socket:
        sock = dialling(source)
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await asyncio.get_running_loop().sock_connect(sock, self.target)
        except BaseException:
            sock.close()
            raise
        return sock

    def _joined(self, application: socket.socket) -> None:
        """The application answers: let both speak."""
        by, device = self.admission.by, self._device
        by.flows += 1
        self._application, self._own = application, application.getsockname()
        for sock in (device, application):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pumps = (
            Pump(device, application, self._pipes, by.count_up, self._done, lambda end: self._failed(end, application)),
            Pump(
                application, device, self._pipes, by.count_down, self._done, lambda end: self._failed(end, application)
            ),
        )
        self.retap()
        for pump in self._pumps:
            pump.start()

    def _done(self) -> None:
        """One end has said all; if both have, it is over."""
        if all(pump.ended for pump in self._pumps) and self._application:
            self._end()
            self._device.close()
            self._application.close()

    def _failed(self, broken: socket.socket, application: socket.socket) -> None:
        """A connection broke. If that end had said all, it is whole, else the other must not take it for that."""
        up, down = self._pumps
        other, said = (application, up) if broken is self._device else (self._device, down)
        self._end()
        broken.close()
        other.close() if said.ended else reset(other)

    def _end(self) -> None:
        self._joining.cancel()
        for pump in self._pumps:
            pump.stop()
        self._pumps = ()  # they know this flow: the collector, which looks at every rule too, must not be needed for it
        self.admission.by.end(self)
