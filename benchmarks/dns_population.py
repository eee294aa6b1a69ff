"""Names whose answer depends on the client's subnet: for our server, for Knot, and as queries for dnsperf."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

import msgspec

from benchmarks.dns_queries import opt, question, subnet
from hanse.refpoints.mp2 import NameRecord


class Population(msgspec.Struct, frozen=True):
    """So many names, each with another address for each subnet (IPv4, 24 bits)."""

    names: int = 50
    subnets: int = 1000
    zone: str = "mec.example"
    ttl: int = 30

    def name(self, number: int) -> str:
        """The name of a number."""
        return f"app{number}.{self.zone}"

    def network(self, number: int) -> str:
        """The first three bytes of the addresses of a subnet."""
        return f"10.{number // 256}.{number % 256}"

    def address(self, name: int, network: int) -> str:
        """What a client of a subnet is told for a name."""
        number = name * self.subnets + network
        return f"127.{64 + number // 65536 % 64}.{number // 256 % 256}.{number % 256}"

    def records(self) -> Iterator[NameRecord]:
        """For our server."""
        for name in range(self.names):
            for network in range(self.subnets):
                yield NameRecord(
                    record_id=f"{name}.{network}",
                    owner="app",
                    name=self.name(name),
                    address=self.address(name, network),
                    ttl=self.ttl,
                    clients=(f"{self.network(network)}.0/24",),
                )

    def geoip(self) -> str:
        """For Knot's mod-geoip, in the mode ``subnet``."""
        lines = []
        for name in range(self.names):
            lines.append(f"{self.name(name)}:")
            for network in range(self.subnets):
                lines += [f"- net: {self.network(network)}.0/24", f"  A: {self.address(name, network)}"]
        return "\n".join(lines) + "\n"

    def query(self, name: int, network: int) -> bytes:
        """Asks a name for a client of a subnet; the id is 0."""
        octets = bytes(int(part) for part in self.network(network).split("."))
        head = struct.pack("!6H", 0, 0x0100, 1, 0, 0, 1)
        return head + question(self.name(name).encode(), 1) + opt(subnet(1, 24, octets))

    def queries(self, count: int, seed: int = 1) -> bytes:
        """By chance, in dnsperf's binary form: each with its length before it."""
        chance = random.Random(seed)
        found = (self.query(chance.randrange(self.names), chance.randrange(self.subnets)) for _ in range(count))
        return b"".join(len(each).to_bytes(2) + each for each in found)
