"""What crosses a border, and in which form: names become pseudonyms, problems lose what they say of the inside."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from hashlib import sha256

import msgspec

from hanse.elements.border.records import Pseudonym
from hanse.kit.problems import Problem
from hanse.model.agreement import Agreement
from hanse.refpoints.meo_fed.platforms import PlatformOffer, SharedService

OPEN_STATUSES = frozenset((400, 405, 406, 408, 413, 414, 415, 429))
"""Problems that speak of the partner's own request: told as they are."""

TOLD = {
    403: "Not allowed",
    404: "No such resource",
    409: "Not possible now",
    503: "Not available now",
    504: "No answer in time",
}


def pseudonym(seed: bytes, partner: str, epoch: int, kind: str, name: str) -> str:
    """A name for ``name`` that only this operator can lead back, different for each partner and each opening."""
    return hmac.new(seed, f"{partner} {epoch} {kind} {name}".encode(), sha256).hexdigest()[:32]


def outward(problem: Problem) -> Problem:
    """A problem as a partner may see it."""
    if problem.status in OPEN_STATUSES:
        return problem
    if problem.status in TOLD:
        return Problem(problem.status, TOLD[problem.status], headers=problem.headers)
    return Problem(502, "Failed inside", "the operator has been told")


class Translator:
    """Makes pseudonyms for one operator's platforms and services."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed

    def offers(
        self, found: Sequence[PlatformOffer], agreement: Agreement, epoch: int
    ) -> tuple[list[PlatformOffer], dict[str, Pseudonym]]:
        """Offers as the partner may see them, and what each new name stands for."""
        told: list[PlatformOffer] = []
        names: dict[str, Pseudonym] = {}
        for offer in found:
            if not agreement.shares_zone(offer.zone.name):
                continue
            services = [self._service(s, offer, agreement, epoch, names) for s in offer.services]
            kept = tuple(service for service in services if service is not None)
            if kept:
                name = pseudonym(self._seed, agreement.partner, epoch, "platform", offer.platform_id)
                told.append(PlatformOffer(platform_id=name, zone=offer.zone, services=kept))
        return told, names

    def _service(
        self,
        service: SharedService,
        offer: PlatformOffer,
        agreement: Agreement,
        epoch: int,
        names: dict[str, Pseudonym],
    ) -> SharedService | None:
        if not agreement.shares_service(service.ser_name):
            return None
        name = pseudonym(self._seed, agreement.partner, epoch, "service", service.reference)
        names[name] = Pseudonym(
            partner=agreement.partner,
            epoch=epoch,
            host=offer.platform_id,
            ser_instance_id=service.reference.partition("/")[2],
            ser_name=service.ser_name,
        )
        return msgspec.structs.replace(service, reference=name)
