"""A platform with a real store and a real outbox between peers that note what they are asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from hanse.elements.mep import Platform, Surroundings
from hanse.elements.mep.app_rules.limits import RulePolicy
from hanse.elements.mep.quotas import Quotas
from hanse.elements.mep.steering.choice import Asker
from hanse.elements.mep.steering.devices import Devices
from hanse.kit.callbacks import Callbacks, CallbackTo
from hanse.kit.contract.call import Caller, first_call, serving
from hanse.kit.contract.declare import Stream
from hanse.kit.contract.exchange import Exchange
from hanse.kit.contract.observe import Silence
from hanse.kit.outbox import Outbox
from hanse.kit.problems import unreachable
from hanse.kit.store import Store
from hanse.kit.tokens import TokenIssuer
from hanse.model.descriptor import traffic
from hanse.model.descriptor.services import ServiceDescriptor
from hanse.model.place import Position, Zone
from hanse.refpoints.mm3.management import FoundService, PlatformReport, ServiceWanted
from hanse.refpoints.mm5.platform import AppConfiguration, ManagerLookup
from hanse.refpoints.mp1.services import EndPointInfo, LocalityType, SecurityInfo, ServiceInfo, ServiceState
from hanse.refpoints.mp1.services import TransportInfo as Transport
from hanse.refpoints.mp2 import (
    DataPlane,
    DataPlaneCapabilities,
    Flow,
    Forwarding,
    NameRecord,
    NameRecords,
    NameServer,
    NameServerCapabilities,
)
from hanse.refpoints.mp3.services import SharedFlows, SharedServices
from hanse.refpoints.mpp_fed.consumption import ServiceConsumption
from tests.bounds import SOON

URL = "https://127.9.0.1:8443"
DEVICES = Devices(
    [
        Asker("127.9.100.5", "alice", "coast", Position(latitude=54.0, longitude=10.0)),
        Asker("127.9.100.6", "bob", "inland", Position(latitude=51.0, longitude=12.0)),
    ],
    Asker(zone="coast", position=Position(latitude=53.0, longitude=9.0)),
)
"""Two devices, each in another zone; strangers, and the platform, are between them, at the coast."""


class Plane(DataPlane):
    """A data plane that only remembers; ``done`` is what was asked of it."""

    def __init__(self) -> None:
        self.rules: dict[str, Forwarding] = {}
        self.passing: list[Flow] = []
        self.done: list[str] = []
        self.away = False
        self.common = True

    async def capabilities(self) -> DataPlaneCapabilities:
        return DataPlaneCapabilities(kind="memory", available=True, common=self.common)

    async def install(self, rule_id: str, forwarding: Forwarding) -> None:
        self.done.append(f"install {rule_id}")
        self.rules[rule_id] = forwarding

    async def withdraw(self, rule_id: str) -> None:
        self.done.append(f"withdraw {rule_id}")
        self.rules.pop(rule_id, None)

    async def forwardings(self) -> list[Forwarding]:
        if self.away:
            raise unreachable("data_plane.harbour")
        return list(self.rules.values())

    async def flows(self) -> list[Flow]:
        return self.passing


class Names(NameServer):
    """A name server that only remembers."""

    def __init__(self) -> None:
        self.known: dict[str, NameRecord] = {}
        self.lacks: dict[str, str] = {}

    async def publish(self, record_id: str, record: NameRecord) -> None:
        self.known[record_id] = record

    async def retract(self, record_id: str) -> None:
        self.known.pop(record_id, None)

    async def records(self) -> list[NameRecord]:
        return list(self.known.values())

    async def publish_all(self, owner: str, records: NameRecords) -> None:
        others = {k: r for k, r in self.known.items() if r.owner != owner}
        self.known = {**others, **{r.record_id: r for r in records.records}}

    async def capabilities(self) -> NameServerCapabilities:
        return NameServerCapabilities(kind="remembers", lacks=self.lacks)


class Manager(ManagerLookup):
    """A platform manager: what was reported to it and asked of it, and what it has found."""

    def __init__(self) -> None:
        self.reports: list[PlatformReport] = []
        self.asked: list[ServiceWanted] = []
        self.found: list[FoundService] = []
        self.away = 0
        self.news = asyncio.Event()

    async def find_service(self, query: ServiceWanted) -> list[FoundService]:
        self.asked.append(query)
        self._answer()
        return self.found

    async def report_services(self, host: str, report: PlatformReport) -> None:
        self._answer()
        self.reports.append(report)
        self.news.set()

    def _answer(self) -> None:
        if self.away > 0:
            self.away -= 1
            raise unreachable("mepm.harbour")


class Carrier(ServiceConsumption):
    """Where calls to services go: a partner's platform, or an app of this host."""

    def __init__(self, to: str, log: list[tuple[str, ...]]) -> None:
        self._to = to
        self._log = log

    async def consume(self, reference: str, rest: str, exchange: Exchange) -> Stream:
        self._log.append((self._to, reference, rest, exchange.method))
        return Stream(nothing(), status=299)


class Posted(Callbacks):
    """Callbacks that are not sent: what would have been posted, and where to."""

    def __init__(self) -> None:
        super().__init__(Caller(role="mep", name="mep.harbour", operator="north"), "Mp1", Silence())
        self.posts: list[tuple[str, dict[str, Any]]] = []

    async def deliver(self, event: bytes) -> None:
        to = msgspec.json.decode(event, type=CallbackTo)
        self.posts.append((to.url, msgspec.json.decode(to.body)))


@dataclass
class Bench:
    """A platform and everything around it; another one over the same store is a restart."""

    store: Store = field(default_factory=Store)
    plane: Plane = field(default_factory=Plane)
    names: Names = field(default_factory=Names)
    manager: Manager = field(default_factory=Manager)
    callbacks: Posted = field(default_factory=Posted)
    calls: list[tuple[str, ...]] = field(default_factory=list)
    host: str = "harbour"
    neighbours: dict[str, SharedServices] = field(default_factory=dict)
    devices: Devices = field(default_factory=Devices)
    zones: dict[str, Zone] = field(default_factory=dict)
    flows: dict[str, SharedFlows] = field(default_factory=dict)
    quotas: Quotas = field(default_factory=Quotas)
    rules: RulePolicy = field(default_factory=RulePolicy)

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.store)
        self.platform = Platform(self._surroundings())

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            host=self.host,
            operator="north",
            url=URL,
            store=self.store,
            outbox=self.outbox,
            callbacks=self.callbacks,
            manager=self.manager,
            data_plane=self.plane,
            name_server=self.names,
            partner=lambda name: Carrier(name, self.calls),
            neighbour=lambda host: Carrier(f"mep.{host}", self.calls),
            neighbours=self.neighbours,
            producer=lambda base: Carrier(base, self.calls),
            tags={"tag-alice": ("127.9.100.5",), "tag-bob": ("127.9.100.6", "127.9.100.7")},
            issuer=TokenIssuer(signing_key(), issuer=URL),
            seed=b"seed" * 8,
            authority="PEM",
            led=self.devices,
            zones=self.zones,
            flows=self.flows,
            quotas=self.quotas,
            rules=self.rules,
        )

    async def posted(self) -> list[tuple[str, dict[str, Any]]]:
        """What was posted, once nothing waits any more."""
        await settled(self.outbox)
        return self.callbacks.posts


async def settled(outbox: Outbox) -> None:
    """Wait until every lane of an outbox is empty."""
    async with asyncio.timeout(SOON):
        while outbox._tasks or len(outbox._events):  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@lru_cache
def signing_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@contextmanager
def app(app_instance_id: str, if_match: str = "", peer: str = "") -> Iterator[None]:
    """As the app of this id, whose request may be conditional, or for a peer."""
    caller = Caller(role="app", name=f"app.{app_instance_id}", operator="north", subject=app_instance_id)
    with serving(replace(first_call(caller), if_match=if_match, peer=peer)):
        yield


async def nothing() -> AsyncIterator[bytes]:
    empty: tuple[bytes, ...] = ()
    for part in empty:
        yield part


def transport(uri: str = "http://127.9.0.100:8080/api") -> Transport:
    return Transport(
        id="t",
        name="REST",
        type="REST_HTTP",
        protocol="HTTP",
        version="1.1",
        endpoint=EndPointInfo(uris=(uri,)),
        security=SecurityInfo(),
    )


def service(name: str) -> ServiceInfo:
    """A service that may be consumed from elsewhere, as its app announces it."""
    return ServiceInfo(
        ser_name=name,
        version="1",
        state=ServiceState.ACTIVE,
        serializer="JSON",
        transport_info=transport(),
        scope_of_locality=LocalityType.MEC_SYSTEM,
        consumed_local_only=False,
    )


def configuration(app_instance_id: str, *produced: str) -> AppConfiguration:
    """An app at 127.9.0.100:8080 with one traffic rule to itself, one name, and the services that it may offer."""
    to_itself = traffic.InterfaceDescriptor(interface_type=traffic.InterfaceType.IP, dst_ip_address="0.0.0.0")
    return AppConfiguration(
        app_instance_id=app_instance_id,
        app_d_id="d",
        app_name="name",
        app_provider="provider",
        tenant="acme",
        address="127.9.0.100",
        port=8080,
        traffic_rules=(
            traffic.TrafficRuleDescriptor(
                traffic_rule_id="in",
                filter_type=traffic.FilterType.FLOW,
                priority=1,
                traffic_filter=(traffic.TrafficFilter(dst_address=("127.9.1.1",), protocol=("tcp",)),),
                action=traffic.Action.FORWARD_DECAPSULATED,
                dst_interface=(to_itself,),
            ),
        ),
        dns_rules=(
            traffic.DNSRuleDescriptor(
                dns_rule_id="name",
                domain_name="app.example.com",
                ip_address_type=traffic.IpAddressType.IP_V4,
                ip_address="127.9.1.1",
            ),
        ),
        services_produced=tuple(ServiceDescriptor(ser_name=name, version="1") for name in produced),
    )
