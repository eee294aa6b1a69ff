"""Services of other systems, found through the manager: steps 1 and 2 of ETSI GR MEC 035, 6.5.2."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Mapping, Sequence

from hanse.elements.mep.records import NeighbourRecord, Records, RemoteService
from hanse.elements.mep.service_management.links import service_uri, through_platform
from hanse.elements.mep.service_management.transports import platform_transport
from hanse.elements.mep.sharing.peers import Places
from hanse.elements.mep.sharing.remembered import forgettable, place_of, room_for
from hanse.kit.contract.call import continuing, current_call
from hanse.kit.problems import Problem
from hanse.kit.store import Index, Store, Transaction
from hanse.kit.values import ABSENT, Absent, Link
from hanse.refpoints.mm3.management import FoundService, ServiceWanted
from hanse.refpoints.mm5.platform import ManagerLookup
from hanse.refpoints.mp1.services import (
    EndPointInfo,
    LocalityType,
    ServiceInfo,
    ServiceLinks,
    ServiceQuery,
    TransportInfo,
)

log = logging.getLogger("hanse.mep")

LOOKUP_PATIENCE = 4.0
"""Seconds that an app waits for what the federation knows; then the answer is that nothing was found."""

NAMESPACE = uuid.UUID("6d8f3b2e-5a0c-4f55-9d0e-2f6a4a1b7c10")


def identifier_of(system: str, reference: str) -> str:
    """The id here of a service elsewhere: the same whenever and however it is found."""
    return str(uuid.uuid5(NAMESPACE, f"{system} {reference}"))


class RemoteLookup:
    """Finds services elsewhere and remembers how to reach them."""

    def __init__(
        self,
        url: str,
        store: Store,
        records: Records,
        manager: ManagerLookup,
        places: Places,
    ) -> None:
        self._url = url
        self._store = store
        self._records = records
        self._manager = manager
        self._places = places
        self._at: Index[RemoteService, RemoteService] = Index(records.remote, lambda remote: {place_of(remote): remote})
        self._announced: Index[NeighbourRecord, str] = Index(
            records.neighbours, lambda record: dict.fromkeys(record.services, record.host)
        )

    async def find(self, query: ServiceQuery) -> list[ServiceInfo]:
        """What the federation offers, for the device that the app serves by its call.

        Nothing if the federation cannot be asked now. Ids are known here alone: they ask nobody.
        """
        if isinstance(query.ser_name, Absent):
            return self._known(() if isinstance(query.ser_instance_id, Absent) else query.ser_instance_id)
        call = current_call()
        place = await self._places.of(call.caller.subject, call.peer)
        wanted = ServiceWanted(
            ser_name=query.ser_name,
            latitude=place.latitude if place else ABSENT,
            longitude=place.longitude if place else ABSENT,
        )
        try:
            with continuing(patience=LOOKUP_PATIENCE):
                found = await self._manager.find_service(wanted)
        except Problem as problem:
            log.warning("looking up %s elsewhere failed: %s", query.ser_name, problem)
            return []
        return await self._remembered(found)

    def _known(self, identifiers: Iterable[str]) -> list[ServiceInfo]:
        known = [self._records.remote.find(identifier) for identifier in identifiers]
        return [remote.service for remote in known if remote is not None]

    async def _remembered(self, found: Sequence[FoundService]) -> list[ServiceInfo]:
        seen = {identifier_of(service.system, service.reference): self._remote(service) for service in found}
        if self._changes(seen):
            await self._store.commit(lambda tx: self._remember(tx, seen))
        return [remote.service for remote in seen.values()]

    def _changes(self, seen: Mapping[str, RemoteService]) -> bool:
        new = any(self._records.remote.find(identifier) != remote for identifier, remote in seen.items())
        return new or bool(self._forgettable(seen))

    def _remember(self, tx: Transaction, seen: Mapping[str, RemoteService]) -> None:
        for identifier in self._forgettable(seen):
            tx.delete(self._records.remote, identifier)
        for identifier, remote in seen.items():
            tx.put(self._records.remote, identifier, remote)

    def _forgettable(self, seen: Mapping[str, RemoteService]) -> list[str]:
        """Not among them is what neighbours announced: it goes when they say so (Mp3)."""
        if room_for(len(self._records.remote), seen):
            known = [r for place in {place_of(s): None for s in seen.values()} for r in self._at.values(place)]
        else:
            known = self._records.remote.values()
        return forgettable([r for r in known if not self._announced.count(r.service.ser_instance_id)], seen)

    def _remote(self, found: FoundService) -> RemoteService:
        service = self._service_info(identifier_of(found.system, found.reference), found)
        return RemoteService(service=service, system=found.system, reference=found.reference, zone=found.zone)

    def _service_info(self, identifier: str, found: FoundService) -> ServiceInfo:
        return ServiceInfo(
            ser_instance_id=identifier,
            ser_name=found.ser_name,
            version=found.version,
            state=found.state,
            serializer=found.serializer,
            scope_of_locality=LocalityType.MEC_SYSTEM,
            consumed_local_only=False,
            is_local=not found.system,  # a service of the same system counts as local (8.1.2.2, note 6)
            transport_info=TransportInfo(
                id=identifier,
                name=f"{found.ser_name} through the platform",
                type=found.transport_type,
                protocol="HTTP",
                version=found.transport_version,
                endpoint=EndPointInfo(uris=(through_platform(self._url, identifier),)),
                security=platform_transport(self._url).security,
            ),
            links=ServiceLinks(self=Link(href=service_uri(self._url, identifier))),
        )
