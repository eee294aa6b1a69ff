"""Two requests for the same thing at once: one is carried out, the other is told so."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hanse.assembly.administration import administration
from hanse.assembly.onboarding import _chunks, _measure, ended, take_down
from hanse.kit.contract.declare import Accepted, Stream
from hanse.kit.problems import Problem
from hanse.refpoints.mm1.lifecycle import CreateAppInstanceRequest, InstantiateAppRequest
from hanse.refpoints.mm1.packages import Checksum, CreateAppPkg, OnboardingState
from tests.faults.operators import LoneOperator
from tests.faults.packages import package

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
    size, digest = _measure(archive)
    announced = CreateAppPkg(
        app_pkg_name="beacon",
        app_pkg_version="1",
        checksum=Checksum(algorithm="SHA-256", hash=digest),
        app_pkg_path="beacon.csar",
    )
    async with administration(operator.settings) as oss:
        identifier = (await oss.packages.create_package(announced)).value.id
        uploads = (oss.packages.upload_content(identifier, upload(archive, size)) for _ in range(2))
        answers = await asyncio.gather(*uploads, return_exceptions=True)
        assert len([answer for answer in answers if isinstance(answer, Accepted)]) == 1
        (refused,) = [answer for answer in answers if isinstance(answer, Problem)]
        assert (refused.status, refused.detail) == (409, "content is uploaded once, in state CREATED")
        async with asyncio.timeout(20):
            while (info := await oss.packages.read_package(identifier)).onboarding_state is OnboardingState.PROCESSING:
                await asyncio.sleep(0.05)
        assert info.onboarding_state is OnboardingState.ONBOARDED


def upload(archive: Path, size: int) -> Stream:
    return Stream(_chunks(archive), "application/zip", size)
