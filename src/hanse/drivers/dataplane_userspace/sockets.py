"""Sockets that the data plane dials with, and how it lets go of one."""

from __future__ import annotations

import contextlib
import socket
import struct

_LINGER_ZERO = struct.pack("ii", 1, 0)
_BIND_ADDRESS_NO_PORT = 24
"""The port is chosen when it dials, so that only flows to one target need different ones (ip(7))."""


def dialling(source: str, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    """A non-blocking socket that will dial from an address."""
    sock = socket.socket(socket.AF_INET, kind)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
        sock.bind((source, 0))
    except BaseException:
        sock.close()
        raise
    return sock


def reset(sock: socket.socket) -> None:
    """Close at once with a reset, so that the end cannot take what it got for the whole."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    sock.close()
