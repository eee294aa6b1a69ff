"""Datagrams by the batch: one call into the kernel takes, or sends, many of them (recvmmsg(2), sendmmsg(2)).

A socket of Python takes and sends one at a time, which costs a busy server more than its answers do.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

Datagram = tuple[bytes, bytes]
"""What is said, and the far end as the kernel writes it (``sockaddr``): for `Datagrams.host`, and to answer."""


class Datagrams:
    """A bound, non-blocking datagram socket, used in batches of at most ``most``, each of at most ``longest`` bytes.

    Its owner closes the socket; after that nothing comes and nothing goes.
    """

    def __init__(self, sock: socket.socket, most: int, longest: int) -> None:
        self._socket, self._family = sock, sock.family
        sockaddr = _SOCKADDR[sock.family]
        self._host = slice(sockaddr.host, sockaddr.host + sockaddr.host_size)
        self._taken = _Messages(most, longest, sockaddr.size)
        self._given = _Messages(most, longest, sockaddr.size)

    def receive(self) -> list[Datagram]:
        """What has arrived, up to a batch; of a longer datagram the beginning. Nothing if there is nothing."""
        taken = self._taken
        count = _recvmmsg(self._socket.fileno(), taken.at, taken.most, socket.MSG_DONTWAIT, None)
        return taken.read(count) if count > 0 else []

    def send(self, datagrams: Sequence[Datagram]) -> None:
        """Send what the kernel takes now; what it does not, or what has no way to its far end, is lost as on the way.

        ``ValueError``: one is longer than agreed.
        """
        given, descriptor = self._given, self._socket.fileno()
        for first in range(0, len(datagrams), given.most):
            count, sent = given.write(datagrams[first : first + given.most]), 0
            while sent < count:  # an error is that of the first that was not sent
                done = _sendmmsg(descriptor, given.at + sent * _STEP, count - sent, socket.MSG_DONTWAIT)
                sent += max(done, 1)

    def host(self, far: bytes) -> str:
        """The address of a far end, without its port."""
        return socket.inet_ntop(self._family, far[self._host])


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Header(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("parts", ctypes.c_void_p),
        ("part_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Message(ctypes.Structure):
    _fields_ = (("header", _Header), ("length", ctypes.c_uint32))


_STEP = ctypes.sizeof(_Message)


class _Messages:
    """Room for a batch, as the kernel wants it: a place for what is said and one for the far end of each."""

    def __init__(self, most: int, longest: int, far: int) -> None:
        self.most, self._longest, self._far = most, longest, far
        self._said = memoryview(bytearray(most * longest))
        self._ends = memoryview(bytearray(most * far))
        self._parts, self._messages = (_Iovec * most)(), (_Message * most)()
        said, ends, parts = _address(self._said), _address(self._ends), ctypes.addressof(self._parts)
        for n, (part, message) in enumerate(zip(self._parts, self._messages, strict=True)):
            part.base, part.length = said + n * longest, longest
            header = message.header
            header.name, header.name_length = ends + n * far, far
            header.parts, header.part_count = parts + n * ctypes.sizeof(_Iovec), 1
        self.at = ctypes.addressof(self._messages)
        self._lengths = _column(self._messages, _Message.length, "I")
        self._room = _column(self._parts, _Iovec.length, "P")

    def read(self, count: int) -> list[Datagram]:
        """The first of those that the kernel has put here."""
        said, ends, longest, far = self._said, self._ends, self._longest, self._far
        return [
            (said[at : at + length].tobytes(), ends[end : end + far].tobytes())
            for at, end, length in zip(
                range(0, count * longest, longest), range(0, count * far, far), self._lengths[:count], strict=True
            )
        ]

    def write(self, datagrams: Sequence[Datagram]) -> int:
        """Put these here for the kernel; how many they are."""
        said, ends, room, at, end = self._said, self._ends, self._room, 0, 0
        for n, (text, to) in enumerate(datagrams):
            length = len(text)
            if length > self._longest:
                raise ValueError(f"a datagram of {length} bytes, of at most {self._longest}")
            said[at : at + length] = text
            ends[end : end + self._far] = to
            room[n] = length
            at, end = at + self._longest, end + self._far
        return len(datagrams)


class _Sockaddr(NamedTuple):
    """Where in a ``sockaddr`` the address stands."""

    size: int
    host: int
    host_size: int


_SOCKADDR = {socket.AF_INET: _Sockaddr(16, 4, 4), socket.AF_INET6: _Sockaddr(28, 8, 16)}


def _address(room: memoryview) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(room))


def _column(records: ctypes.Array[Any], field: Any, code: Literal["I", "P"]) -> memoryview:
    """One field of all records; it is as wide as ``code``."""
    width = struct.calcsize(code)
    step = ctypes.sizeof(records._type_)
    assert field.size == width
    assert field.offset % width == step % width == 0
    return memoryview(records).cast("B").cast(code)[field.offset // width :: step // width]


_libc = ctypes.CDLL(None)
_recvmmsg, _sendmmsg = _libc.recvmmsg, _libc.sendmmsg
_recvmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p)
_sendmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)
