"""Mp1, application support: ready, termination, traffic rules, DNS rules (ETSI GS MEC 011 V3.1.1, clause 7)."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

import msgspec

from hanse.kit.contract.declare import Api, Created, Tagged, delete, get, post, put
from hanse.kit.contract.listing import Lists
from hanse.kit.values import ABSENT, Absent, Link, Value
from hanse.model.descriptor.traffic import Action, FilterType, InterfaceType, IpAddressType
from hanse.refpoints.mp1.services import SelfLink, SubscriptionLink, SubscriptionLinkList


class RuleState(StrEnum):
    """Whether a rule is carried out (7.1.2.2, 7.1.2.3)."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"


class TrafficFilter(Value, gc=False):
    """What traffic must match; attributes are ANDed, values of one are ORed (7.1.5.2)."""

    src_address: tuple[str, ...] | Absent = ABSENT
    dst_address: tuple[str, ...] | Absent = ABSENT
    src_port: tuple[str, ...] | Absent = ABSENT
    dst_port: tuple[str, ...] | Absent = ABSENT
    protocol: tuple[str, ...] | Absent = ABSENT
    tag: tuple[str, ...] | Absent = ABSENT
    src_tunnel_address: tuple[str, ...] | Absent = ABSENT
    tgt_tunnel_address: tuple[str, ...] | Absent = ABSENT
    src_tunnel_port: tuple[str, ...] | Absent = ABSENT
    dst_tunnel_port: tuple[str, ...] | Absent = ABSENT
    qci: int | Absent = msgspec.field(default=ABSENT, name="qCI")
    dscp: int | Absent = msgspec.field(default=ABSENT, name="dSCP")
    tc: int | Absent = msgspec.field(default=ABSENT, name="tC")


class TunnelInfo(Value, gc=False):
    """A tunnel (7.1.5.4); the type is open: GTP_U, GRE."""

    tunnel_type: str
    tunnel_dst_address: str | Absent = ABSENT
    tunnel_src_address: str | Absent = ABSENT


class DestinationInterface(Value, gc=False):
    """Where traffic goes (7.1.5.3)."""

    interface_type: InterfaceType
    tunnel_info: TunnelInfo | Absent = ABSENT
    src_mac_address: str | Absent = ABSENT
    dst_mac_address: str | Absent = ABSENT
    dst_ip_address: str | Absent = ABSENT


class TrafficRule(Value, gc=False):
    """A traffic rule of an app (7.1.2.2); 0 is the highest priority."""

    traffic_rule_id: str
    filter_type: FilterType
    priority: int
    traffic_filter: tuple[TrafficFilter, ...]
    action: Action
    state: RuleState
    dst_interface: tuple[DestinationInterface, ...] = ()


class DnsRule(Value, gc=False):
    """A DNS rule of an app (7.1.2.3); ``ttl`` in seconds."""

    dns_rule_id: str
    domain_name: str
    ip_address_type: IpAddressType
    ip_address: str
    state: RuleState
    ttl: int | Absent = ABSENT


class ReadyIndication(StrEnum):
    """The one thing that an app confirms (7.1.4.4)."""

    READY = "READY"


class AppReadyConfirmation(Value):
    """The app is up and running (7.1.4.4)."""

    indication: ReadyIndication


class OperationAction(StrEnum):
    """What is about to happen to the app (7.1.4.2). STOPPPING is a misprint of 7.1.4.3: read, never written."""

    STOPPING = "STOPPING"
    TERMINATING = "TERMINATING"
    STOPPPING = "STOPPPING"


class AppTerminationConfirmation(Value):
    """The app has done what it had to do before it ends (7.1.4.3)."""

    operation_action: OperationAction


class TerminationSubscription(Value):
    """AppTerminationNotificationSubscription (7.1.3.2); ``_links`` only in answers."""

    __wire_name__: ClassVar[str] = "AppTerminationNotificationSubscription"

    subscription_type: str
    callback_reference: str
    app_instance_id: str
    links: SelfLink | Absent = msgspec.field(default=ABSENT, name="_links")


TERMINATION_SUBSCRIPTION = TerminationSubscription.__wire_name__


class TerminationLinks(SubscriptionLink):
    """Links of a termination notification: where to confirm (7.1.4.2)."""

    confirm_termination: Link | Absent = ABSENT


class TerminationNotification(Value):
    """AppTerminationNotification (7.1.4.2); ``max_graceful_timeout`` in seconds, more than 0."""

    __wire_name__: ClassVar[str] = "AppTerminationNotification"

    operation_action: OperationAction
    max_graceful_timeout: int
    links: TerminationLinks = msgspec.field(name="_links")
    notification_type: str = "AppTerminationNotification"


class ApplicationSupport(Api, bases=("/mec_app_support/v2", "/mec_app_support/v1")):
    """Application support (7.2) under the text's version and the official file's; the app named must be the caller."""

    @post("/applications/{app_instance_id}/confirm_ready", success=204, refuses=(401, 403, 404, 409, 429))
    async def confirm_ready(self, app_instance_id: str, confirmation: AppReadyConfirmation) -> None:
        """The app is ready; 409 while the platform is not yet configured for it (7.2.12.3.4)."""

    @post("/applications/{app_instance_id}/confirm_termination", success=204, refuses=(401, 403, 404, 409, 429))
    async def confirm_termination(self, app_instance_id: str, confirmation: AppTerminationConfirmation) -> None:
        """The app may be ended now; 409 if it is not being ended (7.2.11.3.4)."""

    @get("/applications/{app_instance_id}/subscriptions")
    async def list_subscriptions(self, app_instance_id: str) -> SubscriptionLinkList:
        """The app's subscriptions to its own termination (7.2.3.3.1)."""

    @post("/applications/{app_instance_id}/subscriptions")
    async def subscribe(
        self, app_instance_id: str, subscription: TerminationSubscription
    ) -> Created[TerminationSubscription]:
        """Ask to be told before the app is stopped or terminated (7.2.3.3.4)."""

    @get("/applications/{app_instance_id}/subscriptions/{subscription_id}")
    async def read_subscription(self, app_instance_id: str, subscription_id: str) -> TerminationSubscription:
        """One subscription (7.2.4.3.1)."""

    @delete("/applications/{app_instance_id}/subscriptions/{subscription_id}", refuses=(400, 401, 403, 404, 412))
    async def unsubscribe(self, app_instance_id: str, subscription_id: str) -> None:
        """End a subscription (7.2.4.3.5)."""

    @get("/applications/{app_instance_id}/traffic_rules", lists=Lists(key="trafficRuleId"))
    async def list_traffic_rules(self, app_instance_id: str) -> list[TrafficRule]:
        """The app's traffic rules (7.2.7.3.1)."""

    @get("/applications/{app_instance_id}/traffic_rules/{traffic_rule_id}")
    async def read_traffic_rule(self, app_instance_id: str, traffic_rule_id: str) -> Tagged[TrafficRule]:
        """One traffic rule (7.2.8.3.1)."""

    @put("/applications/{app_instance_id}/traffic_rules/{traffic_rule_id}", refuses=(400, 401, 403, 404, 412))
    async def update_traffic_rule(
        self, app_instance_id: str, traffic_rule_id: str, rule: TrafficRule
    ) -> Tagged[TrafficRule]:
        """Activate, deactivate or change a traffic rule (7.2.8.3.2); 403 for what was not granted."""

    @get("/applications/{app_instance_id}/dns_rules", lists=Lists(key="dnsRuleId"))
    async def list_dns_rules(self, app_instance_id: str) -> list[DnsRule]:
        """The app's DNS rules (7.2.9.3.1)."""

    @get("/applications/{app_instance_id}/dns_rules/{dns_rule_id}")
    async def read_dns_rule(self, app_instance_id: str, dns_rule_id: str) -> Tagged[DnsRule]:
        """One DNS rule (7.2.10.3.1)."""

    @put("/applications/{app_instance_id}/dns_rules/{dns_rule_id}", refuses=(400, 401, 403, 404, 412))
    async def update_dns_rule(self, app_instance_id: str, dns_rule_id: str, rule: DnsRule) -> Tagged[DnsRule]:
        """Activate or deactivate a DNS rule (7.2.10.3.2)."""
