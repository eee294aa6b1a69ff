"""Looking services up: in the system first, then in the federation (ETSI GR MEC 035, 6.5.2, steps 4 to 8)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

import msgspec

from hanse.elements.meo.domain import nearest
from hanse.elements.meo.hosts import Host
from hanse.elements.meo.presence import Presence
from hanse.elements.meo.records import Records
from hanse.kit.contract.call import continuing
from hanse.kit.problems import Problem, not_found
from hanse.kit.values import Absent
from hanse.model.place import Position
from hanse.refpoints.meo_fed.platforms import PlatformDiscovery, PlatformOffer, SharedService
from hanse.refpoints.mfm_fed.members import Member, MemberQuery, Membership
from hanse.refpoints.mm3.management import FoundService, OfferedService, PlatformReport, ServiceWanted
from hanse.refpoints.mp1.services import LocalityType, ServiceState

log = logging.getLogger("hanse.meo")

PEER_PATIENCE = 2.0
"""Seconds that a partner may take for one answer."""
MOST_TOLD = 1000
"""Services that a partner may tell of in one answer: what is found is kept where it is asked for."""
LARGEST_TOLD = 4096
"""Bytes of one of them as JSON."""
OWN_SYSTEM = ""


class SharedPlatforms(PlatformDiscovery):
    """Tells, through the border, which platforms offer a service. What is shared is the border's to decide."""

    def __init__(self, records: Records, hosts: Mapping[str, Host], presence: Presence) -> None:
        self._records = records
        self._hosts = hosts
        self._presence = presence

    async def platforms(self, system_id: str, query: MemberQuery) -> list[PlatformOffer]:
        """Platforms of this system with services that may be consumed from elsewhere."""
        own = self._records.membership.find("own")
        if own is None or own.system_id != system_id:
            raise not_found("system", system_id)
        return self.offers(query)

    def offers(self, query: MemberQuery) -> list[PlatformOffer]:
        """Platforms of this system that live, by their real names."""
        offers = []
        for report in self._records.reports.values():
            services = tuple(_shared(report, s) for s in report.services if offered(s, query))
            if services and report.host in self._hosts and not self._presence.silent(report.host):
                zone = self._hosts[report.host].zone
                offers.append(PlatformOffer(platform_id=report.host, zone=zone, services=services))
        return offers


def offered(service: OfferedService, query: MemberQuery) -> bool:
    """Whether a service fits a query and may be consumed from other hosts."""
    named = isinstance(query.ser_name, Absent) or service.ser_name in query.ser_name
    reachable = not service.consumed_local_only and service.scope_of_locality is LocalityType.MEC_SYSTEM
    return named and reachable and service.state is ServiceState.ACTIVE


def _shared(report: PlatformReport, service: OfferedService) -> SharedService:
    return SharedService(
        reference=f"{report.host}/{service.ser_instance_id}",
        ser_name=service.ser_name,
        version=service.version,
        state=service.state,
        serializer=service.serializer,
        transport_type=service.transport_type,
        transport_version=service.transport_version,
    )


class ServiceLookup:
    """Finds services in the own system, and where it has none, in systems of partners."""

    def __init__(self, own: SharedPlatforms, membership: Membership, peer: Callable[[str], PlatformDiscovery]) -> None:
        self._own = own
        self._membership = membership
        self._peer = peer

    async def find(self, wanted: ServiceWanted) -> list[FoundService]:
        """Services on the platform that suits the device best; none where nobody offers them."""
        if isinstance(wanted.ser_name, Absent):
            return []
        query = MemberQuery(ser_name=wanted.ser_name)
        own = self._own.offers(query)
        if own:
            return best([(OWN_SYSTEM, offer) for offer in own], wanted.position())
        members = await self._membership.find_members(query)  # steps 4 and 5: Mfm-fed, Mff-fed
        answers = await asyncio.gather(*(self._platforms(m, query) for m in members))  # steps 6 and 7: Meo-fed
        offers = [(member.partner, offer) for member, found in zip(members, answers, strict=True) for offer in found]
        return best(offers, wanted.position())  # step 8

    async def _platforms(self, member: Member, query: MemberQuery) -> list[PlatformOffer]:
        try:
            with continuing(patience=PEER_PATIENCE):
                return asked_for(await self._peer(member.partner).platforms(member.system_id, query), query)
        except Problem as problem:
            log.warning("asking %s for platforms failed: %s", member.partner, problem)
            return []


def asked_for(offers: Sequence[PlatformOffer], query: MemberQuery) -> list[PlatformOffer]:
    """Of a partner's answer what it was asked for, and no more than can be kept: its word is not ours."""
    kept, left = [], MOST_TOLD
    for offer in offers:
        services = tuple(s for s in offer.services if _is_asked_for(s, query))[:left]
        left -= len(services)
        if services:
            kept.append(msgspec.structs.replace(offer, services=services))
    return kept


def _is_asked_for(service: SharedService, query: MemberQuery) -> bool:
    named = isinstance(query.ser_name, Absent) or service.ser_name in query.ser_name
    return named and len(msgspec.json.encode(service)) <= LARGEST_TOLD


def best(offers: Sequence[tuple[str, PlatformOffer]], position: Position | None) -> list[FoundService]:
    """The services of the platform that is nearest to the device."""
    chosen = nearest([offer for _, offer in offers], position)
    if chosen is None:
        return []
    partner = next(partner for partner, offer in offers if offer is chosen)
    return [
        FoundService(
            system=partner,
            reference=service.reference,
            ser_name=service.ser_name,
            version=service.version,
            state=service.state,
            serializer=service.serializer,
            transport_type=service.transport_type,
            transport_version=service.transport_version,
            zone=chosen.zone.name,
        )
        for service in chosen.services
    ]
