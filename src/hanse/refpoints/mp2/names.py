"""What a platform asks of the name server of its host (ETSI GS MEC 003, 7.1.2: DNS server or proxy)."""

from __future__ import annotations

from hanse.kit.contract.declare import Api, delete, get, put
from hanse.kit.values import Value


class NameRecord(Value):
    """An active DNS rule: a fully qualified name without final dot, an IPv4 or IPv6 address, a time to live in seconds.

    ``owner`` is the application instance whose rule it is.
    """

    record_id: str
    owner: str
    name: str
    address: str
    ttl: int = 30


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
