"""The short way: plain questions for addresses, answered byte by byte, and from a cache of ready answers.

Whatever is unusual in any way is left to the complete way (`messages`), which also judges this one in the tests.
"""

from __future__ import annotations

import struct

from hanse.drivers.names_embedded.clients import NOBODY, Client, device
from hanse.drivers.names_embedded.query import OPT_SIZE, PAYLOAD, Query, read
from hanse.drivers.names_embedded.zones import NEGATIVE_TTL, Place, Zones, authorities, soa_numbers

MOST_READY = 131072
"""Ready answers that are kept, some 300 bytes each. Only names that have records take a place."""

_HEAD = struct.Struct("!BBHHHH")
_SOA = struct.Struct("!HHHIH")
_OPT = struct.Struct("!BHHIH")
_RESPONSE_AUTHORITATIVE = 0x84
_RECURSION_AVAILABLE = 0x80
_NXDOMAIN = 3


class FastAnswers:
    """Ready answers by everything in the query but its id; where they differ by device, by its address too."""

    def __init__(self, zones: Zones, most: int = MOST_READY, recursive: bool = False) -> None:
        self._zones, self._most = zones, most
        self._available = _RECURSION_AVAILABLE if recursive else 0
        self._ready: dict[bytes, bytes | dict[str, bytes]] = {}
        self._keys: dict[bytes, list[bytes]] = {}
        self._kept = 0
        self.made = 0

    def answer(self, wire: bytes, address: str) -> bytes | None:
        """The answer to a query of a client; ``None`` if it is not for the short way."""
        found = self._ready.get(wire[2:])
        if type(found) is dict:
            found = found.get(address)
        if found is not None:
            return wire[:2] + found  # type: ignore[operator]
        return self._make(wire, address)

    def forget(self, name: bytes) -> None:
        """A name (on the wire, lower case) changed: make its answers anew."""
        for key in self._keys.pop(name, ()):
            gone = self._ready.pop(key, None)
            self._kept -= len(gone) if isinstance(gone, dict) else gone is not None

    def _make(self, wire: bytes, address: str) -> bytes | None:
        query = read(wire)
        if query is None:
            return None
        place = self._zones.look(query.name)
        if place is None:
            return None
        by_device = query.subnet is None or not query.subnet.known
        client = device(address) if by_device else query.subnet or NOBODY
        body = self._body(wire, query, place, client)
        if body is None:
            return None
        self.made += 1
        if place.choices and self._most:
            self._keep(wire[2:], query.name, address if by_device and not place.choices.same_for_all else None, body)
        return wire[:2] + body

    def _keep(self, key: bytes, name: bytes, address: str | None, body: bytes) -> None:
        if self._kept >= self._most:
            self._ready.clear()
            self._keys.clear()
            self._kept = 0
        known = self._ready.get(key)
        if known is None:
            self._keys.setdefault(name, []).append(key)
            known = self._ready[key] = body if address is None else {}
        if isinstance(known, dict) and address is not None:
            known[address] = body
        self._kept += 1

    def _body(self, wire: bytes, query: Query, place: Place, client: Client) -> bytes | None:
        """The answer from its flags on; ``None`` if another way must be gone, or it is too long for the asker."""
        chosen = place.choices.of(client)
        count, records, code, authority = 0, b"", 0, b""
        if chosen is not None:
            if chosen.alias is not None:
                return None
            count, records = chosen.wire(query.kind)
        elif place.lent:
            return None
        if not count:
            code = 0 if place.exists else _NXDOMAIN
            authority = self._soa(12 + len(query.name) - len(place.apex), place.lent)
        extra = b"" if query.limit is None else _opt(wire, query, place, client)
        head = _HEAD.pack(
            _RESPONSE_AUTHORITATIVE | wire[2] & 1, self._available | code, 1, count, bool(authority), bool(extra)
        )
        body = head + wire[12 : query.end] + records + authority + extra
        return body if len(body) + 2 <= (query.limit or 512) else None

    def _soa(self, apex: int, lent: bool) -> bytes:
        """The SOA; ``apex`` is where in the message the name of the zone stands."""
        at = 0xC000 | apex
        told = b"".join(authorities(at.to_bytes(2), lent)) + soa_numbers(self._zones.serial)
        return _SOA.pack(at, 6, 1, NEGATIVE_TTL, len(told)) + told


def _opt(wire: bytes, query: Query, place: Place, client: Client) -> bytes:
    """With the client's subnet as it was asked for, but for the scope."""
    flags = 0x8000 if query.signed else 0
    if query.subnet is None:
        return _OPT.pack(0, 41, PAYLOAD, flags, 0)
    option = wire[query.end + OPT_SIZE :]
    scope = place.choices.scope(client) if query.subnet.known else 0
    return b"%b%b%c%b" % (_OPT.pack(0, 41, PAYLOAD, flags, len(option)), option[:7], scope, option[8:])
