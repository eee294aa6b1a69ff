"""Sockets that the data plane listens on and dials with, and how it lets go of one."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterable

from hanse.drivers.dataplane_userspace.endpoints import ANYWHERE, Endpoint
from hanse.kit.ports import bind

_LINGER_ZERO = struct.pack("ii", 1, 0)
_BIND_ADDRESS_NO_PORT = 24
"""The port is chosen when it dials, so that only flows to one target need different ones (ip(7))."""
_BACKLOG = 1024
_LOOPBACK = "lo"


def listening_socket(endpoint: Endpoint, shared: bool) -> socket.socket:
    """Where devices can dial from now on; OSError if it cannot be had."""
    device = _LOOPBACK if endpoint.address == ANYWHERE else ""
    sock = bind(endpoint.address, endpoint.port, endpoint.kind, shared=shared, device=device)
    try:
        if endpoint.kind is socket.SOCK_STREAM:
            sock.listen(_BACKLOG)  # here the kernel finds a second listener
    except BaseException:
        sock.close()
        raise
    return sock


def beside(others: Iterable[tuple[socket.socket, bool]], endpoint: Endpoint, shared: bool) -> socket.socket:
    """The same, where sockets of this process hold the port at one address and this is for every one, or the reverse.

    The kernel gives a device to the closer one of them, but lets nobody have both: for that moment all of them are
    marked as shared, as some of ``others`` are for good.
    """
    alone = [sock for sock, is_shared in others if not is_shared]
    for sock in alone:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        made = listening_socket(endpoint, shared=True)
    finally:
        for sock in alone:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)
    if not shared:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)
    _share_no_more(endpoint.port)
    return made


def _share_no_more(port: int) -> None:
    """The kernel remembers of a TCP port that it was shared, until somebody has it who does not share it."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as other:  # at no address of ours
        other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        other.bind(("::1", port))


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
