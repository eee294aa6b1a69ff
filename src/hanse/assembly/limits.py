"""Limits that an operator may set: items in an answer, calls of one caller, seconds until a service is silent."""

from __future__ import annotations

import msgspec

from hanse.elements.border.records import NAMES_KEPT
from hanse.elements.mep.quotas import Quotas
from hanse.elements.mep.service_management.liveness import LivenessPolicy
from hanse.kit.contract.listing import PAGE_SIZE
from hanse.kit.contract.rate import RateLimit
from hanse.kit.values import Value

Check = tuple[str, str, bool]
"""A key, what would be right, and whether it is."""


class LimitSettings(Value, forbid_unknown_fields=True, rename={}):
    """``[limits]`` of each server of the operator.

    ``page_size``: items of a list in one answer. ``requests_per_second``: calls of one caller, 0 for no limit;
    ``burst``: calls that it may make at once, 0 for those of one second. With ``elements`` the operator's own elements
    are limited as well.

    ``app_services``, ``app_subscriptions`` (of each of both APIs), ``app_tags`` (UE identity tags that are registered):
    how many one app may have at its platform; ``app_record_bytes``: how large one of them, or its registration, may be
    as JSON. ``app_notices``: how many notices may wait for one of its subscriptions to services, and ten times as many
    for all of them; of more the latest do. ``partner_names``: services and platforms that one partner can use by the
    names that it was told; beyond them the oldest go.
    """

    page_size: int = PAGE_SIZE
    requests_per_second: float = 0.0
    burst: int = 0
    elements: bool = False
    app_services: int = Quotas().app_services
    app_subscriptions: int = Quotas().app_subscriptions
    app_tags: int = Quotas().app_tags
    app_record_bytes: int = Quotas().app_record_bytes
    app_notices: int = Quotas().app_notices
    partner_names: int = NAMES_KEPT

    def rate(self) -> RateLimit | None:
        """A limit for one server, if there is one."""
        if not self.requests_per_second:
            return None
        burst = self.burst or max(1, round(self.requests_per_second))
        return RateLimit(self.requests_per_second, burst, elements=self.elements)

    def quotas(self) -> Quotas:
        """What one app may have at its platform."""
        return Quotas(**{field.name: getattr(self, field.name) for field in msgspec.structs.fields(Quotas)})

    def checks(self) -> list[Check]:
        """What must hold of the values."""
        counts = ("app_services", "app_subscriptions", "app_tags", "app_notices", "partner_names")
        return [
            *((f"limits.{name}", "1 to 1000000", 1 <= getattr(self, name) <= 1_000_000) for name in counts),
            ("limits.app_record_bytes", "1024 to 1048576", 1024 <= self.app_record_bytes <= 2**20),
            ("limits.page_size", "1 to 100000", 1 <= self.page_size <= 100_000),
            ("limits.requests_per_second", "0 for no limit, or more", self.requests_per_second >= 0),
            ("limits.burst", "0 for the calls of one second, or more", self.burst >= 0),
        ]


class LivenessSettings(Value, forbid_unknown_fields=True, rename={}):
    """``[hosts.X.liveness]``: heartbeats of services, in seconds (ETSI GS MEC 011 V3.1.1, 8.1.2.2).

    ``interval`` is for producers that propose none, 0 for no heartbeats at all; proposals are kept between ``shortest``
    and ``longest``; after ``misses`` intervals without a heartbeat a service is SUSPENDED.
    """

    interval: int = 30
    shortest: int = 1
    longest: int = 3600
    misses: int = 3

    def policy(self) -> LivenessPolicy:
        """As the platform takes it."""
        return LivenessPolicy(**msgspec.structs.asdict(self))

    def checks(self, table: str) -> list[Check]:
        """What must hold of the values of a table."""
        within = f"0, or {self.shortest} to {self.longest}"
        return [
            (f"{table}.shortest", "1 or more seconds", self.shortest >= 1),
            (f"{table}.longest", "shortest or more seconds", self.longest >= self.shortest),
            (f"{table}.interval", within, self.interval == 0 or self.shortest <= self.interval <= self.longest),
            (f"{table}.misses", "1 or more", self.misses >= 1),
        ]
