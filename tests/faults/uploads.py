"""On-boarding a package step by step, where a test needs what `hanse.assembly.onboarding` does in one go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

from hanse.assembly.administration import Administration
from hanse.kit.contract.declare import Stream
from hanse.refpoints.mm1.packages import AppPkgInfo, Checksum, CreateAppPkg, OnboardingState
from tests.bounds import SOON

CHUNK = 64 * 1024


def announced(archive: Path) -> CreateAppPkg:
    """What is said of a package before it is uploaded."""
    checksum = Checksum(algorithm="SHA-256", hash=sha256(archive.read_bytes()).hexdigest())
    return CreateAppPkg(app_pkg_name=archive.stem, app_pkg_version="1", checksum=checksum, app_pkg_path=archive.name)


def content(archive: Path) -> Stream:
    """Its bytes."""
    return Stream(_chunks(archive.read_bytes()), "application/zip", archive.stat().st_size)


async def checked(oss: Administration, app_pkg_id: str) -> AppPkgInfo:
    """The package once its check has ended."""
    deadline = time.monotonic() + SOON
    while True:
        info = await oss.packages.read_package(app_pkg_id)
        if info.onboarding_state is not OnboardingState.PROCESSING:
            return info
        assert time.monotonic() < deadline, "the package is still being checked"
        await asyncio.sleep(0.05)


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), CHUNK):
        yield body[start : start + CHUNK]
