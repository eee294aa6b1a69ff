"""Requests to the kernel in the namespace that this thread is in, each answered by itself (netlink(7))."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable

ROUTING, NETFILTER = 0, 12
_REQUEST_ACK = 0x5
_SECONDS = 10.0


def attribute(kind: int, value: bytes) -> bytes:
    """An attribute of a request: its length, its kind, its value, filled up to four bytes."""
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def answers(protocol: int, kind: int, requests: Iterable[bytes]) -> list[int]:
    """What the kernel says to requests of a kind, one after the other: 0 if it is done, or the error's number."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as netlink:
        netlink.settimeout(_SECONDS)
        return [_answer(netlink, kind, request) for request in requests]


def _answer(netlink: socket.socket, kind: int, request: bytes) -> int:
    netlink.sendto(struct.pack("=IHHII", 16 + len(request), kind, _REQUEST_ACK, 1, 0) + request, (0, 0))
    error: int = struct.unpack_from("=i", netlink.recv(4096), 16)[0]
    return -error
