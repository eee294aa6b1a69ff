"""What platforms of one system tell each other: what may be consumed elsewhere, how devices reach apps, that they live.

The standard names the exchange (ETSI GS MEC 003, 7.2.1; ETSI GS MEC 011 V3.1.1, 5.2.4 and 8.1.2.2, consumedLocalOnly)
and gives no payload; see docs/decisions/0010.
"""

from __future__ import annotations

from hanse.kit.contract.declare import Api, get, post, put
from hanse.kit.values import Value
from hanse.refpoints.mm3.management import ALL_OF_A_HOST
from hanse.refpoints.mp1.services import ServiceInfo
from hanse.refpoints.mp2 import Flow, Forwarding

SIGN_PERIOD = 1.0
"""Seconds between two signs of life of a platform to each of its neighbours."""

PATIENCE = 3.0
"""Seconds without a sign of life after which the services of a platform count as gone."""


class SignOfLife(Value):
    """That a platform lives. ``mark`` stands for all that it shares: equal marks, equal services; empty: none known."""

    mark: str


class SharedRule(Value, gc=False):
    """A traffic rule in force by which devices reach an app of the platform, at an address that other hosts may share.

    Rules of one package (``app_d_id``) with one ``traffic_rule_id`` lead to instances of the same app.
    """

    app_d_id: str
    traffic_rule_id: str
    forwarding: Forwarding


class Announcement(Value):
    """All services of a platform that may be consumed elsewhere, in every state, as its own apps see them.

    ``rules`` are those by which devices reach its apps; data planes of other hosts may carry them out, too.
    """

    mark: str
    services: tuple[ServiceInfo, ...]
    rules: tuple[SharedRule, ...] = ()


class SharedServices(Api, bases=("/mp3/v1",)):
    """How a platform hears of its neighbours; ``host`` is that of the platform which speaks."""

    @post("/platforms/{host}/alive", success=200, refuses=(400, 401, 403))
    async def alive(self, host: str, sign: SignOfLife) -> SignOfLife:
        """Say that the platform lives; the answer's mark is that of the last announcement which is known here."""

    @put("/platforms/{host}/services", success=204, refuses=(400, 401, 403, 413), largest=ALL_OF_A_HOST)
    async def announce(self, host: str, announcement: Announcement) -> None:
        """Replace all that is known of the platform's services, which is a sign of life too."""


class SharedFlows(Api, bases=("/mp3/v1",)):
    """Flows to an app that enter the system at another host, whose data plane leads devices to it."""

    @get("/applications/{app_instance_id}/flows")
    async def flows_to(self, app_instance_id: str) -> list[Flow]:
        """The flows to an instance of the caller's host that pass the data plane of this one now."""
