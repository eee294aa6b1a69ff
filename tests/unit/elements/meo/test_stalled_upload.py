"""An upload that stalls holds its package no longer than the patience for the next bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from hanse.kit.contract import body as bodies
from hanse.kit.contract.body import body_of
from hanse.kit.contract.declare import Stream
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mm1.packages import Checksum, CreateAppPkg, OnboardingState
from tests.bounds import SOON
from tests.unit.elements.meo.parts import Bench, tenant

WISH = CreateAppPkg(
    app_pkg_name="hello",
    app_pkg_version="1",
    checksum=Checksum(algorithm="SHA-256", hash="a" * 64),
    app_pkg_path="x",
)


async def test_a_stalled_upload_leaves_a_package_that_can_be_uploaded_again_and_says_why(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "STALL_PATIENCE", 0.2)
    begun: Iterator[dict[str, Any]] = iter([{"type": "http.request", "body": b"PK", "more_body": True}])

    async def receive() -> dict[str, Any]:
        for message in begun:
            return message
        await asyncio.sleep(3600)
        raise AssertionError

    with tenant("acme"):
        announced = (await bench.packages.create_package(WISH)).value
        async with asyncio.timeout(SOON):
            with pytest.raises(Problem) as caught:
                await bench.packages.upload_content(announced.id, Stream(body_of(receive), "application/zip"))
        assert caught.value.status == 408
        left = await bench.packages.read_package(announced.id)
    assert left.onboarding_state is OnboardingState.CREATED
    assert left.onboarding_failure_details is not ABSENT
    assert left.onboarding_failure_details.title == "Body stalled"
    assert list(bench.directory.iterdir()) == []
