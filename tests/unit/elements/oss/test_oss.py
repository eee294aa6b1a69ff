"""A customer acts for its own tenant whatever it says, an administrator for all (ETSI GS MEC 003, 7.1.4.2)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from hanse.elements.oss import Oss
from hanse.kit.contract.call import Caller, continuing, current_call, first_call, serving
from hanse.kit.contract.direct import direct
from hanse.kit.contract.gate import Gate
from hanse.kit.contract.guard import Guard
from hanse.kit.contract.observe import Silence
from hanse.kit.problems import Problem
from hanse.refpoints.mfm_fed.members import Membership, Partner, PartnerState
from hanse.refpoints.mm1.lifecycle import AppInstanceInfo, CreateAppInstanceRequest, Lifecycle
from hanse.refpoints.mm1.packages import AppPkgInfo, PackageManagement
from hanse.refpoints.mm1.steering import SteeringPolicies
from hanse.refpoints.mm1.topology import SystemOverview, SystemTopology
from hanse.refpoints.mx1.overview import Overview
from hanse.refpoints.table import REFERENCE_POINTS

SOUTH = Partner(name="south", state=PartnerState.AVAILABLE, open=True, epoch=1, since=0.0)


class Inside(PackageManagement, Lifecycle, SystemTopology, Membership, SteeringPolicies):
    """The orchestrator and the federation manager: what they were asked, and for which tenant."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def note(self, what: str) -> None:
        self.asked.append((current_call().tenant, what))

    async def list_packages(self) -> list[AppPkgInfo]:
        self.note("list_packages")
        return []

    async def list_instances(self) -> list[AppInstanceInfo]:
        self.note("list_instances")
        return []

    async def create_instance(self, request: CreateAppInstanceRequest) -> Any:
        self.note(f"create_instance {request.app_d_id}")

    async def system(self) -> SystemOverview:
        return SystemOverview(operator="north", system_id="s", registered=(), hosts=(), apps=())

    async def list_partners(self) -> list[Partner]:
        return [SOUTH]

    async def close_agreement(self, partner: str) -> None:
        self.note(f"close {partner}")

    async def open_agreement(self, partner: str) -> None:
        self.note(f"open {partner}")


@pytest.fixture
def inside() -> Inside:
    return Inside()


@pytest.fixture
def oss(inside: Inside) -> Oss:
    return Oss(inside, inside, inside, inside, inside)


def customer(tenant: str) -> Caller:
    return Caller(role="customer", name=f"customer.{tenant}", operator="north", subject=tenant)


ADMINISTRATOR = Caller(role="administrator", name="administrator", operator="north")


@contextmanager
def by(caller: Caller) -> Iterator[None]:
    with serving(first_call(caller)):
        yield


def lifecycle(oss: Oss) -> Lifecycle:
    return cast(Lifecycle, oss.apis()[Lifecycle])


async def test_a_customers_requests_go_on_as_those_of_its_tenant(oss: Oss, inside: Inside) -> None:
    with by(customer("acme")):
        await lifecycle(oss).list_instances()
        await lifecycle(oss).create_instance(CreateAppInstanceRequest(app_d_id="d"))
        await cast(PackageManagement, oss.apis()[PackageManagement]).list_packages()
    assert inside.asked == [("acme", "list_instances"), ("acme", "create_instance d"), ("acme", "list_packages")]


async def test_a_customer_cannot_speak_for_another_tenant(oss: Oss, inside: Inside) -> None:
    with by(customer("acme")), continuing(tenant="other"):
        await lifecycle(oss).list_instances()
    assert inside.asked == [("acme", "list_instances")]


async def test_a_customer_without_tenant_is_refused_and_nothing_goes_on(oss: Oss, inside: Inside) -> None:
    with by(customer("")), pytest.raises(Problem, match="No tenant") as caught:
        await lifecycle(oss).list_instances()
    assert caught.value.status == 403
    assert inside.asked == []


async def test_a_customer_who_calls_himself_everybody_is_not(oss: Oss, inside: Inside) -> None:
    with by(customer("*")), pytest.raises(Problem, match="No tenant"):
        await lifecycle(oss).list_instances()
    assert inside.asked == []


async def test_an_administrator_sees_all_tenants(oss: Oss, inside: Inside) -> None:
    with by(ADMINISTRATOR):
        await lifecycle(oss).list_instances()
    assert inside.asked == [("*", "list_instances")]


async def test_an_administrator_sees_the_whole_and_opens_and_closes_agreements(oss: Oss, inside: Inside) -> None:
    overview = await oss.overview()
    assert (overview.system.operator, overview.partners) == ("north", (SOUTH,))
    await oss.close_agreement("south")
    await oss.open_agreement("south")
    assert [what for _, what in inside.asked] == ["close south", "open south"]


async def test_a_customer_may_neither_see_the_whole_nor_touch_an_agreement(oss: Oss, inside: Inside) -> None:
    gate = Gate("oss", "oss", "north", Guard(REFERENCE_POINTS), Silence())
    overview = direct(Overview, oss, gate, customer("acme"))
    for call in (overview.overview(), overview.close_agreement("south"), overview.open_agreement("south")):
        with pytest.raises(Problem, match="Not allowed") as caught:
            await call
        assert caught.value.status == 403
    assert inside.asked == []
    assert (await direct(Overview, oss, gate, ADMINISTRATOR).overview()).partners == (SOUTH,)
