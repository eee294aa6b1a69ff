"""Where a device's sockets are made: in the network that it is attached to."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

Network = Callable[[], AbstractContextManager[None]]
"""What a thread is in while it makes a socket, a network namespace for instance; nothing is awaited in it."""

HERE: Network = nullcontext
"""The network of this machine."""


def attached(network: Network, address: str, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    """A non-blocking IPv4 socket in a network, at the device's address there; OSError if it does not have it."""
    with network():
        sock = socket.socket(socket.AF_INET, kind)
    try:
        sock.setblocking(False)
        sock.bind((address, 0))
    except OSError:
        sock.close()
        raise
    return sock
