"""Mp1, service management, as the platform provides it (ETSI GS MEC 011 V3.1.1, 8.2)."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from typing import TypeVar

import msgspec

from hanse.elements.mep import domain
from hanse.elements.mep.index import ServiceIndex
from hanse.elements.mep.notices import Notices
from hanse.elements.mep.records import AvailabilityRecord, Records, ServiceRecord
from hanse.elements.mep.remote import RemoteLookup
from hanse.kit.contract.call import require_match
from hanse.kit.contract.declare import Created, Tagged
from hanse.kit.problems import bad_request, forbidden, not_found
from hanse.kit.store import Store, Transaction
from hanse.kit.values import ABSENT, Absent, Link
from hanse.refpoints.mp1.services import (
    AVAILABILITY_SUBSCRIPTION,
    AvailabilitySubscription,
    ChangeType,
    EndPointInfo,
    OAuth2Info,
    SecurityInfo,
    SelfLink,
    ServiceInfo,
    ServiceLinks,
    ServiceManagement,
    ServiceQuery,
    SubscriptionEntry,
    SubscriptionLinkList,
    SubscriptionLinks,
    TransportInfo,
)

R = TypeVar("R", ServiceRecord, AvailabilityRecord)

PLATFORM_TRANSPORT = "rest-http"


class ServiceRegistry(ServiceManagement):
    """The services of a host, indexed by the ways in which they are asked for."""

    def __init__(
        self,
        url: str,
        store: Store,
        records: Records,
        notices: Notices,
        lookup: RemoteLookup,
        changed: Callable[[], None],
    ) -> None:
        self._base = f"{url}/mec_service_mgmt/v1"
        self._url = url
        self._store = store
        self._records = records
        self._notices = notices
        self._lookup = lookup
        self._changed = changed
        self._services = ServiceIndex()
        for record in records.services.values():
            self._index(record.service)

    async def find_services(self, query: ServiceQuery) -> list[ServiceInfo]:
        """Services of this host; if it has none that fit, those that the federation finds."""
        prepared = self._services.of_name(query)
        if prepared:
            return prepared
        domain.check_query(query)
        found = [s for s in self._services.candidates(query) if domain.matches(s, query)]
        if found or query.is_local is True:
            return found
        return [s for s in await self._lookup.find(query) if domain.matches(s, query)]

    async def read_service(self, service_id: str) -> Tagged[ServiceInfo]:
        """One service, of this host or found elsewhere."""
        service = self._services.find(service_id)
        if service is not None:
            return _tagged(service)
        return _tagged(self._records.remote.get(service_id).service)

    async def list_transports(self) -> list[TransportInfo]:
        """REST over HTTP at the platform is the one transport that it offers."""
        security = SecurityInfo(
            o_auth2_info=OAuth2Info(
                grant_types=("OAUTH2_CLIENT_CREDENTIALS",), token_endpoint=f"{self._url}/oauth2/token"
            )
        )
        return [
            TransportInfo(
                id=PLATFORM_TRANSPORT,
                name="REST over HTTP",
                type="REST_HTTP",
                protocol="HTTP",
                version="1.1",
                endpoint=EndPointInfo(uris=(self._url,)),
                security=security,
            )
        ]

    async def find_app_services(self, app_instance_id: str, query: ServiceQuery) -> list[ServiceInfo]:
        """The app's own services, suspended ones too."""
        domain.check_query(query)
        own = [r.service for r in self._records.services.values() if r.app_instance_id == app_instance_id]
        return [service for service in own if domain.matches(service, query)]

    async def register_service(self, app_instance_id: str, service: ServiceInfo) -> Created[ServiceInfo]:
        """Announce a service; what the platform's configuration for the app does not name is refused (5.2.2)."""
        if service.ser_instance_id is not ABSENT:
            raise bad_request("Unexpected attribute serInstanceId", "the platform gives it")
        domain.check_service(service)
        known = self._completed(service, str(uuid.uuid4()))

        def decide(tx: Transaction) -> None:
            self._check_declared(tx, app_instance_id, service)
            record = ServiceRecord(service=known, app_instance_id=app_instance_id)
            tx.put(self._records.services, str(known.ser_instance_id), record)
            self._notices.service_changed(tx, known, ChangeType.ADDED, app_instance_id)
            tx.after.append(lambda: self._index(known))

        await self._store.commit(decide)
        here = f"{self._base}/applications/{app_instance_id}/services/{known.ser_instance_id}"
        return Created(known, here, _tag(known))

    async def read_app_service(self, app_instance_id: str, service_id: str) -> Tagged[ServiceInfo]:
        """One of the app's own services."""
        return _tagged(self._own(app_instance_id, self._records.services.find(service_id), service_id).service)

    async def replace_service(self, app_instance_id: str, service_id: str, service: ServiceInfo) -> Tagged[ServiceInfo]:
        """Replace one of the app's own services."""
        if service.ser_instance_id not in (ABSENT, service_id):
            raise bad_request("Invalid attribute serInstanceId", f"must be that of the URI, {service_id}")
        domain.check_service(service)
        known = self._completed(service, service_id)

        def decide(tx: Transaction) -> None:
            record = self._own(app_instance_id, tx.find(self._records.services, service_id), service_id)
            require_match(_tag(record.service))
            self._check_declared(tx, app_instance_id, service)
            change = domain.change_between(record.service, known)
            if change is None:
                return
            newer = ServiceRecord(service=known, app_instance_id=app_instance_id, generation=record.generation + 1)
            tx.put(self._records.services, service_id, newer)
            self._notices.service_changed(tx, known, change, app_instance_id)
            tx.after.append(lambda: self._index(known))

        await self._store.commit(decide)
        return _tagged(known)

    async def deregister_service(self, app_instance_id: str, service_id: str) -> None:
        """Withdraw one of the app's own services."""

        def decide(tx: Transaction) -> None:
            record = self._own(app_instance_id, tx.find(self._records.services, service_id), service_id)
            require_match(_tag(record.service))
            self.remove(tx, record)

        await self._store.commit(decide)

    def remove(self, tx: Transaction, record: ServiceRecord) -> None:
        """Take a service away as part of a larger decision."""
        service = record.service
        tx.delete(self._records.services, str(service.ser_instance_id))
        self._notices.service_changed(tx, service, ChangeType.REMOVED, record.app_instance_id)
        tx.after.append(lambda: self._unindex(service))

    async def list_availability_subscriptions(self, app_instance_id: str) -> SubscriptionLinkList:
        """The app's own subscriptions."""
        here = f"{self._base}/applications/{app_instance_id}/subscriptions"
        own = [r for r in self._records.availability.values() if r.app_instance_id == app_instance_id]
        entries = tuple(
            SubscriptionEntry(href=f"{here}/{r.subscription_id}", subscription_type=AVAILABILITY_SUBSCRIPTION)
            for r in own
        )
        return SubscriptionLinkList(links=SubscriptionLinks(self=Link(href=here), subscriptions=entries))

    async def subscribe_to_availability(
        self, app_instance_id: str, subscription: AvailabilitySubscription
    ) -> Created[AvailabilitySubscription]:
        """Ask to be told of changes of services."""
        if subscription.subscription_type != AVAILABILITY_SUBSCRIPTION:
            raise bad_request("Invalid attribute subscriptionType", f"legal: {AVAILABILITY_SUBSCRIPTION}")
        domain.check_callback(subscription.callback_reference)
        domain.check_criteria(subscription.filtering_criteria)
        identifier = str(uuid.uuid4())
        here = f"{self._base}/applications/{app_instance_id}/subscriptions/{identifier}"
        known = msgspec.structs.replace(subscription, links=SelfLink(self=Link(href=here)))
        record = AvailabilityRecord(subscription_id=identifier, app_instance_id=app_instance_id, subscription=known)

        def decide(tx: Transaction) -> None:
            tx.get(self._records.apps, app_instance_id)
            tx.put(self._records.availability, identifier, record)

        await self._store.commit(decide)
        return Created(known, here)

    async def read_availability_subscription(
        self, app_instance_id: str, subscription_id: str
    ) -> AvailabilitySubscription:
        """One of the app's own subscriptions."""
        return self._own(
            app_instance_id, self._records.availability.find(subscription_id), subscription_id
        ).subscription

    async def unsubscribe_from_availability(self, app_instance_id: str, subscription_id: str) -> None:
        """End one of the app's own subscriptions; what still waits for it is dropped."""

        def decide(tx: Transaction) -> None:
            self._own(app_instance_id, tx.find(self._records.availability, subscription_id), subscription_id)
            tx.delete(self._records.availability, subscription_id)

        await self._store.commit(decide)

    def _own(self, app: str, record: R | None, identifier: str) -> R:
        if record is None or record.app_instance_id != app:
            raise not_found("resource", identifier)
        return record

    def _check_declared(self, tx: Transaction, app_instance_id: str, service: ServiceInfo) -> None:
        app = tx.get(self._records.apps, app_instance_id)
        declared = [s.ser_name for s in app.configuration.services_produced]
        if service.ser_name not in declared:
            detail = f"the app's descriptor declares {', '.join(declared) or 'no service'}"
            raise forbidden(f"Service {service.ser_name} not declared", detail)

    def _completed(self, service: ServiceInfo, identifier: str) -> ServiceInfo:
        transport = service.transport_info
        if isinstance(transport, Absent):
            raise bad_request(
                "Invalid attribute transportId", "give transportInfo: platform transports carry no app service"
            )
        return msgspec.structs.replace(
            service,
            ser_instance_id=identifier,
            transport_id=ABSENT,
            is_local=True,
            liveness_interval=ABSENT,
            links=ServiceLinks(self=Link(href=f"{self._base}/services/{identifier}")),
        )

    def _index(self, service: ServiceInfo) -> None:
        self._services.put(service)
        self._changed()

    def _unindex(self, service: ServiceInfo) -> None:
        self._services.remove(str(service.ser_instance_id))
        self._changed()


def _tag(service: ServiceInfo) -> str:
    return hashlib.sha256(msgspec.json.encode(service)).hexdigest()[:32]


def _tagged(service: ServiceInfo) -> Tagged[ServiceInfo]:
    return Tagged(service, _tag(service))
