"""One connection of a relayed flow: bytes, ends and resets pass to the other, no faster than it takes them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import cast

_LINGER_ZERO = struct.pack("ii", 1, 0)


class Half(asyncio.Protocol):
    """One of the two connections; ``other`` is set before any byte is read."""

    other: Half
    transport: asyncio.Transport | None = None
    ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        self.count(len(data))
        self.other.write(data)

    def eof_received(self) -> bool:
        """This end says no more: tell the other, and keep listening to it until it has said all."""
        self.ended = True
        self.other.finish()
        return not self.other.ended

    def pause_writing(self) -> None:
        self.other.pause()

    def resume_writing(self) -> None:
        self.other.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is None or self.ended:
            self.other.close()
        else:
            self.other.reset()

    def count(self, size: int) -> None:
        """Bytes came from this end."""
        raise NotImplementedError

    def write(self, data: bytes) -> None:
        """Hand bytes to this end, unless it is gone."""
        if self.transport and not self.transport.is_closing():
            self.transport.write(data)

    def finish(self) -> None:
        """Tell this end that no more comes; if it also ended, both are done."""
        if self.transport is None or self.transport.is_closing():
            return
        with contextlib.suppress(OSError, RuntimeError):  # it may have been reset a moment ago
            self.transport.write_eof()
        if self.ended:
            self.transport.close()

    def pause(self) -> None:
        """Read no more from this end until `resume`."""
        if self.transport and not self.transport.is_closing():
            self.transport.pause_reading()

    def resume(self) -> None:
        """Read from this end again."""
        if self.transport and not self.transport.is_closing() and not self.ended:
            self.transport.resume_reading()

    def close(self) -> None:
        """Close once all was written."""
        if self.transport:
            self.transport.close()

    def reset(self) -> None:
        """Close at once with a reset, so that the end cannot take what it got for the whole."""
        if self.transport is None:
            return
        with contextlib.suppress(OSError, AttributeError):
            sock = self.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        self.transport.abort()
