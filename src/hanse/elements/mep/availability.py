"""Subscriptions to the availability of services, as the platform keeps them (ETSI GS MEC 011 V3.1.1, 8.2.8, 8.2.9)."""

from __future__ import annotations

import uuid

import msgspec

from hanse.elements.mep import domain
from hanse.elements.mep.notices import Notices
from hanse.elements.mep.records import AvailabilityRecord, Records
from hanse.kit.contract.declare import Created
from hanse.kit.problems import bad_request, not_found
from hanse.kit.store import Store, Transaction
from hanse.kit.values import Link
from hanse.refpoints.mp1.services import (
    AVAILABILITY_SUBSCRIPTION,
    AvailabilitySubscription,
    SelfLink,
    ServiceManagement,
    SubscriptionEntry,
    SubscriptionLinkList,
    SubscriptionLinks,
)


class Availability(ServiceManagement):
    """Who wants to be told when services come, change and go; they never expire (8.1.3.2)."""

    def __init__(self, url: str, store: Store, records: Records, notices: Notices) -> None:
        self._base = f"{url}/mec_service_mgmt/v1"
        self._store = store
        self._records = records
        self._notices = notices

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
        self, app_instance_id: str, subscription: AvailabilitySubscription, identifier: str = ""
    ) -> Created[AvailabilitySubscription]:
        """Ask to be told of changes of services; ``identifier``, if given, is by whoever runs the platform."""
        if subscription.subscription_type != AVAILABILITY_SUBSCRIPTION:
            raise bad_request("Invalid attribute subscriptionType", f"legal: {AVAILABILITY_SUBSCRIPTION}")
        domain.check_callback(subscription.callback_reference)
        domain.check_criteria(subscription.filtering_criteria)
        identifier = identifier or str(uuid.uuid4())
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
        record = self._records.availability.find(subscription_id)
        return _own(app_instance_id, record, subscription_id).subscription

    async def unsubscribe_from_availability(self, app_instance_id: str, subscription_id: str) -> None:
        """End one of the app's own subscriptions; what still waits for it is dropped."""

        def decide(tx: Transaction) -> None:
            _own(app_instance_id, tx.find(self._records.availability, subscription_id), subscription_id)
            tx.delete(self._records.availability, subscription_id)
            self._notices.forget(tx, subscription_id)

        await self._store.commit(decide)


def _own(app: str, record: AvailabilityRecord | None, identifier: str) -> AvailabilityRecord:
    if record is None or record.app_instance_id != app:
        raise not_found("subscription", identifier)
    return record
