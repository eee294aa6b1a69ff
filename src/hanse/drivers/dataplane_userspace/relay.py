"""A TCP flow: the device's connection and the application's, bytes handed from one to the other.

Neither end is read faster than the other takes it, so a flow holds no more than the buffers of its two sockets and one
read. A half-close passes on; a reset passes on as a reset.
"""

from __future__ import annotations

import asyncio

from hanse.drivers.dataplane_userspace.endpoints import Endpoint
from hanse.drivers.dataplane_userspace.flows import Admission, FlowTable, reached_from
from hanse.drivers.dataplane_userspace.half import Half
from hanse.refpoints.mp2 import Flow

_CONNECT_SECONDS = 5.0


class DeviceHalf(Half):
    """What a device dialled: here a flow begins, if a rule takes it."""

    def __init__(self, table: FlowTable, endpoint: Endpoint, source: str) -> None:
        self._table, self._endpoint, self._source = table, endpoint, source
        self._relay: Relay | None = None
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        admission = self._table.admit(peer, self._endpoint) if peer else None
        if admission is None:
            self.reset()
            return
        self.pause()
        self._relay = Relay(self, admission, self._source)

    def data_received(self, data: bytes) -> None:
        if self.other.transport is None:  # uvloop begins to read whatever `connection_made` asked: ask again
            self._early.append(data)
            self.pause()
        else:
            super().data_received(data)

    def speak(self) -> None:
        """The application is there: hand it what came early, and read on."""
        early, self._early = self._early, []
        for data in early:
            super().data_received(data)
        if self.ended:
            self.other.finish()
        self.resume()

    def count(self, size: int) -> None:
        if self._relay:
            self._relay.admission.by.bytes_up += size

    def connection_lost(self, exc: Exception | None) -> None:
        if self._relay:
            super().connection_lost(exc)
            self._relay.end()


class ApplicationHalf(Half):
    """The connection to the application, dialled from the data plane's own address."""

    def __init__(self, relay: Relay, device: DeviceHalf) -> None:
        self._relay, self.other, device.other = relay, device, self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._relay.joined()

    def count(self, size: int) -> None:
        self._relay.admission.by.bytes_down += size


class Relay:
    """A TCP flow that passes now; it lives as long as the device's connection."""

    def __init__(self, device: DeviceHalf, admission: Admission, source: str) -> None:
        self.admission = admission
        self._device = device
        self._application = ApplicationHalf(self, device)
        admission.by.begin(self)
        self._joining = asyncio.get_running_loop().create_task(self._join(source))

    @property
    def flow(self) -> Flow:
        """Who talks to what."""
        return reached_from(self.admission.flow, self._application.transport)

    @property
    def target(self) -> tuple[str, int]:
        """The application's address and port."""
        return self.admission.target

    def joined(self) -> None:
        """The application answers: let the device speak."""
        self.admission.by.flows += 1
        self._device.speak()

    def cut(self) -> None:
        """Reset both ends."""
        self.end()
        self._device.reset()
        self._application.reset()

    def end(self) -> None:
        """It passes no more."""
        self._joining.cancel()
        self.admission.by.end(self)

    async def _join(self, source: str) -> None:
        """Dial the application; if it does not answer, the device is refused as if it had dialled it itself."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await loop.create_connection(lambda: self._application, *self.target, local_addr=(source, 0))
        except OSError:  # a TimeoutError is one
            self.admission.by.refused += 1
            self.cut()
