"""An interface that this process serves: its frames are read and written here (Linux, networking/tuntap)."""

from __future__ import annotations

import errno
import fcntl
import os
import struct

_SET_INTERFACE, _ETHERNET, _BARE = 0x400454CA, 0x0002, 0x1000
_LARGEST = 65535


class Tap:
    """The interface of that name in the namespace of this thread, made if it is not there; it stays there."""

    def __init__(self, name: str) -> None:
        self.number = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        try:
            fcntl.ioctl(self.number, _SET_INTERFACE, struct.pack("16sH22x", name.encode(), _ETHERNET | _BARE))
        except OSError:
            self.close()
            raise

    def __enter__(self) -> Tap:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def read(self) -> bytes | None:
        """The next frame that the kernel sends by it, or ``None``: there is none now, or the interface is down."""
        try:
            return os.read(self.number, _LARGEST)
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno in (errno.EIO, errno.EBADFD):
                return None
            raise

    def write(self, frame: bytes) -> None:
        """Let a frame come in by it; OSError if it cannot."""
        os.write(self.number, frame)

    def close(self) -> None:
        """Serve it no longer."""
        os.close(self.number)
