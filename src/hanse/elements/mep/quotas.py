"""Quotas: how much one app may have at its platform, so that none fills it.

MEC 011 prescribes no numbers. What is beyond is an operation that is not allowed now: 403 (ETSI GS MEC 009 V3.1.1,
6.16); 429 is for what is asked too often, and would say when to come again. A record that is too large is a 413.
"""

from __future__ import annotations

import re

import msgspec

from hanse.kit.problems import Problem, bad_request, forbidden
from hanse.kit.values import Value

MOST_LEVELS = 50
"""Levels of what an app may name freely. What can just be read here could not be read any more where it is told of with
others, within a list: one app would silence its platform towards all others."""
NOTICES_TOGETHER = 10
"""An app has room for so many times the notices of one subscription, however many subscriptions it has."""
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"')
_INNERMOST = re.compile(rb"\{\}|\[\]")
_OTHERS = bytes(set(range(256)) - set(b"[]{}"))


class Quotas(Value):
    """For each app: services, subscriptions of each of both APIs, registered UE identity tags, bytes of one record.

    ``app_notices``: notices that wait for one of its subscriptions to the availability of services; beyond them the
    oldest are dropped.

    Their names are those of the settings in ``[limits]``, which refusals tell.
    """

    app_services: int = 100
    app_subscriptions: int = 100
    app_tags: int = 1000
    app_record_bytes: int = 16 * 1024
    app_notices: int = 10_000

    def check_services(self, present: int) -> None:
        """Whether there is room for one more than so many; a problem 403 if not."""
        _check(present < self.app_services, "services", "app_services", self.app_services)

    def check_subscriptions(self, present: int) -> None:
        """As `check_services`, for one of the APIs."""
        _check(present < self.app_subscriptions, "subscriptions", "app_subscriptions", self.app_subscriptions)

    def check_tags(self, registered: int) -> None:
        """Whether so many tags may be registered; a problem 403 if not."""
        _check(registered <= self.app_tags, "ueIdentityTags", "app_tags", self.app_tags)

    def notices(self, subscriptions: int) -> int:
        """How many notices may wait for each of so many subscriptions of one app: in equal shares, if it has many."""
        return max(1, min(self.app_notices, NOTICES_TOGETHER * self.app_notices // max(1, subscriptions)))

    def check_record(self, what: str, value: msgspec.Struct) -> None:
        """Whether the platform keeps something so large, a problem 413 if not, and so deep, a problem 400 if not."""
        raw, most = msgspec.json.encode(value), self.app_record_bytes
        if len(raw) > most:
            raise Problem(413, f"{what} too large", f"at most {most} bytes (limits.app_record_bytes), not {len(raw)}")
        if _deeper(raw, MOST_LEVELS):
            raise bad_request(f"{what} nested too deeply", f"at most {MOST_LEVELS} levels of objects and arrays")


def _deeper(raw: bytes, levels: int) -> bool:
    """Whether JSON has more than so many levels: each turn takes the innermost away."""
    if raw.count(b"{") + raw.count(b"[") <= levels:
        return False
    left = _STRINGS.sub(b"", raw).translate(None, _OTHERS)
    for _ in range(levels):
        left = _INNERMOST.sub(b"", left)
    return bool(left)


def _check(fits: bool, what: str, setting: str, most: int) -> None:
    if not fits:
        detail = f"an app has at most {most} (limits.{setting}); give up one that is not needed, or ask the operator"
        raise forbidden(f"Too many {what}", detail)
