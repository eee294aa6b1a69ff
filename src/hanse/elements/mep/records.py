"""What a platform keeps."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeAlias, TypeVar

from hanse.elements.mep.service_management.domain import wanted_names
from hanse.kit.store import Index, Shelf, Store
from hanse.kit.values import Value
from hanse.refpoints.mm1.steering import SteeringPolicy
from hanse.refpoints.mm5.platform import AppConfiguration, AppPhase
from hanse.refpoints.mp1.registrations import AppInfo
from hanse.refpoints.mp1.services import AvailabilitySubscription, ServiceInfo
from hanse.refpoints.mp1.support import DnsRule, OperationAction, TerminationSubscription, TrafficRule
from hanse.refpoints.mp3.services import SharedRule

S = TypeVar("S", bound=AvailabilitySubscription | TerminationSubscription)
R = TypeVar("R", "ServiceRecord", "AvailabilityRecord", "TerminationRecord")


class AppRecord(Value):
    """An app that may speak with the platform; ``active`` tells whether its rules are carried out.

    ``tags`` are the UE identity tags that it has registered.
    """

    configuration: AppConfiguration
    phase: AppPhase
    traffic_rules: tuple[TrafficRule, ...]
    dns_rules: tuple[DnsRule, ...]
    active: bool = False
    announced: OperationAction | None = None
    tags: tuple[str, ...] = ()

    @property
    def app_instance_id(self) -> str:
        """The instance's id."""
        return self.configuration.app_instance_id


class ServiceRecord(Value):
    """A service that an app of this host offers; ``generation`` counts its changes.

    ``carried``: with the platform's own transport, so that consumers of this host call the platform as well.
    """

    service: ServiceInfo
    app_instance_id: str
    generation: int = 1
    carried: bool = False


class Heartbeat(Value):
    """When a service that sends heartbeats was last heard of (Unix seconds); under the service's id."""

    at: float


class SubscriptionRecord(Value, Generic[S]):
    """A subscription of an app: to the availability of services, or to its own termination.

    ``base`` is that of the API by which it was asked for; its notifications lead there.
    """

    subscription_id: str
    app_instance_id: str
    subscription: S
    base: str = ""


AvailabilityRecord: TypeAlias = SubscriptionRecord[AvailabilitySubscription]
TerminationRecord: TypeAlias = SubscriptionRecord[TerminationSubscription]


class RegistrationRecord(Value):
    """What an app said of itself."""

    app_instance_id: str
    info: AppInfo


class RemoteService(Value):
    """A service elsewhere that an app of this host found: the partner (empty: the own system), and its name there.

    ``zone`` is that of its platform, as the look-up told it.
    """

    service: ServiceInfo
    system: str
    reference: str
    zone: str = ""


class NeighbourRecord(Value):
    """What the platform of another host shares, by the ids that its services have here; ``mark`` as announced.

    ``rules`` are those by which devices reach its apps.
    """

    host: str
    mark: str
    services: dict[str, RemoteService]
    rules: tuple[SharedRule, ...] = ()


class Records:
    """The shelves of a platform. What ends in ``_of`` is found by the app whose it is.

    ``concerned``: subscriptions by what they name (`service_names`).
    """

    def __init__(self, store: Store) -> None:
        self.apps: Shelf[AppRecord] = store.shelf("application", AppRecord)
        self.services: Shelf[ServiceRecord] = store.shelf("service", ServiceRecord)
        self.heartbeats: Shelf[Heartbeat] = store.shelf("heartbeat", Heartbeat)
        self.availability: Shelf[AvailabilityRecord] = store.shelf("availability_subscription", AvailabilityRecord)
        self.termination: Shelf[TerminationRecord] = store.shelf("termination_subscription", TerminationRecord)
        self.registrations: Shelf[RegistrationRecord] = store.shelf("registration", RegistrationRecord)
        self.remote: Shelf[RemoteService] = store.shelf("remote_service", RemoteService)
        self.neighbours: Shelf[NeighbourRecord] = store.shelf("neighbour", NeighbourRecord)
        self.policies: Shelf[SteeringPolicy] = store.shelf("steering_policy", SteeringPolicy)
        self.services_of: Index[ServiceRecord, ServiceRecord] = Index(self.services, _by_app)
        self.availability_of: Index[AvailabilityRecord, AvailabilityRecord] = Index(self.availability, _by_app)
        self.termination_of: Index[TerminationRecord, TerminationRecord] = Index(self.termination, _by_app)
        self.concerned: Index[AvailabilityRecord, AvailabilityRecord] = Index(self.availability, _by_criteria)


def _by_app(record: R) -> dict[Hashable, R]:
    return {record.app_instance_id: record}


def _by_criteria(record: AvailabilityRecord) -> dict[Hashable, AvailabilityRecord]:
    return dict.fromkeys(wanted_names(record.subscription.filtering_criteria), record)
