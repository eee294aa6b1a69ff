"""Disposal: the images of a deleted package leave the hosts that had them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from hanse.elements.meo.hosts import Host
from hanse.elements.meo.records import PackageRecord, Records
from hanse.kit.outbox import NEVER, Outbox
from hanse.kit.store import Transaction
from hanse.kit.values import Value

TOPIC = "mm4.discard"


class UnusedImage(Value):
    """An image that a host need not keep any more."""

    host: str
    image_id: str


class Disposal:
    """Tells hosts, once a deletion is on disk and until they have heard it, which images they may discard (Mm4)."""

    def __init__(self, outbox: Outbox, records: Records, hosts: Mapping[str, Host]) -> None:
        self._outbox = outbox
        self._records = records
        self._hosts = hosts
        outbox.handle(TOPIC, self._discard, give_up_after=NEVER)

    def of_package(self, tx: Transaction, package: PackageRecord) -> None:
        """Discard the images of a package that is being deleted."""
        for image in package.images:
            for host in self._hosts if image.sha256 else ():
                self._outbox.emit(tx, TOPIC, f"images of {host}", UnusedImage(host=host, image_id=image.sha256))

    async def _discard(self, event: bytes) -> None:
        unused = msgspec.json.decode(event, type=UnusedImage)
        host = self._hosts.get(unused.host)
        if host is not None and not self._needed(unused.image_id):
            await host.infrastructure.discard_image(unused.image_id)

    def _needed(self, image_id: str) -> bool:
        """Whether another package has the very same image."""
        return any(image.sha256 == image_id for record in self._records.packages.values() for image in record.images)
