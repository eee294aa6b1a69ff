"""Notices: what the platform tells subscribers, committed with the change that it tells of."""

from __future__ import annotations

from collections.abc import Iterable

from hanse.elements.mep.records import AppRecord, AvailabilityRecord, Records, TerminationRecord
from hanse.elements.mep.service_management.domain import concerns
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

MOST_WAITING = 1000
"""Notices that wait for one subscriber to the availability of services; beyond them the oldest are not told, or an app
that takes none could have its platform's disk filled by changes of its own."""


class Notices:
    """Emits notifications for subscriptions; delivery is the outbox's."""

    def __init__(self, url: str, records: Records, outbox: Outbox, callbacks: Callbacks) -> None:
        self._url = url
        self._records = records
        self._outbox = outbox
        self._receivers = callbacks.receivers
        outbox.handle("mp1.notification", callbacks.deliver)

    def service_changed(self, tx: Transaction, service: ServiceInfo, change: ChangeType) -> None:
        """Tell every subscriber whom it concerns, the producer too if it has subscribed (8.1.4.2)."""
        for record in tx.values(self._records.availability):
            if concerns(record.subscription.filtering_criteria, service):
                self._emit_availability(tx, record, service, change)

    def ending(self, tx: Transaction, app_instance_id: str, action: OperationAction, timeout: int) -> None:
        """Tell the app that it will be stopped or terminated (7.1.4.2)."""
        for record in self.termination_of(tx, app_instance_id):
            base = record.base or ApplicationSupport.api_bases[0]
            support = f"{self._url}{base}/applications/{app_instance_id}"
            notification = TerminationNotification(
                operation_action=action,
                max_graceful_timeout=max(1, timeout),
                links=TerminationLinks(
                    subscription=Link(href=f"{support}/subscriptions/{record.subscription_id}"),
                    confirm_termination=f"{support}/confirm_termination",
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

    def termination_of(self, tx: Transaction, app_instance_id: str) -> Iterable[TerminationRecord]:
        """The app's subscriptions to its own termination."""
        return [r for r in tx.values(self._records.termination) if r.app_instance_id == app_instance_id]

    def _emit_availability(
        self, tx: Transaction, record: AvailabilityRecord, service: ServiceInfo, change: ChangeType
    ) -> None:
        base = f"{self._url}/mec_service_mgmt/v1"
        identifier = str(service.ser_instance_id)
        reference = ServiceReference(
            ser_name=service.ser_name,
            ser_instance_id=identifier,
            state=service.state,
            change_type=change,
            link=ABSENT if change is ChangeType.REMOVED else Link(href=f"{base}/services/{identifier}"),
        )
        subscription = f"{base}/applications/{record.app_instance_id}/subscriptions/{record.subscription_id}"
        notification = AvailabilityNotification(
            service_references=(reference,), links=SubscriptionLink(subscription=Link(href=subscription))
        )
        to = CallbackTo.of(record.subscription.callback_reference, notification, f"app.{record.app_instance_id[:8]}")
        self._outbox.emit(tx, "mp1.notification", record.subscription_id, to, MOST_WAITING)
