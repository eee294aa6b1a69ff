"""What an orchestrator asks of a VIM: how much there is, and that an image be ready before it is needed."""

from __future__ import annotations

from hanse.kit.contract.declare import Api, Stream, delete, get, put
from hanse.kit.values import Value


class Capacity(Value):
    """Resources of a host: memory in bytes, processors in thousandths of a core, addresses for instances.

    Of each, what is there and what is taken; ``network`` is the family of the addresses.
    """

    host: str
    kind: str
    memory: int
    memory_used: int
    cpu_milli: int
    cpu_milli_used: int
    workloads: int
    network: str = "IPv4"
    addresses: int = 0
    addresses_used: int = 0


class Infrastructure(Api, bases=("/mm4/v1",)):
    """Capacity and images (ETSI GS MEC 003, 7.1.4.4)."""

    @get("/capacity")
    async def capacity(self) -> Capacity:
        """What the host has and what is taken of it."""

    @put("/images/{image_id}", success=204, consumes="application/gzip", refuses=(400, 401, 403, 409, 507))
    async def store_image(self, image_id: str, archive: Stream) -> None:
        """Take an image in; ``image_id`` is the SHA-256 of the archive, which is checked. Idempotent."""

    @delete("/images/{image_id}")
    async def discard_image(self, image_id: str) -> None:
        """Remove an image; an unknown one is no error."""
