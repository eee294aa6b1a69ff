"""Large packets between namespaces (BIG TCP): what a packet costs is paid once for three times as many bytes.

A packet of TCP on its way between namespaces is not cut into frames: it may be as large as each link lets it be.
The kernel's 64 KiB are for devices that must cut; virtual Ethernet need not. The header of IPv4 cannot tell a greater
length: where frames are read (taps, Ethernet addresses of rules, tunnels) a link keeps to what it can, and the kernel
cuts what is too large for it. IPv6 tells it in a header more, with which such packets get lost on the way.
"""

from __future__ import annotations

import logging
import os
import socket
import struct
from collections.abc import Iterable
from contextlib import nullcontext

from hanse.drivers.dataplane_nftables import netlink
from hanse.drivers.dataplane_nftables.namespaces import inside
from hanse.drivers.dataplane_nftables.netlink import attribute

log = logging.getLogger("hanse.data_plane")

MOST = 192 * 1024
"""Bytes; with more, both ends leave the processor's cache (what was measured stands in `benchmarks/dataplane.py`)."""
TOLD = 64 * 1024
"""Bytes of packets whose headers tell how long they are."""
_NEW_LINK = 16
_LIMITS = (63, 64)
"""What may be sent and put together (IFLA_GSO_IPV4_MAX_SIZE, IFLA_GRO_IPV4_MAX_SIZE)."""


def limit(namespace: str, interfaces: Iterable[str], most: int = MOST) -> None:
    """Let interfaces carry packets of less than ``most`` bytes; an empty namespace is this process's own.

    A kernel that cannot (before 6.3) goes on as it does, which costs speed and nothing else.
    """
    with inside(namespace) if namespace else nullcontext():
        asked = [_limits(socket.if_nametoindex(name), most) for name in interfaces]
        errors = set(netlink.answers(netlink.ROUTING, _NEW_LINK, asked)) - {0}
    for error in errors:
        log.info("packets stay small in %s: %s", namespace or "this namespace", os.strerror(error))


def _limits(index: int, most: int) -> bytes:
    said = struct.pack("=I", most)
    return struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, 0, 0) + b"".join(attribute(k, said) for k in _LIMITS)
