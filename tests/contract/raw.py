"""Devices and applications that say and hear packets of any protocol, by raw sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from hanse.drivers.dataplane_nftables.namespaces import inside
from tests.bounds import SOON
from tests.contract.grounds import Namespaces, begun

GRE = b"\0\0\x08\0"
"""A header without key or checksum, of nothing."""
WORDS = {
    "gre": (47, GRE + b"hello"),
    "esp": (50, b"\0\0\0\7\0\0\0\1hello"),
    "253": (253, b"h"),
    "59": (59, b""),
    "sctp": (132, b""),
    "ah": (51, b"\xfd\x01\0\0\0\0\0\7\0\0\0\1"),
}
"""Of each protocol its number and a packet of it, one of them too short for ports, one empty."""


@asynccontextmanager
async def joined() -> AsyncIterator[Namespaces]:
    """The data plane that sees packets, and devices that have found their gateways."""
    async with begun(Namespaces) as spaces:
        for device in (spaces.device, spaces.stranger):
            await gateway_found(spaces, device)
        yield spaces


async def gateway_found(spaces: Namespaces, device: str) -> None:
    """A packet that waits for an answer to ARP would come when a test believes that it was refused."""
    with spaces.socket(device, 0, socket.SOCK_DGRAM) as asking:
        asking.sendto(b"", (spaces.virtual, 9))
    async with asyncio.timeout(SOON):
        while not _found(spaces.space(device)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def _found(space: str) -> bool:
    with inside(space):
        return "0x2" in Path("/proc/thread-self/net/arp").read_text()


class Raw:
    """An end that says and hears packets of one protocol: a device or an application."""

    def __init__(self, spaces: Namespaces, at: str, protocol: str) -> None:
        self._number, self.word = WORDS[protocol]
        self._six = ":" in at
        family = socket.AF_INET6 if self._six else socket.AF_INET
        with inside(spaces.space(at)):
            self._socket = socket.socket(family, socket.SOCK_RAW, self._number)
        self._socket.setblocking(False)
        self._socket.bind((at, 0))

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def say(self, to: str, word: bytes | None = None) -> None:
        self._socket.sendto(self.word if word is None else word, (to, 0))

    async def heard(self, patience: float = SOON) -> tuple[str, bytes]:
        """From whom, and what follows the IP header; TimeoutError after so many seconds."""
        async with asyncio.timeout(patience):
            packet, sender = await asyncio.get_running_loop().sock_recvfrom(self._socket, 2048)
        return sender[0], packet if self._six else packet[20:]

    async def hears_nothing(self) -> bool:
        """Once the kernel has had the time to bring a packet: all of this is one machine."""
        try:
            await self.heard(patience=0.3)
        except TimeoutError:
            return True
        return False
