"""Who listens where on this machine, as the kernel tells anybody who asks (sock_diag(7))."""

from __future__ import annotations

import socket
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Set

from hanse.drivers.dataplane_userspace.rules import TCP, UDP

_NETLINK_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY = 4, 20
_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_DONE, _ERROR = 3, 2
_HEADER, _REQUEST = struct.Struct("=IHHII"), struct.Struct("=BBxxI")
_ID = 48  # of a socket in a request: not asked for by a dump
_PORT, _INODE = struct.Struct(">H"), struct.Struct("=I")
_AT_PORT, _AT_SOURCE, _AT_INODE = 4, 8, 68
_MAPPED = bytes(10) + b"\xff\xff"
_LISTEN, _UNCONNECTED = 1 << 10, 1 << 7
_STATES = {TCP: (socket.IPPROTO_TCP, _LISTEN), UDP: (socket.IPPROTO_UDP, _UNCONNECTED)}
_SECONDS = 5.0
_BUFFER = 1 << 18


def heard(at: Iterable[str], apart_from: Set[int]) -> dict[tuple[str, str], list[int]]:
    """The ports on which sockets listen at some IPv4 addresses, in order, by protocol and address.

    ``apart_from`` are inodes of sockets that do not count; those that listen at every address do not either. It takes
    about 1.5 µs for each socket of this machine; OSError if the kernel does not tell.
    """
    addresses = {socket.inet_aton(address): address for address in at}
    mapped = {_MAPPED + packed: address for packed, address in addresses.items()}
    found: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for protocol, (number, states) in _STATES.items():
        for family, size, known in ((socket.AF_INET, 4, addresses), (socket.AF_INET6, 16, mapped)):
            for message in _dumped(family, number, states):
                address = known.get(message[_AT_SOURCE : _AT_SOURCE + size])
                if address and _INODE.unpack_from(message, _AT_INODE)[0] not in apart_from:
                    found[protocol, address].add(_PORT.unpack_from(message, _AT_PORT)[0])
    return {key: sorted(ports) for key, ports in found.items()}


def _dumped(family: int, protocol: int, states: int) -> Iterator[bytes]:
    """What the kernel says of each socket (``struct inet_diag_msg`` of `linux/inet_diag.h`)."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as netlink:
        netlink.settimeout(_SECONDS)
        body = _REQUEST.pack(family, protocol, states) + bytes(_ID)
        netlink.send(_HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, _DUMP, 1, 0) + body)
        while True:
            data, at = netlink.recv(_BUFFER), 0
            while at < len(data):
                length, kind, *_ = _HEADER.unpack_from(data, at)
                if kind == _DONE:
                    return
                if kind == _ERROR:
                    raise OSError(-struct.unpack_from("=i", data, at + _HEADER.size)[0], "the kernel does not tell")
                yield data[at + _HEADER.size : at + length]
                at += length + 3 & ~3
