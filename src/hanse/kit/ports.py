"""Ports: sockets that are bound to them, and who holds one that is taken (Linux: `/proc/net`, `/proc/<pid>/fd`)."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from hanse.kit.problems import Problem

BACKLOG = 2048
"""Connections that may wait to be accepted."""

_PROC = Path("/proc")
_LISTEN = "0A"
_UNNAMED_INODE = "0"


class Holder(NamedTuple):
    """A process that has a socket on a port: its pid and its short name (`/proc/<pid>/comm`)."""

    pid: int
    name: str


def describe_holder(address: str, port: int, protocol: str = "tcp", proc: Path = _PROC) -> str:
    """A clause for an error: ``port 8443 on 127.2.0.1 is taken by pid 812 (nginx)``.

    ``address`` is an IPv4 or IPv6 address, ``protocol`` is ``tcp`` or ``udp``. A socket on the wildcard address
    holds the port too; asked for that address, a socket on any does. It reads hundreds of small files: call it for an
    error only, from an event loop in a thread.
    """
    holder = find_holder(address, port, protocol, proc)
    whom = f"pid {holder.pid} ({holder.name})" if holder else "a process that this user may not see"
    return f"port {port} on {address} is taken by {whom}"


def find_holder(address: str, port: int, protocol: str = "tcp", proc: Path = _PROC) -> Holder | None:
    """The process that holds the port, or ``None`` if there is none or its descriptors may not be read."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(address, port, protocol, proc)}
    if not sockets:
        return None
    for process in _processes(proc):
        if any(target in sockets for target in _descriptors(process)):
            return Holder(int(process.name), _name(process))
    return None


def addresses_in_use(proc: Path = _PROC) -> set[str]:
    """The IPv4 addresses to which sockets are bound on this machine, by anybody; ended connections do not count."""
    return {
        str(ip_address(int(local.partition(":")[0], 16).to_bytes(4, sys.byteorder)))
        for table in ("tcp", "udp")
        for local, _, inode in _rows(proc / "net" / table)
        if inode != _UNNAMED_INODE
    }


def _inodes(address: str, port: int, protocol: str, proc: Path) -> list[str]:
    """Inodes of the sockets on the port; listeners before connections that merely left from it."""
    wanted = None if ip_address(address).is_unspecified else {f"{host}:{port:04X}" for host in _spellings(address)}
    found = [
        (state, inode)
        for table in (protocol, f"{protocol}6")
        for local, state, inode in _rows(proc / "net" / table)
        if inode != _UNNAMED_INODE and (local.endswith(f":{port:04X}") if wanted is None else local in wanted)
    ]
    listening = [inode for state, inode in found if state == _LISTEN]
    return listening or [inode for _, inode in found]


def _rows(table: Path) -> Iterator[tuple[str, str, str]]:
    """Local address, state and inode of each line; nothing if the kernel has no such table."""
    try:
        lines = table.read_text().splitlines()[1:]
    except OSError:
        return
    for line in lines:
        fields = line.split()
        yield fields[1], fields[3], fields[9]


def _spellings(address: str) -> tuple[str, ...]:
    """How the kernel may write a socket that takes the address: itself, mapped into IPv6, or either wildcard."""
    packed = ip_address(address).packed
    if len(packed) == 16:
        return _words(packed), _words(bytes(16))
    mapped = bytes(10) + b"\xff\xff" + packed
    return _words(packed), _words(bytes(4)), _words(mapped), _words(bytes(16))


def _words(packed: bytes) -> str:
    """The kernel prints an address as 32-bit words in the byte order of the machine."""
    words = (packed[i : i + 4] for i in range(0, len(packed), 4))
    return "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)


def _processes(proc: Path) -> list[Path]:
    return sorted((p for p in proc.iterdir() if p.name.isdigit()), key=lambda p: int(p.name))


def _descriptors(process: Path) -> Iterator[str]:
    """What the process has open; a process of another user, or one that just ended, shows nothing."""
    try:
        for descriptor in (process / "fd").iterdir():
            try:
                yield str(descriptor.readlink())
            except OSError:
                continue
    except OSError:
        return


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "ended"


def bind(
    address: str, port: int, kind: socket.SocketKind = socket.SOCK_STREAM, *, shared: bool = False, device: str = ""
) -> socket.socket:
    """A bound, non-blocking socket; raises the `OSError` of the kernel. A TCP port may be taken again at once.

    ``shared``: others of this user may bind the same port, also in another process, if they share it too; the kernel
    then gives each connection to one of them. ``device`` is the network interface by which alone it is reached.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    protocol = socket.IPPROTO_TCP if kind == socket.SOCK_STREAM else 0  # named, or asyncio sets no TCP_NODELAY
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if device:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock


def listen_on(address: str, port: int) -> socket.socket:
    """A listening TCP socket; a taken port is a problem 409 that names its holder and the fix."""
    try:
        sock = bind(address, port)
        try:
            sock.listen(BACKLOG)
        except OSError:
            sock.close()
            raise
    except OSError as error:
        fix = "stop it or set another port in the configuration"
        taken = error.errno == errno.EADDRINUSE
        detail = f"{describe_holder(address, port)}; {fix}" if taken else str(error)
        raise Problem(409, f"Cannot listen on {address}:{port}", detail) from None
    return sock
