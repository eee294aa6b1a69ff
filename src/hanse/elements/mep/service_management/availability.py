"""Subscriptions to the availability of services, as apps make them (ETSI GS MEC 011 V3.1.1, 8.2.8, 8.2.9)."""

from __future__ import annotations

import msgspec

from hanse.elements.mep.service_management import domain
from hanse.elements.mep.subscriptions import Subscriptions
from hanse.kit.contract.declare import Created
from hanse.kit.values import without_empty_lists
from hanse.refpoints.mp1.services import (
    AvailabilitySubscription,
    FilteringCriteria,
    ServiceManagement,
    SubscriptionLinkList,
)


class Availability(ServiceManagement):
    """Who wants to be told when services come, change and go."""

    def __init__(self, subscriptions: Subscriptions[AvailabilitySubscription]) -> None:
        self._subscriptions = subscriptions

    async def list_availability_subscriptions(self, app_instance_id: str) -> SubscriptionLinkList:
        """The app's own subscriptions."""
        return self._subscriptions.listed(app_instance_id)

    async def subscribe_to_availability(
        self, app_instance_id: str, subscription: AvailabilitySubscription
    ) -> Created[AvailabilitySubscription]:
        """Ask to be told of changes of services."""
        return await self._subscriptions.add(app_instance_id, _checked(subscription))

    async def plant_subscription(
        self, app_instance_id: str, subscription: AvailabilitySubscription, identifier: str
    ) -> None:
        """The same for an app, under an id; see `Subscriptions.plant`."""
        await self._subscriptions.plant(app_instance_id, _checked(subscription), identifier)

    async def read_availability_subscription(
        self, app_instance_id: str, subscription_id: str
    ) -> AvailabilitySubscription:
        """One of the app's own subscriptions."""
        return self._subscriptions.read(app_instance_id, subscription_id)

    async def unsubscribe_from_availability(self, app_instance_id: str, subscription_id: str) -> None:
        """End one of the app's own subscriptions; what still waits for it is dropped."""
        await self._subscriptions.end(app_instance_id, subscription_id)


def _checked(subscription: AvailabilitySubscription) -> AvailabilitySubscription:
    criteria = subscription.filtering_criteria
    if isinstance(criteria, FilteringCriteria):
        criteria = without_empty_lists(criteria)
        subscription = msgspec.structs.replace(subscription, filtering_criteria=criteria)
    domain.check_criteria(criteria)
    return subscription
