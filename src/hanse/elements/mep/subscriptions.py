"""Subscriptions of one kind that apps hold at the platform (ETSI GS MEC 011 V3.1.1, 7.2.3, 7.2.4, 8.2.8, 8.2.9).

Those to the availability of services and those to an app's own termination differ in what they say, not in how they
are kept: by the app whose they are, until it ends them or is gone. They never expire (7.1.3.2, 8.1.3.2). Their links
lead below the base of the API that was asked: who knows one version is never sent to another.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Generic

import msgspec

from hanse.elements.mep.notices import Notices
from hanse.elements.mep.quotas import Quotas
from hanse.elements.mep.records import AppRecord, Records, S, SubscriptionRecord
from hanse.kit.contract.call import asked_below, require_match
from hanse.kit.contract.declare import Created
from hanse.kit.problems import bad_request, not_found
from hanse.kit.receivers import place_of
from hanse.kit.store import Index, Shelf, Store, Transaction
from hanse.kit.values import Link
from hanse.refpoints.mp1.services import (
    AVAILABILITY_SUBSCRIPTION,
    SelfLink,
    ServiceManagement,
    SubscriptionEntry,
    SubscriptionLinkList,
    SubscriptionLinks,
)
from hanse.refpoints.mp1.support import TERMINATION_SUBSCRIPTION, ApplicationSupport


class Subscriptions(Generic[S]):
    """All subscriptions of a ``kind`` (``subscriptionType``), served at ``url`` below ``bases``.

    ``held``: those of each app.
    """

    def __init__(
        self,
        kind: str,
        url: str,
        bases: Sequence[str],
        store: Store,
        held: Index[SubscriptionRecord[S], SubscriptionRecord[S]],
        apps: Shelf[AppRecord],
        notices: Notices,
        quotas: Quotas,
    ) -> None:
        self._kind = kind
        self._url = url
        self._bases = bases
        self._store = store
        self._shelf = held.shelf
        self._held = held
        self._apps = apps
        self._notices = notices
        self._quotas = quotas

    def held_by(self, app_instance_id: str) -> list[SubscriptionRecord[S]]:
        """Those of an app, oldest first."""
        return self._held.values(app_instance_id)

    def listed(self, app_instance_id: str) -> SubscriptionLinkList:
        """Those of an app, as links; a problem 404 for an app that is not known."""
        self._apps.get(app_instance_id)
        here = self._uri(app_instance_id)
        entries = tuple(
            SubscriptionEntry(href=f"{here}/{record.subscription_id}", subscription_type=self._kind)
            for record in self.held_by(app_instance_id)
        )
        return SubscriptionLinkList(links=SubscriptionLinks(self=Link(href=here), subscriptions=entries))

    def read(self, app_instance_id: str, subscription_id: str) -> S:
        """One of an app's own; a problem 404 for any other."""
        record = _own(app_instance_id, self._shelf.find(subscription_id), subscription_id)
        return self._linked(record.subscription, app_instance_id, subscription_id)

    async def add(self, app_instance_id: str, subscription: S) -> Created[S]:
        """Keep one more of an app; 403 for a receiver that may not be posted to, and for one too many."""

        def admit(tx: Transaction, app: AppRecord) -> None:
            self._notices.check_receiver(subscription.callback_reference, app)
            self._quotas.check_subscriptions(tx.count(self._held, app_instance_id))

        return await self._keep(app_instance_id, subscription, str(uuid.uuid4()), admit)

    async def plant(self, app_instance_id: str, subscription: S, identifier: str) -> Created[S]:
        """Keep one for an app under an id; by who runs the platform, whose word is taken for receiver and number."""
        return await self._keep(app_instance_id, subscription, identifier, lambda _tx, _app: None)

    async def _keep(
        self, app_instance_id: str, subscription: S, identifier: str, admit: Callable[[Transaction, AppRecord], None]
    ) -> Created[S]:
        if subscription.subscription_type != self._kind:
            raise bad_request("Invalid attribute subscriptionType", f"legal: {self._kind}")
        place_of(subscription.callback_reference)
        self._quotas.check_record("Subscription", subscription)
        known = self._linked(subscription, app_instance_id, identifier)
        base = asked_below(self._bases)
        record = SubscriptionRecord(
            subscription_id=identifier, app_instance_id=app_instance_id, subscription=known, base=base
        )

        def decide(tx: Transaction) -> None:
            admit(tx, tx.get(self._apps, app_instance_id))
            tx.put(self._shelf, identifier, record)

        await self._store.commit(decide)
        return Created(known, f"{self._uri(app_instance_id)}/{identifier}")

    async def end(self, app_instance_id: str, subscription_id: str) -> None:
        """End one of an app's own; it never changes and has no tag, so that a condition on one does not hold: 412."""

        def decide(tx: Transaction) -> None:
            record = _own(app_instance_id, tx.find(self._shelf, subscription_id), subscription_id)
            require_match("")
            self._drop(tx, record)

        await self._store.commit(decide)

    def end_all(self, tx: Transaction, app_instance_id: str) -> None:
        """End all of an app, as part of a larger decision."""
        for record in tx.under(self._held, app_instance_id):
            self._drop(tx, record)

    def _drop(self, tx: Transaction, record: SubscriptionRecord[S]) -> None:
        """What still waits to be sent goes too."""
        tx.delete(self._shelf, record.subscription_id)
        self._notices.forget(tx, record.subscription_id)

    def _linked(self, subscription: S, app_instance_id: str, identifier: str) -> S:
        here = Link(href=f"{self._uri(app_instance_id)}/{identifier}")
        return msgspec.structs.replace(subscription, links=SelfLink(self=here))

    def _uri(self, app_instance_id: str) -> str:
        return f"{self._url}{asked_below(self._bases)}/applications/{app_instance_id}/subscriptions"


class AppSubscriptions:
    """Both kinds, which end together when an app is gone."""

    def __init__(
        self,
        url: str,
        store: Store,
        records: Records,
        notices: Notices,
        quotas: Quotas = Quotas(),  # noqa: B008 (frozen)
    ) -> None:
        self.availability = Subscriptions(
            AVAILABILITY_SUBSCRIPTION,
            url,
            ServiceManagement.api_bases,
            store,
            records.availability_of,
            records.apps,
            notices,
            quotas,
        )
        self.termination = Subscriptions(
            TERMINATION_SUBSCRIPTION,
            url,
            ApplicationSupport.api_bases,
            store,
            records.termination_of,
            records.apps,
            notices,
            quotas,
        )

    def end_all(self, tx: Transaction, app_instance_id: str) -> None:
        """End all of an app, as part of a larger decision."""
        self.availability.end_all(tx, app_instance_id)
        self.termination.end_all(tx, app_instance_id)


def _own(app: str, record: SubscriptionRecord[S] | None, identifier: str) -> SubscriptionRecord[S]:
    if record is None or record.app_instance_id != app:
        raise not_found("subscription", identifier)
    return record
