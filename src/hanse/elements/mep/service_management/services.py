"""Mp1, service management, as the platform provides it (ETSI GS MEC 011 V3.1.1, 8.2)."""

from __future__ import annotations

import uuid

import msgspec

from hanse.elements.mep.notices import Notices
from hanse.elements.mep.quotas import Quotas
from hanse.elements.mep.records import Records, ServiceRecord
from hanse.elements.mep.service_management import domain
from hanse.elements.mep.service_management.availability import Availability
from hanse.elements.mep.service_management.index import ServiceIndex
from hanse.elements.mep.service_management.links import own_service_uri, service_uri
from hanse.elements.mep.service_management.liveness import Liveness
from hanse.elements.mep.service_management.locality import leaves_host
from hanse.elements.mep.service_management.transports import (
    calls_platform,
    check_reachable,
    platform_transport,
    resolved,
    same_endpoint,
)
from hanse.elements.mep.sharing.remote import RemoteLookup
from hanse.elements.mep.subscriptions import Subscriptions
from hanse.kit.contract.call import require_match
from hanse.kit.contract.declare import Created, Tagged
from hanse.kit.contract.tags import tag_of, tagged
from hanse.kit.problems import bad_request, forbidden, not_found
from hanse.kit.receivers import ANYWHERE, Receivers
from hanse.kit.store import Store, Transaction
from hanse.kit.values import ABSENT, Link
from hanse.refpoints.mp1.services import (
    AvailabilitySubscription,
    ChangeType,
    ServiceInfo,
    ServiceLinks,
    ServiceQuery,
    TransportInfo,
)


class ServiceRegistry(Availability):
    """The services of a host: announced, found, replaced, withdrawn."""

    def __init__(
        self,
        url: str,
        store: Store,
        records: Records,
        notices: Notices,
        lookup: RemoteLookup,
        index: ServiceIndex,
        liveness: Liveness,
        subscriptions: Subscriptions[AvailabilitySubscription],
        reach: Receivers = ANYWHERE,
        quotas: Quotas = Quotas(),  # noqa: B008 (frozen)
    ) -> None:
        super().__init__(subscriptions)
        self._url = url
        self._store = store
        self._records = records
        self._notices = notices
        self._lookup = lookup
        self._services = index
        self._liveness = liveness
        self._reach = reach
        self._quotas = quotas
        for record in records.services.values():
            index.put(record.service)

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

    async def register_service(
        self, app_instance_id: str, service: ServiceInfo, identifier: str = ""
    ) -> Created[ServiceInfo]:
        """Announce a service; what the platform's configuration for the app does not name is refused (5.2.2).

        ``identifier`` is chosen here unless who runs the platform gives it.
        """
        if service.ser_instance_id is not ABSENT:
            raise bad_request("Unexpected attribute serInstanceId", "the platform gives it")
        domain.check_service(service)
        self._quotas.check_record("Service", service)
        known = self._completed(service, app_instance_id, identifier or str(uuid.uuid4()))
        carried = calls_platform(self._url, known)
        record = ServiceRecord(service=known, app_instance_id=app_instance_id, carried=carried)

        def decide(tx: Transaction) -> None:
            self._check_declared(tx, app_instance_id, service)
            if not identifier:
                self._check_reachable(tx, record)
                self._quotas.check_services(tx.count(self._records.services_of, app_instance_id))
            self._keep(tx, record, ChangeType.ADDED)

        await self._store.commit(decide)
        here = own_service_uri(self._url, app_instance_id, str(known.ser_instance_id))
        return Created(known, here, tag_of(known))

    async def read_app_service(self, app_instance_id: str, service_id: str) -> Tagged[ServiceInfo]:
        """One of the app's own services."""
        return tagged(_own(app_instance_id, self._records.services.find(service_id), service_id).service)

    async def replace_service(self, app_instance_id: str, service_id: str, service: ServiceInfo) -> Tagged[ServiceInfo]:
        """Replace one of the app's own services, which is a sign of its life too."""

        def decide(tx: Transaction) -> ServiceInfo:
            record = _own(app_instance_id, tx.find(self._records.services, service_id), service_id)
            require_match(tag_of(record.service))
            domain.check_replacement(service, service_id)
            self._quotas.check_record("Service", service)
            known = self._completed(service, app_instance_id, service_id)
            self._check_declared(tx, app_instance_id, service)
            newer = self._replaced(record, known)
            if not _carried_alike(record.service, known):
                self._check_reachable(tx, newer)
            self._keep(tx, newer, domain.change_between(record.service, known))
            return known

        return tagged(await self._store.commit(decide))

    async def deregister_service(self, app_instance_id: str, service_id: str) -> None:
        """Withdraw one of the app's own services."""

        def decide(tx: Transaction) -> None:
            record = _own(app_instance_id, tx.find(self._records.services, service_id), service_id)
            require_match(tag_of(record.service))
            self.remove(tx, record)

        await self._store.commit(decide)

    def remove(self, tx: Transaction, record: ServiceRecord) -> None:
        """Take a service away as part of a larger decision."""
        identifier = str(record.service.ser_instance_id)
        tx.delete(self._records.services, identifier)
        self._liveness.forget(tx, identifier)
        self._notices.service_changed(tx, record.service, ChangeType.REMOVED)
        tx.after.append(lambda: self._services.remove(identifier))

    def _keep(self, tx: Transaction, record: ServiceRecord, change: ChangeType | None) -> None:
        self._liveness.note(tx, record)
        if change is None:
            return
        tx.put(self._records.services, str(record.service.ser_instance_id), record)
        self._notices.service_changed(tx, record.service, change)
        tx.after.append(lambda: self._services.put(record.service))

    def _check_declared(self, tx: Transaction, app_instance_id: str, service: ServiceInfo) -> None:
        app = tx.get(self._records.apps, app_instance_id)
        declared = [s.ser_name for s in app.configuration.services_produced]
        if app.configuration.app_d_id and service.ser_name not in declared:
            detail = f"the app's descriptor declares {', '.join(declared) or 'no service'}"
            raise forbidden(f"Service {service.ser_name} not declared", detail)

    def _replaced(self, record: ServiceRecord, known: ServiceInfo) -> ServiceRecord:
        """A producer puts back the platform's transport as it was told; the platform's URL may be another since."""
        carried = calls_platform(self._url, known) or (record.carried and same_endpoint(record.service, known))
        return msgspec.structs.replace(record, service=known, carried=carried, generation=record.generation + 1)

    def _check_reachable(self, tx: Transaction, record: ServiceRecord) -> None:
        own = tx.get(self._records.apps, record.app_instance_id).configuration.address
        check_reachable(record, own, self._reach)

    def _completed(self, service: ServiceInfo, app_instance_id: str, service_id: str) -> ServiceInfo:
        """A service as consumers see it: attributes that are the platform's word are the platform's."""
        interval = self._liveness.policy.agreed(service.liveness_interval)
        own = own_service_uri(self._url, app_instance_id, service_id)
        return msgspec.structs.replace(
            service,
            ser_instance_id=service_id,
            transport_id=ABSENT,
            transport_info=resolved(self._url, service, service_id),
            is_local=True,
            liveness_interval=interval,
            links=ServiceLinks(
                self=Link(href=service_uri(self._url, service_id)),
                liveness=ABSENT if interval is ABSENT else Link(href=f"{own}/liveness"),
            ),
        )


def _carried_alike(before: ServiceInfo, after: ServiceInfo) -> bool:
    """Whether calls from elsewhere go where they went before: that was looked at, or is the operator's own word."""
    return leaves_host(before) and before.transport_info == after.transport_info


def _own(app: str, record: ServiceRecord | None, identifier: str) -> ServiceRecord:
    if record is None or record.app_instance_id != app:
        raise not_found("service", identifier)
    return record
