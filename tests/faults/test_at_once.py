"""Two requests for the same thing at once: one is carried out, the other is told so."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from hanse.assembly.administration import administration
from hanse.assembly.onboarding import ended as operation_ended
from hanse.assembly.onboarding import take_down
from hanse.drivers.compute_process.processes import stat
from hanse.kit.contract.declare import Accepted
from hanse.kit.problems import Problem, ProblemDetails
from hanse.refpoints.mm1.lifecycle import CreateAppInstanceRequest, InstantiateAppRequest
from hanse.refpoints.mm1.packages import OnboardingState
from tests.bounds import SOON
from tests.faults.held_up import held_up
from tests.faults.lives import created, ended, started, terminate
from tests.faults.operators import LoneOperator
from tests.faults.packages import package
from tests.faults.remains import assert_unmentioned, until
from tests.faults.uploads import announced, checked, content

pytestmark = pytest.mark.timeout(120)


async def test_of_two_instantiations_at_once_one_begins_and_one_is_refused(operator: LoneOperator) -> None:
    app_d_id = await operator.on_board("halts")
    async with administration(operator.settings) as oss:
        identifier = (await oss.lifecycle.create_instance(CreateAppInstanceRequest(app_d_id=app_d_id))).value.id
        asked = (oss.lifecycle.instantiate(identifier, InstantiateAppRequest()) for _ in range(2))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        (accepted,) = [answer for answer in answers if isinstance(answer, Accepted)]
        (refused,) = [answer for answer in answers if isinstance(answer, Problem)]
        assert (refused.status, refused.title) == (409, "Another operation goes on")
        assert await until(lambda: _stands_still(operator.apps()))
        os.kill(operator.apps()[0], signal.SIGCONT)
        await operation_ended(oss.lifecycle, accepted, SOON)
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


async def test_of_two_terminations_at_once_one_begins_and_one_is_refused(operator: LoneOperator) -> None:
    identifier = await started(operator, await operator.on_board("beacon", variant="ended-twice"))
    async with administration(operator.settings) as oss:
        with held_up(operator.apps()):  # else the first might have ended before the second is heard
            answers = await asyncio.gather(*(terminate(oss, identifier) for _ in range(2)), return_exceptions=True)
        (_,) = [answer for answer in answers if isinstance(answer, Accepted)]
        (refused,) = [answer for answer in answers if isinstance(answer, Problem)]
        assert (refused.status, refused.title) == (409, "Another operation goes on")
    await ended(operator, identifier)


async def test_a_deletion_at_once_with_the_termination_is_refused_and_leaves_it_whole(operator: LoneOperator) -> None:
    identifier = await started(operator, await operator.on_board("beacon", variant="ended-and-deleted"))
    async with administration(operator.settings) as oss:
        with held_up(operator.apps()):
            answers = await asyncio.gather(
                terminate(oss, identifier), oss.lifecycle.delete_instance(identifier), return_exceptions=True
            )
        assert isinstance(answers[0], Accepted)
        assert isinstance(answers[1], Problem)
        assert answers[1].status == 409
    await ended(operator, identifier)


async def test_of_two_deletions_at_once_none_fails_otherwise_than_by_not_finding_it(operator: LoneOperator) -> None:
    identifier = await created(operator, await operator.on_board("beacon", variant="deleted-twice"))
    async with administration(operator.settings) as oss:
        twice = (oss.lifecycle.delete_instance(identifier) for _ in range(2))
        answers = await asyncio.gather(*twice, return_exceptions=True)
    problems = [answer for answer in answers if answer is not None]
    assert len(problems) < 2
    assert all(isinstance(problem, Problem) and problem.status in (404, 409) for problem in problems)
    await assert_unmentioned(operator, identifier)


async def test_of_two_packages_with_one_descriptor_at_once_one_is_taken_and_the_other_told_why(
    operator: LoneOperator,
) -> None:
    archive = await asyncio.to_thread(package, operator.deployment, operator.networks, "beacon", variant="twin")
    async with administration(operator.settings) as oss:
        identifiers = [(await oss.packages.create_package(announced(archive))).value.id for _ in range(2)]
        await asyncio.gather(*(oss.packages.upload_content(one, content(archive)) for one in identifiers))
        found = [await checked(oss, one) for one in identifiers]
        (taken,) = [info for info in found if info.onboarding_state is OnboardingState.ONBOARDED]
        (refused,) = [info for info in found if info.onboarding_state is not OnboardingState.ONBOARDED]
        failure = refused.onboarding_failure_details
        assert isinstance(failure, ProblemDetails)
        assert failure.status == 409
        await oss.packages.delete_package(refused.id)
        assert (await oss.packages.read_package(taken.id)).onboarding_state is OnboardingState.ONBOARDED
    await ended(operator, await started(operator, str(taken.app_d_id)))


def _stands_still(apps: list[int]) -> bool:
    """Whether the one app has begun and stopped itself."""
    found = [stat(pid) for pid in apps]
    return len(found) == 1 and found[0] is not None and found[0].state == "T"
