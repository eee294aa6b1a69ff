"""A disk that is full costs a package, and nothing else."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanse.assembly.administration import administration
from hanse.kit.problems import Problem, ProblemDetails
from hanse.refpoints.mm1.packages import OnboardingState
from tests.faults.operators import LoneOperator
from tests.faults.packages import package
from tests.faults.uploads import announced, checked, content

ROOM = "1m"

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def small_disk(operator: LoneOperator) -> Iterator[Path]:
    """The directory of packages on a file system of its own with little room."""
    if os.getuid() != 0:
        pytest.skip("needs root: a small file system is mounted for the packages")
    place = operator.settings.directory / "packages"
    place.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(place)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.root
async def test_a_package_that_finds_no_room_is_told_so_and_leaves_nothing(
    operator: LoneOperator, small_disk: Path
) -> None:
    large = await asyncio.to_thread(
        package, operator.deployment, operator.networks, "beacon", padding=4 * 1024 * 1024, variant="large"
    )
    small = await asyncio.to_thread(package, operator.deployment, operator.networks, "beacon")
    async with administration(operator.settings) as oss:
        identifier = (await oss.packages.create_package(announced(large))).value.id
        with pytest.raises(Problem) as refused:
            await oss.packages.upload_content(identifier, content(large))
        assert refused.value.status == 507
        info = await oss.packages.read_package(identifier)
        assert info.onboarding_state is OnboardingState.CREATED
        failure = info.onboarding_failure_details
        assert isinstance(failure, ProblemDetails)
        assert (failure.status, failure.title) == (507, "The package cannot be stored")
        assert "No space left" in failure.detail
        assert list(small_disk.iterdir()) == []
        await oss.packages.delete_package(identifier)

        other = (await oss.packages.create_package(announced(small))).value.id  # what fits is taken all the same
        await oss.packages.upload_content(other, content(small))
        assert (await checked(oss, other)).onboarding_state is OnboardingState.ONBOARDED
