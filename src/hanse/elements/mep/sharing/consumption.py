"""Services consumed through platforms, both ways: step 9 of ETSI GR MEC 035, 6.5.2, and Mp3 within a system."""

from __future__ import annotations

from collections.abc import Callable

from hanse.elements.mep.records import Records, RemoteService
from hanse.elements.mep.service_management.locality import leaves_host, leaves_system
from hanse.elements.mep.service_management.transports import producer_base
from hanse.kit.contract.call import current_call
from hanse.kit.contract.declare import Stream
from hanse.kit.contract.exchange import Exchange, relocated
from hanse.kit.problems import not_found
from hanse.refpoints.mp1.remote import RemoteServices
from hanse.refpoints.mpp_fed.consumption import ServiceConsumption, id_and_name


class RemoteConsumption(RemoteServices):
    """An app's calls to services elsewhere leave here: to a partner (step 9), or to another host of the system.

    Those to services of this host that are registered with the platform's own transport are carried as well.
    """

    def __init__(
        self,
        records: Records,
        partner: Callable[[str], ServiceConsumption],
        neighbour: Callable[[str], ServiceConsumption],
        producer: Callable[[str], ServiceConsumption],
    ) -> None:
        self._records = records
        self._partner = partner
        self._neighbour = neighbour
        self._producer = producer

    async def consume(self, service_id: str, rest: str, exchange: Exchange) -> Stream:
        """Carry a request to the platform that has the service."""
        own = self._records.services.find(service_id)
        if own is not None and own.carried:
            answer = await self._producer(producer_base(self._records, own)).consume(service_id, rest, exchange)
        else:
            answer = await self._carried(self._records.remote.get(service_id), rest, exchange)
        return relocated(answer, lambda location: _here(service_id, location))

    async def _carried(self, remote: RemoteService, rest: str, exchange: Exchange) -> Stream:
        if remote.system:
            return await self._partner(remote.system).consume(remote.reference, rest, exchange)
        host, _, identifier = remote.reference.partition("/")
        return await self._neighbour(host).consume(identifier, rest, exchange)


def _here(service_id: str, location: str) -> str:
    """A location below a service elsewhere, as the consumer reached it; nothing for one that leads out of it."""
    if location.startswith("/") or ".." in location.split("/"):
        return ""
    base = current_call().base or RemoteServices.api_bases[0]
    return f"{base}/services/{service_id}/{location}"


class LocalConsumption(ServiceConsumption):
    """Calls from other hosts and systems to services of this host arrive here (step 9, the producer's platform)."""

    def __init__(self, records: Records, producer: Callable[[str], ServiceConsumption]) -> None:
        self._records = records
        self._producer = producer

    async def consume(self, reference: str, rest: str, exchange: Exchange) -> Stream:
        """Carry a request to the app that offers the service, if it may be consumed from elsewhere."""
        identifier, name = id_and_name(reference)
        record = self._records.services.get(identifier)
        may_leave = leaves_host if current_call().caller.role == "mep" else leaves_system
        if not may_leave(record.service) or name not in ("", record.service.ser_name):
            raise not_found("service", identifier)
        return await self._producer(producer_base(self._records, record)).consume(identifier, rest, exchange)
