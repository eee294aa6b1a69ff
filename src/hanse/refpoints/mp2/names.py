"""What a platform asks of the name server of its host (ETSI GS MEC 003, 7.1.2: DNS server or proxy)."""

from __future__ import annotations

from ipaddress import ip_address

from hanse.kit.contract.declare import Api, delete, get, put
from hanse.kit.problems import bad_request
from hanse.kit.values import ABSENT, Absent, Value

MOST_TTL = 2**31 - 1
"""Seconds (RFC 2181, 8)."""
MOST_ORDER = 65535


class NameRecord(Value):
    """An active DNS rule: a fully qualified name without final dot, and an IPv4 or IPv6 ``address`` for it, or another
    name (``canonical``) that stands for it; a time to live in seconds.

    ``owner`` is the application instance whose rule it is. ``clients`` are the devices and networks that it is for
    (``10.1.2.3``, ``10.1.0.0/16``, ``2001:db8::/32``); none named: everybody. Of a name's records a client gets those
    of the lowest ``order`` (0 to 65535) that has any for it, and of these those of the closest network.
    """

    record_id: str
    owner: str
    name: str
    address: str | Absent = ABSENT
    canonical: str | Absent = ABSENT
    ttl: int = 30
    clients: tuple[str, ...] = ()
    order: int = 0


class NameRecords(Value):
    """Records of one owner."""

    records: tuple[NameRecord, ...]


BY_CLIENT = "answers by client"
"""What a name server may lack: records with ``clients``, which only some devices get."""


class NameServerCapabilities(Value):
    """What the driver can do; ``lacks`` tells each thing that it refuses, with the reason."""

    kind: str
    lacks: dict[str, str] = {}


class NameServer(Api, bases=("/mp2/v1",)):
    """A name server driver. Every method is idempotent by record id; what it cannot answer with it refuses with 400."""

    @get("/name_server/capabilities")
    async def capabilities(self) -> NameServerCapabilities:
        """What this name server can do."""

    @put("/name_server/owners/{owner}", success=204)
    async def publish_all(self, owner: str, records: NameRecords) -> None:
        """Let these be all the records of an owner, changed at once: a query gets the old ones or the new ones."""

    @put("/names/{record_id}", success=204)
    async def publish(self, record_id: str, record: NameRecord) -> None:
        """Answer with this record from now on, replacing one of the same id."""

    @delete("/names/{record_id}")
    async def retract(self, record_id: str) -> None:
        """Stop answering with it; an unknown id is no error."""

    @get("/names")
    async def records(self) -> list[NameRecord]:
        """All records in force."""

    @get("/name_server/owners/{owner}")
    async def records_of(self, owner: str) -> list[NameRecord]:
        """The records of one owner in force; none of an unknown one."""
        return [record for record in await self.records() if record.owner == owner]


def check_values(record: NameRecord) -> None:
    """A record that answers in one way, and whose numbers are in range; 400 names the attribute that is wrong."""
    if isinstance(record.address, str) == isinstance(record.canonical, str):
        raise bad_request("address or canonical", f"give exactly one of them for {record.name}")
    if not 0 <= record.ttl <= MOST_TTL:
        raise bad_request("ttl is out of range", f"write seconds between 0 and {MOST_TTL}; got {record.ttl}")
    if not 0 <= record.order <= MOST_ORDER:
        raise bad_request("order is out of range", f"write 0 (first) to {MOST_ORDER}; got {record.order}")
    if isinstance(record.address, str) and not _is_address(record.address):
        raise bad_request("address is not an IP address", f"write IPv4 or IPv6; got {record.address!r}")


def _is_address(text: str) -> bool:
    """One with a zone is none to others (RFC 4007, 11.2)."""
    try:
        return "%" not in text and bool(ip_address(text))
    except ValueError:
        return False


def check_owned(owner: str, records: NameRecords) -> None:
    """Records that may be all of an owner's: each is its own, and of an id of its own; else a problem 400."""
    seen = set[str]()
    for record in records.records:
        if record.owner != owner:
            raise bad_request(
                "Invalid attribute owner", f"all must be {owner}'s; {record.record_id} is {record.owner}'s"
            )
        if record.record_id in seen:
            raise bad_request("Invalid attribute recordId", f"each must have its own; {record.record_id} comes twice")
        seen.add(record.record_id)
