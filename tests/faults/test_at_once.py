"""Two requests for the same thing at once: one is carried out, the other is told so."""

from __future__ import annotations

import asyncio

import pytest

from hanse.assembly.administration import administration
from hanse.assembly.onboarding import ended, take_down
from hanse.kit.contract.declare import Accepted
from hanse.kit.problems import Problem
from hanse.refpoints.mm1.lifecycle import CreateAppInstanceRequest, InstantiateAppRequest
from hanse.refpoints.mm1.packages import OnboardingState
from tests.faults.operators import LoneOperator
from tests.faults.packages import package
from tests.faults.uploads import announced, checked, content

pytestmark = pytest.mark.timeout(60)


async def test_of_two_instantiations_at_once_one_begins_and_one_is_refused(operator: LoneOperator) -> None:
    app_d_id = await operator.on_board("beacon")
    async with administration(operator.settings) as oss:
        identifier = (await oss.lifecycle.create_instance(CreateAppInstanceRequest(app_d_id=app_d_id))).value.id
        asked = (oss.lifecycle.instantiate(identifier, InstantiateAppRequest()) for _ in range(2))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        (accepted,) = [answer for answer in answers if isinstance(answer, Accepted)]
        (refused,) = [answer for answer in answers if isinstance(answer, Problem)]
        assert (refused.status, refused.title) == (409, "Another operation goes on")
        await ended(oss.lifecycle, accepted, 20.0)
        assert len(operator.apps()) == 1
        await take_down(oss.lifecycle, identifier)


async def test_of_two_uploads_at_once_one_is_taken_and_one_is_refused(operator: LoneOperator) -> None:
    archive = await asyncio.to_thread(
        package, operator.deployment, operator.networks, "beacon", padding=4 * 1024 * 1024, variant="large"
    )
    async with administration(operator.settings) as oss:
        identifier = (await oss.packages.create_package(announced(archive))).value.id
        uploads = (oss.packages.upload_content(identifier, content(archive)) for _ in range(2))
        answers = await asyncio.gather(*uploads, return_exceptions=True)
        assert len([answer for answer in answers if isinstance(answer, Accepted)]) == 1
        (refused,) = [answer for answer in answers if isinstance(answer, Problem)]
        assert (refused.status, refused.detail) == (409, "content is uploaded once, in state CREATED")
        assert (await checked(oss, identifier)).onboarding_state is OnboardingState.ONBOARDED
