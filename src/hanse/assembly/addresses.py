"""Addresses that are there only once the data plane of their host has begun."""

from __future__ import annotations

import asyncio
from socket import SOCK_DGRAM

from hanse.kit.ports import bind

_PATIENCE, _PAUSE = 30.0, 0.1


async def until_there(address: str) -> None:
    """Wait until the data plane, which may be another process, has made the network in which an IPv4 address is.

    After half a minute it returns all the same: whoever listens there then says what is missing.
    """
    for _ in range(int(_PATIENCE / _PAUSE)):
        try:
            bind(address, 0, SOCK_DGRAM).close()
        except OSError:
            await asyncio.sleep(_PAUSE)
        else:
            return
