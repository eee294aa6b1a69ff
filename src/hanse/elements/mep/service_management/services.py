"""Services of apps: announced, replaced, withdrawn (ETSI GS MEC 011 V3.1.1, 8.2.6 and 8.2.7)."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import msgspec

from hanse.elements.mep.notices import Notices
from hanse.elements.mep.quotas import Quotas
from hanse.elements.mep.records import Records, ServiceRecord
from hanse.elements.mep.service_management import domain
from hanse.elements.mep.service_management.discovery import Discovery, own_record
from hanse.elements.mep.service_management.index import ServiceIndex
from hanse.elements.mep.service_management.links import own_service_uri, service_uri
from hanse.elements.mep.service_management.liveness import Liveness
from hanse.elements.mep.service_management.locality import leaves_host
from hanse.elements.mep.service_management.transports import (
    calls_platform,
    check_reachable,
    resolved,
    same_endpoint,
)
from hanse.elements.mep.sharing.remote import RemoteLookup
from hanse.elements.mep.subscriptions import Subscriptions
from hanse.kit.contract.call import require_match
from hanse.kit.contract.declare import Created, Tagged
from hanse.kit.contract.tags import tag_of, tagged
from hanse.kit.problems import bad_request, forbidden
from hanse.kit.receivers import ANYWHERE, Receivers
from hanse.kit.store import Store, Transaction
from hanse.kit.values import ABSENT, Link
from hanse.refpoints.mp1.services import (
    AvailabilitySubscription,
    ChangeType,
    ServiceInfo,
    ServiceLinks,
)


class ServiceRegistry(Discovery):
    """Mp1, service management, whole; here is what changes the services of a host."""

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
        super().__init__(url, records, lookup, index, subscriptions)
        self._store = store
        self._notices = notices
        self._liveness = liveness
        self._reach = reach
        self._quotas = quotas
        for record in records.services.values():
            index.put(record.service)

    async def register_service(self, app_instance_id: str, service: ServiceInfo) -> Created[ServiceInfo]:
        """Announce a service; what the platform's configuration for the app does not name is refused (5.2.2)."""

        def admit(tx: Transaction, record: ServiceRecord) -> None:
            self._check_reachable(tx, record)
            self._quotas.check_services(tx.count(self._records.services_of, app_instance_id))

        return await self._announce(app_instance_id, service, str(uuid.uuid4()), admit)

    async def plant_service(self, app_instance_id: str, service: ServiceInfo, identifier: str) -> None:
        """The same for an app, under an id; by who runs the platform, whose word is taken for place and number."""
        await self._announce(app_instance_id, service, identifier, lambda _tx, _record: None)

    async def replace_service(self, app_instance_id: str, service_id: str, service: ServiceInfo) -> Tagged[ServiceInfo]:
        """Replace one of the app's own services, which is a sign of its life too."""

        def decide(tx: Transaction) -> ServiceInfo:
            record = own_record(app_instance_id, tx.find(self._records.services, service_id), service_id)
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
            record = own_record(app_instance_id, tx.find(self._records.services, service_id), service_id)
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

    async def _announce(
        self,
        app_instance_id: str,
        service: ServiceInfo,
        identifier: str,
        admit: Callable[[Transaction, ServiceRecord], None],
    ) -> Created[ServiceInfo]:
        if service.ser_instance_id is not ABSENT:
            raise bad_request("Unexpected attribute serInstanceId", "the platform gives it")
        domain.check_service(service)
        self._quotas.check_record("Service", service)
        known = self._completed(service, app_instance_id, identifier)
        carried = calls_platform(self._url, known)
        record = ServiceRecord(service=known, app_instance_id=app_instance_id, carried=carried)

        def decide(tx: Transaction) -> None:
            self._check_declared(tx, app_instance_id, service)
            admit(tx, record)
            self._keep(tx, record, ChangeType.ADDED)

        await self._store.commit(decide)
        return Created(known, own_service_uri(self._url, app_instance_id, identifier), tag_of(known))

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
