"""A disk that is full costs a package, and nothing else."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from hanse.assembly.administration import administration
from hanse.kit.problems import Problem, ProblemDetails
from hanse.refpoints.mm1.packages import OnboardingState
from tests.faults.operators import LoneOperator
from tests.faults.packages import package
from tests.faults.uploads import announced, checked, content

ROOM = "1m"

pytestmark = pytest.mark.timeout(120)


SMALL = 'mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@"'
"""Mounts a small file system and becomes the rest of the words."""


def small_file_system(place: Path) -> list[str]:
    """The words of a command that becomes another, which finds a small file system at a place; no root is needed.

    In a user namespace of its own it may mount (user_namespaces(7)); in a mount namespace nobody else sees that.
    """
    return ["unshare", "--map-root-user", "--mount", "sh", "-c", SMALL, "sh", ROOM, str(place)]


def refusal(within: list[str]) -> str:
    """Why no program can be started so; empty if one can."""
    try:
        tried = subprocess.run([*within, "true"], capture_output=True, text=True, check=False, timeout=100)
    except OSError as error:
        return f"{within[0]}: {error.strerror}"
    return tried.stderr.strip() if tried.returncode else ""


@pytest.fixture
async def small_disk(operator: LoneOperator) -> Path:
    """The directory of packages, as the operator sees it, is a file system of its own with little room."""
    place = operator.settings.directory / "packages"
    place.mkdir(exist_ok=True)
    within = small_file_system(place)
    if reason := await asyncio.to_thread(refusal, within):
        pytest.skip(f"no file system can be mounted without root here: {reason}")
    operator.kill()
    await operator.start(within=within)
    return Path(f"/proc/{operator.process.pid}/root{place}")


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
