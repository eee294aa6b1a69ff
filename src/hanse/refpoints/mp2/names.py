"""What a platform asks of the name server of its host (ETSI GS MEC 003, 7.1.2: DNS server or proxy)."""

from __future__ import annotations

from hanse.kit.contract.declare import Api, delete, get, put
from hanse.kit.values import ABSENT, Absent, Value


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


class NameServer(Api, bases=("/mp2/v1",)):
    """A name server driver. Every method is idempotent by record id."""

    @put("/names/{record_id}", success=204)
    async def publish(self, record_id: str, record: NameRecord) -> None:
        """Answer with this record from now on, replacing one of the same id."""

    @delete("/names/{record_id}")
    async def retract(self, record_id: str) -> None:
        """Stop answering with it; an unknown id is no error."""

    @get("/names")
    async def records(self) -> list[NameRecord]:
        """All records in force."""
