"""Services as apps find and read them (ETSI GS MEC 011 V3.1.1, 8.2.3 to 8.2.7)."""

from __future__ import annotations

from hanse.elements.mep.records import Records, ServiceRecord
from hanse.elements.mep.service_management import domain
from hanse.elements.mep.service_management.availability import Availability
from hanse.elements.mep.service_management.index import ServiceIndex
from hanse.elements.mep.service_management.transports import platform_transport
from hanse.elements.mep.sharing.remote import RemoteLookup
from hanse.elements.mep.subscriptions import Subscriptions
from hanse.kit.contract.declare import Tagged
from hanse.kit.contract.tags import tagged
from hanse.kit.problems import not_found
from hanse.refpoints.mp1.services import AvailabilitySubscription, ServiceInfo, ServiceQuery, TransportInfo


class Discovery(Availability):
    """What is asked of services, and changes none."""

    def __init__(
        self,
        url: str,
        records: Records,
        lookup: RemoteLookup,
        index: ServiceIndex,
        subscriptions: Subscriptions[AvailabilitySubscription],
    ) -> None:
        super().__init__(subscriptions)
        self._url = url
        self._records = records
        self._lookup = lookup
        self._services = index

    async def find_services(self, query: ServiceQuery) -> list[ServiceInfo]:
        """Services of this host and of its neighbours; if none of them fits, those that the federation finds."""
        domain.check_query(query)
        found = self._services.answer(query)
        if found or query.is_local is True:
            return found
        return [s for s in await self._lookup.find(query) if domain.matches(s, query)]

    async def read_service(self, service_id: str) -> Tagged[ServiceInfo]:
        """One service, of this host or found elsewhere; a suspended one says so."""
        own, elsewhere = self._services.find(service_id), self._records.remote.find(service_id)
        found = own or (elsewhere.service if elsewhere else None)
        if found is None:
            raise not_found("service", service_id)
        return tagged(found)

    async def list_transports(self) -> list[TransportInfo]:
        """The one transport that the platform offers; a service may be registered with its id."""
        return [platform_transport(self._url)]

    async def find_app_services(self, app_instance_id: str, query: ServiceQuery) -> list[ServiceInfo]:
        """The app's own services, suspended ones too; a problem 404 for an app that is not known."""
        domain.check_query(query)
        self._records.apps.get(app_instance_id)
        own = self._records.services_of.values(app_instance_id)
        return [record.service for record in own if domain.matches(record.service, query)]

    async def read_app_service(self, app_instance_id: str, service_id: str) -> Tagged[ServiceInfo]:
        """One of the app's own services."""
        return tagged(own_record(app_instance_id, self._records.services.find(service_id), service_id).service)


def own_record(app: str, record: ServiceRecord | None, identifier: str) -> ServiceRecord:
    """The record of an app's own service; a problem 404 for any other."""
    if record is None or record.app_instance_id != app:
        raise not_found("service", identifier)
    return record
