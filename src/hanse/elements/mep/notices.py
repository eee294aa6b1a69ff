"""Notices: what the platform tells subscribers, committed with the change that it tells of."""

from __future__ import annotations

from functools import cache

from hanse.elements.mep.quotas import Quotas
from hanse.elements.mep.records import AppRecord, AvailabilityRecord, Records
from hanse.elements.mep.service_management.domain import concerns, service_names
from hanse.elements.mep.service_management.links import service_uri, subscription_uri
from hanse.kit.callbacks import Callbacks, CallbackTo
from hanse.kit.outbox import Outbox
from hanse.kit.store import Transaction
from hanse.kit.values import ABSENT, Link
from hanse.refpoints.mp1.services import (
    AvailabilityNotification,
    ChangeType,
    ServiceInfo,
    ServiceReference,
    SubscriptionLink,
)
from hanse.refpoints.mp1.support import ApplicationSupport, OperationAction, TerminationLinks, TerminationNotification


class Notices:
    """Emits notifications for subscriptions; delivery is the outbox's."""

    def __init__(
        self,
        url: str,
        records: Records,
        outbox: Outbox,
        callbacks: Callbacks,
        quotas: Quotas = Quotas(),  # noqa: B008 (frozen)
    ) -> None:
        self._url = url
        self._records = records
        self._outbox = outbox
        self._quotas = quotas
        self._receivers = callbacks.receivers
        outbox.handle("mp1.notification", callbacks.deliver)

    def service_changed(self, tx: Transaction, service: ServiceInfo, change: ChangeType) -> None:
        """Tell every subscriber whom it concerns, the producer too if it has subscribed (8.1.4.2).

        For a subscriber that takes none as many wait as its quota says, and the oldest are dropped: an app could have
        the disk of its platform filled by changes of its own. Notices of an app's end are never dropped.
        """
        reference, room = self._reference(service, change), cache(self._room)
        for name in service_names(service):
            for record in tx.under(self._records.concerned, name):
                if concerns(record.subscription.filtering_criteria, service):
                    self._emit_availability(tx, record, reference, room(record.app_instance_id))

    def ending(self, tx: Transaction, app_instance_id: str, action: OperationAction, timeout: int) -> None:
        """Tell the app that it will be stopped or terminated (7.1.4.2)."""
        for record in tx.under(self._records.termination_of, app_instance_id):
            base = record.base or ApplicationSupport.api_bases[0]
            support = f"{self._url}{base}/applications/{app_instance_id}"
            notification = TerminationNotification(
                operation_action=action,
                max_graceful_timeout=max(1, timeout),
                links=TerminationLinks(
                    subscription=Link(href=f"{support}/subscriptions/{record.subscription_id}"),
                    confirm_termination=Link(href=f"{support}/confirm_termination"),
                ),
            )
            to = CallbackTo.of(record.subscription.callback_reference, notification, f"app.{app_instance_id[:8]}")
            self._outbox.emit(tx, "mp1.notification", record.subscription_id, to)

    def check_receiver(self, callback_reference: str, app: AppRecord) -> None:
        """Take the address to which an app wants its notices, or say why not; see `Receivers.check`."""
        self._receivers.check(callback_reference, app.configuration.address)

    def forget(self, tx: Transaction, subscription_id: str) -> None:
        """Tell nothing more of what still waits for a subscription that ends."""
        self._outbox.forget(tx, subscription_id)

    def _reference(self, service: ServiceInfo, change: ChangeType) -> ServiceReference:
        """What is told of a change; a service that is gone has no link any more."""
        identifier = str(service.ser_instance_id)
        link = ABSENT if change is ChangeType.REMOVED else Link(href=service_uri(self._url, identifier))
        return ServiceReference(
            ser_name=service.ser_name, ser_instance_id=identifier, state=service.state, change_type=change, link=link
        )

    def _room(self, app_instance_id: str) -> int:
        """How many may wait for each subscription of an app."""
        return self._quotas.notices(self._records.availability_of.count(app_instance_id))

    def _emit_availability(
        self, tx: Transaction, record: AvailabilityRecord, reference: ServiceReference, room: int
    ) -> None:
        app = record.app_instance_id
        subscription = subscription_uri(self._url, app, record.subscription_id)
        notification = AvailabilityNotification(
            service_references=(reference,), links=SubscriptionLink(subscription=Link(href=subscription))
        )
        to = CallbackTo.of(record.subscription.callback_reference, notification, f"app.{app[:8]}")
        self._outbox.emit(tx, "mp1.notification", record.subscription_id, to, room)
