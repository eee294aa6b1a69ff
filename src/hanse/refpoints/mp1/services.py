"""Mp1, service management: apps announce, find and watch services (ETSI GS MEC 011 V3.1.1, clause 8)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

import msgspec

from hanse.kit.contract.declare import Api, Created, Tagged, delete, get, post, put
from hanse.kit.contract.listing import Lists
from hanse.kit.values import ABSENT, Absent, Link, Value
from hanse.model.descriptor.services import CategoryRef
from hanse.refpoints.mp1.liveness import ServiceState as ServiceState


class LocalityType(StrEnum):
    """How far a service is local (8.1.6.5)."""

    MEC_SYSTEM = "MEC_SYSTEM"
    MEC_HOST = "MEC_HOST"
    NFVI_POP = "NFVI_POP"
    ZONE = "ZONE"
    ZONE_GROUP = "ZONE_GROUP"
    NFVI_NODE = "NFVI_NODE"


class Address(Value):
    """A host and a port (8.1.5.3)."""

    host: str
    port: int


class EndPointInfo(Value):
    """Where a service is: exactly one of the four (8.1.5.3)."""

    uris: tuple[str, ...] | Absent = ABSENT
    fqdn: tuple[str, ...] | Absent = ABSENT
    addresses: tuple[Address, ...] | Absent = ABSENT
    alternative: dict[str, Any] | Absent = ABSENT


class OAuth2Info(Value):
    """How to get a token for a service (8.1.5.4)."""

    grant_types: tuple[str, ...]
    token_endpoint: str | Absent = ABSENT


class SecurityInfo(Value):
    """Security of a transport (8.1.5.4); other schemes may be named, we know none."""

    o_auth2_info: OAuth2Info | Absent = msgspec.field(default=ABSENT, name="oAuth2Info")


class TransportInfo(Value):
    """How a service is spoken to (8.1.2.3). ``type`` is open: unknown transports are accepted (8.1.6.4)."""

    id: str
    name: str
    type: str
    protocol: str
    version: str
    endpoint: EndPointInfo
    security: SecurityInfo
    description: str | Absent = ABSENT
    impl_specific_info: dict[str, Any] | Absent = ABSENT


class ServiceLinks(Value):
    """Links of a service; ``liveness`` is there if the platform requires heartbeats (8.1.2.2)."""

    self: Link
    liveness: Link | Absent = ABSENT


class ServiceInfo(Value):
    """A service as it is announced and found (8.1.2.2).

    ``ser_instance_id`` and ``_links`` are absent in a registration; ``is_local`` is the platform's word and ignored
    there. ``serializer`` is open (8.1.6.3). ``liveness_interval``, seconds between heartbeats: proposed by the
    producer, 0 for no proposal, decided by the platform.
    """

    ser_name: str
    version: str
    state: ServiceState
    serializer: str
    ser_instance_id: str | Absent = ABSENT
    ser_category: CategoryRef | Absent = ABSENT
    transport_id: str | Absent = ABSENT
    transport_info: TransportInfo | Absent = ABSENT
    scope_of_locality: LocalityType = LocalityType.MEC_HOST
    consumed_local_only: bool = True
    is_local: bool | Absent = ABSENT
    liveness_interval: int | Absent = ABSENT
    links: ServiceLinks | Absent = msgspec.field(default=ABSENT, name="_links")


class ServiceQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What to look for; the first three exclude each other, repeated values are ORed (8.2.3.3.1)."""

    ser_instance_id: tuple[str, ...] | Absent = ABSENT
    ser_name: tuple[str, ...] | Absent = ABSENT
    ser_category_id: str | Absent = ABSENT
    scope_of_locality: LocalityType | Absent = ABSENT
    consumed_local_only: bool | Absent = ABSENT
    is_local: bool | Absent = ABSENT


class FilteringCriteria(Value):
    """Which services a subscription is about; at most one of the first three, members are ANDed (8.1.3.2)."""

    ser_instance_ids: tuple[str, ...] | Absent = ABSENT
    ser_names: tuple[str, ...] | Absent = ABSENT
    ser_categories: tuple[CategoryRef, ...] | Absent = ABSENT
    states: tuple[ServiceState, ...] | Absent = ABSENT
    is_local: bool | Absent = ABSENT


class SelfLink(Value):
    """The link of a resource to itself."""

    self: Link


class AvailabilitySubscription(Value):
    """SerAvailabilityNotificationSubscription (8.1.3.2); ``_links`` only in answers."""

    __wire_name__: ClassVar[str] = "SerAvailabilityNotificationSubscription"

    subscription_type: str
    callback_reference: str
    filtering_criteria: FilteringCriteria | Absent = ABSENT
    links: SelfLink | Absent = msgspec.field(default=ABSENT, name="_links")


AVAILABILITY_SUBSCRIPTION = AvailabilitySubscription.__wire_name__


class ChangeType(StrEnum):
    """What happened to a service (8.1.4.2)."""

    ADDED = "ADDED"
    REMOVED = "REMOVED"
    STATE_CHANGED = "STATE_CHANGED"
    ATTRIBUTES_CHANGED = "ATTRIBUTES_CHANGED"


class ServiceReference(Value):
    """A service that changed; ``link`` is there unless it was removed (8.1.4.2)."""

    ser_name: str
    ser_instance_id: str
    state: ServiceState
    change_type: ChangeType
    link: Link | Absent = ABSENT


class SubscriptionLink(Value):
    """The link of a notification to its subscription."""

    subscription: Link


class AvailabilityNotification(Value):
    """ServiceAvailabilityNotification (8.1.4.2), POSTed to the subscription's callback."""

    __wire_name__: ClassVar[str] = "ServiceAvailabilityNotification"

    service_references: tuple[ServiceReference, ...]
    links: SubscriptionLink = msgspec.field(name="_links")
    notification_type: str = "SerAvailabilityNotification"


class SubscriptionEntry(Value):
    """One entry of a list of subscriptions (6.2.2)."""

    href: str
    subscription_type: str


class SubscriptionLinks(Value):
    """Links of a list of subscriptions (6.2.2)."""

    self: Link
    subscriptions: tuple[SubscriptionEntry, ...] = ()


class SubscriptionLinkList(Value):
    """The caller's own subscriptions (6.2.2)."""

    links: SubscriptionLinks = msgspec.field(name="_links")


SERVICES = Lists(key="serInstanceId")


class ServiceManagement(Api, bases=("/mec_service_mgmt/v1",)):
    """Service management (8.2); the app named in a path must be the caller.

    Lists of representations can be filtered, shortened and read in pages beside the parameters of MEC 011, which says
    nothing of it; nothing is left out by default (ETSI GS MEC 009 V3.1.1, 6.18 to 6.20).
    """

    @get("/services", refuses=(400, 401, 403, 404, 414), lists=SERVICES)
    async def find_services(self, query: ServiceQuery) -> list[ServiceInfo]:
        """Services that the caller may see, also those of other systems (8.2.3.3.1)."""

    @get("/services/{service_id}")
    async def read_service(self, service_id: str) -> Tagged[ServiceInfo]:
        """One service (8.2.4.3.1)."""

    @get("/transports", lists=Lists())
    async def list_transports(self) -> list[TransportInfo]:
        """Transports that the platform offers (8.2.5.3.1)."""

    @get("/applications/{app_instance_id}/services", refuses=(400, 401, 403, 404, 414), lists=SERVICES)
    async def find_app_services(self, app_instance_id: str, query: ServiceQuery) -> list[ServiceInfo]:
        """Services that the app itself offers (8.2.6.3.1)."""

    @post("/applications/{app_instance_id}/services")
    async def register_service(self, app_instance_id: str, service: ServiceInfo) -> Created[ServiceInfo]:
        """Announce a service (8.2.6.3.4)."""

    @get("/applications/{app_instance_id}/services/{service_id}")
    async def read_app_service(self, app_instance_id: str, service_id: str) -> Tagged[ServiceInfo]:
        """One service of the app (8.2.7.3.1)."""

    @put("/applications/{app_instance_id}/services/{service_id}", refuses=(400, 401, 403, 404, 412))
    async def replace_service(self, app_instance_id: str, service_id: str, service: ServiceInfo) -> Tagged[ServiceInfo]:
        """Replace a service; attributes left out are gone (8.2.7.3.2)."""

    @delete("/applications/{app_instance_id}/services/{service_id}", refuses=(400, 401, 403, 404, 412))
    async def deregister_service(self, app_instance_id: str, service_id: str) -> None:
        """Withdraw a service (8.2.7.3.5)."""

    @get("/applications/{app_instance_id}/subscriptions")
    async def list_availability_subscriptions(self, app_instance_id: str) -> SubscriptionLinkList:
        """The app's subscriptions to availability (8.2.8.3.1)."""

    @post("/applications/{app_instance_id}/subscriptions")
    async def subscribe_to_availability(
        self, app_instance_id: str, subscription: AvailabilitySubscription
    ) -> Created[AvailabilitySubscription]:
        """Ask to be told when services come, change and go (8.2.8.3.4)."""

    @get("/applications/{app_instance_id}/subscriptions/{subscription_id}")
    async def read_availability_subscription(
        self, app_instance_id: str, subscription_id: str
    ) -> AvailabilitySubscription:
        """One subscription (8.2.9.3.1)."""

    @delete("/applications/{app_instance_id}/subscriptions/{subscription_id}", refuses=(400, 401, 403, 404, 412))
    async def unsubscribe_from_availability(self, app_instance_id: str, subscription_id: str) -> None:
        """End a subscription (8.2.9.3.5)."""
