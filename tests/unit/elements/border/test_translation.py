"""Nothing of the inside crosses a border: names become pseudonyms, problems lose what they say of the inside."""

from __future__ import annotations

import msgspec
import pytest

from hanse.elements.border.translation import Translator, outward, pseudonym
from hanse.kit.problems import Problem, unauthorized, unreachable
from hanse.model.agreement import Agreement
from hanse.model.place import Position, Zone
from hanse.refpoints.meo_fed.platforms import PlatformOffer, SharedService
from hanse.refpoints.mp1.services import ServiceState

SEED = b"s" * 32


def shared(name: str) -> SharedService:
    return SharedService(
        reference=f"harbour/id-{name}",
        ser_name=name,
        version="1",
        state=ServiceState.ACTIVE,
        serializer="JSON",
        transport_type="REST_HTTP",
        transport_version="1.1",
    )


def platform(zone: str = "coast", *names: str) -> PlatformOffer:
    middle = Zone(name=zone, position=Position(latitude=54.0, longitude=10.0))
    return PlatformOffer(platform_id="harbour", zone=middle, services=tuple(map(shared, names)))


def agreement(
    partner: str = "south", services: tuple[str, ...] = ("speech",), zones: tuple[str, ...] = ()
) -> Agreement:
    return Agreement(partner=partner, services=services, zones=zones)


def test_a_pseudonym_is_stable_and_different_for_each_partner_epoch_kind_and_name() -> None:
    made = {
        pseudonym(seed, partner, epoch, kind, name)
        for seed in (SEED, b"t" * 32)
        for partner in ("south", "east")
        for epoch in (1, 2)
        for kind in ("service", "platform")
        for name in ("a", "b")
    }
    assert len(made) == 32
    assert pseudonym(SEED, "south", 1, "service", "a") in made
    assert all(len(name) == 32 for name in made)


def test_a_partner_sees_shared_services_under_names_that_only_we_can_lead_back() -> None:
    told, names = Translator(SEED).offers([platform("coast", "speech", "payments")], agreement(), 1)
    [offer] = told
    [service] = offer.services
    assert b"harbour" not in msgspec.json.encode(told)
    assert b"payments" not in msgspec.json.encode(told)
    known = names[service.reference]
    assert (known.host, known.ser_instance_id, known.ser_name) == ("harbour", "id-speech", "speech")
    assert (known.partner, known.epoch) == ("south", 1)
    assert list(names) == [service.reference]


def test_a_platform_that_shares_nothing_is_not_there() -> None:
    assert Translator(SEED).offers([platform("coast", "payments")], agreement(), 1) == ([], {})


def test_a_zone_that_is_not_shared_is_not_there() -> None:
    offers = [platform("coast", "speech"), platform("inland", "speech")]
    told, _ = Translator(SEED).offers(offers, agreement(zones=("inland",)), 1)
    assert [offer.zone.name for offer in told] == ["inland"]


@pytest.mark.parametrize("status", [403, 404, 409, 503, 504])
def test_a_problem_inside_is_told_without_its_words(status: int) -> None:
    told = outward(Problem(status, "mep.harbour cannot", "127.10.1.1 said no"))
    assert told.status == status
    assert "harbour" not in str(told)
    assert "127" not in str(told)


@pytest.mark.parametrize(
    "inside", [Problem(500, "Internal error", "mep.harbour"), Problem(507, "x"), Problem(412, "x")]
)
def test_an_error_inside_is_only_said_to_have_happened(inside: Problem) -> None:
    assert str(outward(inside)) == "502 Failed inside: the operator has been told"


def test_a_refusal_between_our_own_elements_does_not_look_like_a_refusal_of_the_partner() -> None:
    assert outward(unauthorized("show a certificate of north")).status == 502


def test_what_is_wrong_with_the_partners_own_request_is_told_as_it_is() -> None:
    wrong = Problem(400, "Invalid attribute operator", "it must be your name")
    assert outward(wrong) is wrong


def test_when_to_try_again_is_told() -> None:
    assert outward(unreachable("mep.harbour")).headers == {"Retry-After": "1"}
