"""What a frame says of its tunnel: Ethernet addresses that nobody has, written for the rules and for the end (pure).

A frame of a bearer comes from ``02:`` UDP port (2 bytes) bearer (3 bytes), so that rules can ask for either; one that
is to leave by a tunnel goes to ``02:00:`` number of the tunnel (4 bytes).
"""

from __future__ import annotations

from typing import Final

DEVICES: Final = bytes.fromhex("060000000001")
"""The plane's address where devices come out of their tunnels."""
FAR_ENDS: Final = bytes.fromhex("060000000002")
"""The plane's address where packets leave by tunnels."""
MOST_BEARERS: Final = 2**24 - 1
_LOCAL: Final = b"\x02"
_TUNNEL: Final = b"\x02\x00"


def of_bearer(number: int, port: int) -> bytes:
    """The address that frames of a bearer come from."""
    return _LOCAL + port.to_bytes(2, "big") + number.to_bytes(3, "big")


def bearer(address: bytes) -> int:
    """The number of the bearer of such an address."""
    return int.from_bytes(address[3:], "big")


def of_tunnel(number: int) -> bytes:
    """The address that frames for a tunnel go to."""
    return _TUNNEL + number.to_bytes(4, "big")


def tunnel(address: bytes) -> int:
    """The number of the tunnel of such an address."""
    return int.from_bytes(address[2:], "big")


def written(address: bytes) -> str:
    """``02:00:00:00:00:07``."""
    return address.hex(":")
