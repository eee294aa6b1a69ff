"""Queries for the name server, by chance but repeatable: plain, unusual and damaged ones; and records for them."""

from __future__ import annotations

import random
import struct

from msgspec.structs import replace

from hanse.refpoints.mp2 import NameRecord

ZONE, LENT = "mec.example", "published.elsewhere"
_KINDS = (*(1,) * 9, *(28,) * 5, 65, 65, 2, 5, 6, 15, 16, 255, 1000, 0, 41, 252, 253)
_OPTION_CODES = (3, 8, 10, 12, 15, 100)


def records(chance: random.Random, names: int = 200) -> list[NameRecord]:
    """Records of all sorts: for everybody, for networks and devices, in order, IPv6, aliases, below other names."""
    found = []
    for number in range(names):
        name = f"app{number}.{'deep.er.' if number % 7 == 0 else ''}{LENT if number % 10 == 9 else ZONE}"
        for each in range(chance.choice((1, 1, 2, 5, 20))):
            found.append(_record(chance, f"{number}.{each}", name, number))
    return found


def _record(chance: random.Random, record_id: str, name: str, number: int) -> NameRecord:
    restricted = number % 2 == 1
    record = NameRecord(
        record_id=record_id,
        owner="app",
        name=name,
        ttl=chance.choice((0, 5, 30, 3600)),
        order=chance.randrange(3) if restricted else 0,
        clients=tuple(_network(chance) for _ in range(chance.randrange(3))) if restricted else (),
    )
    if number % 11 == 3:
        target = chance.choice((f"app{chance.randrange(200)}.{ZONE}", "www.elsewhere.example"))
        return replace(record, canonical=target)
    if chance.random() < 0.3:
        return replace(record, address=f"2001:db8::{chance.randrange(1, 65535):x}")
    return replace(record, address=f"127.3.{chance.randrange(256)}.{chance.randrange(256)}")


def _network(chance: random.Random) -> str:
    if chance.random() < 0.2:
        return f"2001:db8:{chance.randrange(4):x}::/48"
    if chance.random() < 0.3:
        return device(chance)
    length = chance.choice((8, 12, 16, 18, 20, 24))
    value = (127 << 24 | chance.randrange(4) << 16 | chance.randrange(1 << 16)) >> (32 - length) << (32 - length)
    return f"{'.'.join(str(octet) for octet in value.to_bytes(4))}/{length}"


def device(chance: random.Random) -> str:
    """The address of a device, near some network of the records."""
    return f"127.{chance.randrange(4)}.{chance.choice((0, 1, 7, 200))}.{chance.randrange(256)}"


def query(chance: random.Random) -> bytes:
    """One query; one in five is damaged."""
    name = chance.choice(
        (f"app{chance.randrange(220)}", f"app{chance.randrange(30) * 7}.deep.er", "deep.er", "er", "", "ns")
    )
    zone = chance.choice((ZONE, ZONE, ZONE, LENT, "other.example"))
    text = f"{name}.{zone}".strip(".").encode()
    if chance.random() < 0.3:
        text = bytes(byte ^ 0x20 if chr(byte).isalpha() and chance.random() < 0.5 else byte for byte in text)
    flags = chance.choice((0, 0x0100, 0x0100, 0x0130, 0x0040, 0x0110))
    kind = chance.choice(_KINDS)
    extra = _opt(chance) if chance.random() < 0.7 else b""
    wire = struct.pack("!6H", chance.randrange(65536), flags, 1, 0, 0, bool(extra)) + question(text, kind) + extra
    return _damaged(chance, wire) if chance.random() < 0.2 else wire


def question(name: bytes, kind: int) -> bytes:
    """A question of class IN."""
    return b"".join(bytes([len(label)]) + label for label in name.split(b".")) + struct.pack("!BHH", 0, kind, 1)


def subnet(family: int, length: int, octets: bytes, scope: int = 0) -> bytes:
    """The option EDNS Client Subnet (RFC 7871, 6)."""
    return struct.pack("!HHHBB", 8, 4 + len(octets), family, length, scope) + octets


def opt(options: bytes = b"", payload: int = 1232, version: int = 0, flags: int = 0) -> bytes:
    """The record OPT (RFC 6891, 6.1)."""
    return struct.pack("!BHHBBHH", 0, 41, payload, 0, version, flags, len(options)) + options


def _opt(chance: random.Random) -> bytes:
    options = b""
    if chance.random() < 0.7:
        length = chance.choice((0, 8, 16, 20, 24, 32))
        value = int.from_bytes(bytes(int(part) for part in device(chance).split("."))) >> (32 - length) << (32 - length)
        options += subnet(1, length, value.to_bytes(4)[: (length + 7) // 8])
    elif chance.random() < 0.3:
        prefix = bytes.fromhex(f"20010db8{chance.randrange(5):04x}")
        options += subnet(2, 48, prefix)
    if chance.random() < 0.1:
        octets = chance.randbytes(chance.randrange(9))
        options += struct.pack("!HH", chance.choice(_OPTION_CODES), len(octets)) + octets
    flags = chance.choice((0, 0, 0x8000, 0x0040))
    return opt(options, chance.choice((0, 512, 1232, 4096, 65535)), chance.random() < 0.05, flags)


def _damaged(chance: random.Random, wire: bytes) -> bytes:
    if chance.random() < 0.2:
        return wire[: chance.randrange(len(wire))]
    broken = bytearray(wire + chance.randbytes(chance.choice((0, 0, 0, 3))))
    for _ in range(chance.randrange(1, 4)):
        broken[chance.randrange(len(broken))] = chance.choice((0, 1, 8, 12, 41, 0xC0, 0xFF, chance.randrange(256)))
    return bytes(broken)
