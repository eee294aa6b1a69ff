"""At the border a partner has what the agreement says, while it is open, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from hanse.elements.border import Border
from hanse.elements.border.records import NAMES_KEPT
from hanse.kit.contract.call import Caller, current_call, first_call, serving
from hanse.kit.contract.declare import Stream
from hanse.kit.contract.exchange import Exchange
from hanse.kit.problems import Problem, not_found
from hanse.kit.store import Store
from hanse.kit.values import ABSENT
from hanse.model.agreement import Agreement
from hanse.refpoints.meo_fed.platforms import PlatformDiscovery, PlatformOffer
from hanse.refpoints.mff_fed.federation import Federation, FederationAnswer, FederationTerms, OfferedSystem
from hanse.refpoints.mfm_fed.members import MemberQuery, Partner, PartnerState
from hanse.refpoints.mpp_fed.consumption import ServiceConsumption
from tests.unit.elements.border.test_translation import platform

SPEECH = MemberQuery(ser_name=("speech",))


@dataclass
class Inside(Federation, PlatformDiscovery, ServiceConsumption):
    """What lies behind the border, and for whom it was asked."""

    asked: list[tuple[str, object]] = field(default_factory=list)
    problem: Problem | None = None
    speech: str = "harbour/id-speech"
    answer: Stream = field(default_factory=lambda: Stream(empty()))

    def note(self, what: object) -> None:
        self.asked.append((current_call().tenant, what))
        if self.problem is not None:
            raise self.problem

    async def form(self, terms: FederationTerms) -> FederationAnswer:
        self.note("form")
        return FederationAnswer(operator="north", open=True)

    async def end(self) -> None:
        self.note("end")

    async def offered_systems(self, query: MemberQuery) -> list[OfferedSystem]:
        self.note(query.ser_name)
        return [OfferedSystem(system_id="s", system_name="north", system_provider="north")]

    async def platforms(self, system_id: str, query: MemberQuery) -> list[PlatformOffer]:
        self.note(query.ser_name)
        offer = platform("coast", "speech", "payments")
        first = replace(offer.services[0], reference=self.speech)
        return [replace(offer, services=(first, *offer.services[1:]))]

    async def consume(self, reference: str, rest: str, exchange: Exchange) -> Stream:
        self.note((reference, rest))
        return self.answer


class Bench:
    """A border with the partners south (speech) and east (speech and payments); ``epochs`` of open agreements."""

    def __init__(self, names_kept: int = NAMES_KEPT) -> None:
        self.inside = Inside()
        self.epochs = {"south": 1, "east": 1}
        self.store = Store()
        self.hosts: list[str] = []
        self.zones = {"harbour": "coast"}
        self.agreements = {
            "south": Agreement(partner="south", services=("speech",)),
            "east": Agreement(partner="east", services=("speech", "payments")),
        }
        self.border = Border(
            store=self.store,
            agreements=self.agreements,
            standing=self.standing,
            manager=self.inside,
            orchestrator=self.inside,
            platform=self.platform,
            zones=self.zones,
            seed=b"s" * 32,
            names_kept=names_kept,
        )

    def standing(self, name: str) -> Partner | None:
        open_, epoch = name in self.epochs, self.epochs.get(name, 1)
        state = PartnerState.AVAILABLE if open_ else PartnerState.CLOSED
        return Partner(name=name, state=state, open=open_, epoch=epoch, since=0.0)

    def platform(self, host: str) -> ServiceConsumption:
        self.hosts.append(host)
        return self.inside

    async def reference(self, partner: str) -> str:
        """The name of the speech service as a partner was told it."""
        with by(partner):
            [offer] = await self.border.platforms("s", SPEECH)
        [service] = [s for s in offer.services if s.ser_name == "speech"]
        return service.reference


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.store.close()


@contextmanager
def by(partner: str) -> Iterator[None]:
    with serving(first_call(Caller(role="partner", name=partner, operator=partner, subject=partner))):
        yield


async def empty() -> AsyncIterator[bytes]:
    nothing: tuple[bytes, ...] = ()
    for part in nothing:
        yield part


def request() -> Exchange:
    return Exchange("GET", "", {}, empty())


async def consumed(bench: Bench, partner: str, reference: str) -> int:
    """The status that a partner gets for a call."""
    with by(partner):
        try:
            return (await bench.border.consume(reference, "v1/text", request())).status
        except Problem as problem:
            return problem.status


async def test_a_shared_service_is_reached_under_its_pseudonym_on_its_host(bench: Bench) -> None:
    reference = await bench.reference("south")
    assert await consumed(bench, "south", reference) == 200
    assert bench.hosts == ["harbour"]
    assert bench.inside.asked[-1] == ("south", ("id-speech;speech", "v1/text")), "only while it has the shared name"


async def test_what_an_app_says_of_its_own_failure_stays_inside(bench: Bench) -> None:
    reference = await bench.reference("south")
    let_go: list[str] = []

    async def traceback() -> AsyncIterator[bytes]:
        try:
            yield b"File /srv/secret/app.py"
            yield b"and more"
        finally:
            let_go.append("the connection to the app")

    bench.inside.answer = Stream(traceback(), status=503, headers=(("retry-after", "7"), ("etag", "inner")))
    with by("south"), pytest.raises(Problem) as caught:
        await bench.border.consume(reference, "v1/text", request())
    assert (caught.value.status, caught.value.title) == (503, "Not available now")
    assert caught.value.headers == {"Retry-After": "7"}
    assert let_go == ["the connection to the app"]
    bench.inside.answer = Stream(empty(), status=500)
    assert await consumed(bench, "south", reference) == 502


@pytest.mark.parametrize("status", [204, 302, 404, 409, 499])
async def test_what_an_app_refuses_is_its_own_word_to_the_consumer(bench: Bench, status: int) -> None:
    bench.inside.answer = Stream(empty(), status=status)
    assert await consumed(bench, "south", await bench.reference("south")) == status


async def test_a_real_name_or_a_guess_reaches_nothing(bench: Bench) -> None:
    await bench.reference("south")
    for guess in ("id-speech", "harbour/id-speech", "0" * 32, ""):
        assert await consumed(bench, "south", guess) == 404
    assert bench.hosts == []


async def test_a_pseudonym_is_good_for_its_own_partner_alone(bench: Bench) -> None:
    south, east = await bench.reference("south"), await bench.reference("east")
    assert south != east
    assert await consumed(bench, "east", south) == 404
    assert await consumed(bench, "south", east) == 404


@pytest.mark.parametrize(
    "change", [{"services": ("payments",)}, {"zones": ("inland",)}, None], ids=["service", "zone", "host"]
)
async def test_what_is_shared_no_longer_is_not_reached_under_a_name_that_was_told(
    bench: Bench, change: dict[str, tuple[str, ...]] | None
) -> None:
    told = await bench.reference("south")
    if change is None:
        bench.zones.clear()
    else:
        bench.agreements["south"] = Agreement(partner="south", **{"services": ("speech",), **change})
    assert await consumed(bench, "south", told) == 404
    assert bench.hosts == []


async def test_pseudonyms_of_an_earlier_opening_are_not_found(bench: Bench) -> None:
    old = await bench.reference("south")
    bench.epochs["south"] = 2
    assert await consumed(bench, "south", old) == 404
    new = await bench.reference("south")
    assert new != old
    assert await consumed(bench, "south", new) == 200


async def test_pseudonyms_of_earlier_openings_are_not_kept_and_those_of_others_are(bench: Bench) -> None:
    east = await bench.reference("east")
    for epoch in (1, 2, 3):
        bench.epochs["south"] = epoch
        south = await bench.reference("south")
    kept = bench.border._pseudonyms.values()
    assert [(p.partner, p.epoch) for p in kept if p.partner == "south"] == [("south", 3)]
    assert [await consumed(bench, *who) for who in (("south", south), ("east", east))] == [200, 200]


async def test_a_partner_cannot_fill_the_disk_with_names_and_the_oldest_go_first() -> None:
    bench = Bench(names_kept=3)
    named = []
    for number in range(5):
        bench.inside.speech = f"harbour/speech-{number}"
        named.append(await bench.reference("south"))
    assert [await consumed(bench, "south", name) for name in named] == [404, 404, 200, 200, 200]
    bench.inside.speech = "harbour/speech-0"
    assert await bench.reference("south") == named[0]
    assert [await consumed(bench, "south", name) for name in named] == [200, 404, 404, 200, 200]


async def test_while_the_agreement_is_closed_it_can_only_be_formed_or_ended(bench: Bench) -> None:
    reference = await bench.reference("south")
    del bench.epochs["south"]
    bench.inside.asked.clear()
    with by("south"):
        for call in (bench.border.offered_systems(SPEECH), bench.border.platforms("s", SPEECH)):
            with pytest.raises(Problem, match="No agreement") as caught:
                await call
            assert caught.value.status == 403
    assert await consumed(bench, "south", reference) == 403
    assert bench.inside.asked == []
    with by("south"):
        assert (await bench.border.form(FederationTerms(operator="south"))).open
        await bench.border.end()
    assert bench.inside.asked == [("south", "form"), ("south", "end")]


async def test_who_has_no_agreement_is_refused(bench: Bench) -> None:
    bench.epochs["west"] = 1
    with by("west"), pytest.raises(Problem) as caught:
        await bench.border.offered_systems(SPEECH)
    assert caught.value.status == 403


async def test_what_is_not_shared_cannot_even_be_asked_for(bench: Bench) -> None:
    with by("south"):
        assert await bench.border.offered_systems(MemberQuery(ser_name=("payments",))) == []
        assert await bench.border.platforms("s", MemberQuery(ser_name=("payments",))) == []
        assert bench.inside.asked == []
        await bench.border.offered_systems(MemberQuery(ser_name=("payments", "speech")))
    assert bench.inside.asked == [("south", ("speech",))]


async def test_asked_for_everything_a_partner_is_told_what_is_shared(bench: Bench) -> None:
    with by("south"):
        [south] = await bench.border.platforms("s", MemberQuery(ser_name=ABSENT))
    with by("east"):
        [east] = await bench.border.platforms("s", MemberQuery(ser_name=ABSENT))
    assert [s.ser_name for s in south.services] == ["speech"]
    assert [s.ser_name for s in east.services] == ["speech", "payments"]
    assert south.platform_id != east.platform_id


async def test_problems_of_the_inside_carry_no_name_of_it(bench: Bench) -> None:
    reference = await bench.reference("south")
    bench.inside.problem = not_found("service", "id-speech on mep.harbour")
    with by("south"):
        for call in (
            bench.border.platforms("s", SPEECH),
            bench.border.offered_systems(SPEECH),
            bench.border.consume(reference, "", request()),
            bench.border.form(FederationTerms(operator="south")),
        ):
            with pytest.raises(Problem) as caught:
                await call
            assert str(caught.value) == "404 No such resource"
