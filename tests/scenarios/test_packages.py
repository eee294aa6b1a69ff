"""Packages at a real operator: what is not sound is refused with its reason and leaves nothing behind."""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hanse.assembly.administration import administration
from hanse.assembly.authentication import element_caller
from hanse.assembly.catalogue import elements
from hanse.assembly.identities import Identities
from hanse.assembly.onboarding import on_board, remove_package
from hanse.kit.certificates import client_context
from hanse.kit.contract.client import Peer, client
from hanse.kit.contract.declare import Stream
from hanse.kit.contract.observe import Silence
from hanse.kit.contract.transport import HttpTransport
from hanse.kit.problems import Problem, ProblemDetails
from hanse.model.package.manifest import BEGIN
from hanse.refpoints.mm1.lifecycle import CreateAppInstanceRequest
from hanse.refpoints.mm1.packages import (
    AppPkgInfo,
    AppPkgInfoModifications,
    Checksum,
    CreateAppPkg,
    OnboardingState,
    PackageManagement,
    PackageOperationalState,
    UsageState,
)
from tests.scenarios.broken_packages import BROKEN, LICENCE, MANIFEST, packed, signers, unpacked
from tests.scenarios.conftest import opened
from tests.scenarios.scene import PATIENCE, Scene, until


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """An operator without any application."""
    with opened(tmp_path_factory.mktemp("stage")) as made:
        asyncio.run(made.start())
        yield made


@pytest.fixture(scope="module")
def sound(scene: Scene) -> Path:
    """A package that is taken."""
    return scene.stage.package("speech", "earshot")


@asynccontextmanager
async def over_mm1(scene: Scene) -> AsyncIterator[PackageManagement]:
    """The orchestrator as the OSS sees it."""
    known, identities = elements(scene.south), Identities(scene.south)
    context = client_context([identities.authority_path], identities.of_element(known["oss"]))
    transport = HttpTransport(known["meo"].url, context)
    try:
        yield client(
            PackageManagement, Peer("meo", transport, element_caller("south", "administrator"), "Mm1", Silence())
        )
    finally:
        await transport.close()


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 65536):
        yield content[start : start + 65536]


async def announced(packages: PackageManagement, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    checksum = Checksum(algorithm="SHA-256", hash=digest)
    package = CreateAppPkg(app_pkg_name="speech", app_pkg_version="1", checksum=checksum, app_pkg_path="speech.csar")
    return (await packages.create_package(package)).value.id


async def uploaded(packages: PackageManagement, identifier: str, content: bytes) -> AppPkgInfo:
    """Upload and wait until it has been checked."""
    await packages.upload_content(identifier, Stream(pieces(content), "application/zip", len(content)))
    return await settled(packages, identifier)


async def settled(packages: PackageManagement, identifier: str) -> AppPkgInfo:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        info = await packages.read_package(identifier)
        if info.onboarding_state in (OnboardingState.CREATED, OnboardingState.ONBOARDED):
            return info
        await asyncio.sleep(0.05)
    raise AssertionError("the package was never checked")


def failure(info: AppPkgInfo) -> ProblemDetails:
    """Why it was refused; its state is that from which it can be uploaded again (4.2)."""
    assert info.onboarding_state is OnboardingState.CREATED
    assert info.operational_state is PackageOperationalState.DISABLED
    assert isinstance(info.onboarding_failure_details, ProblemDetails)
    return info.onboarding_failure_details


def kept(scene: Scene) -> set[Path]:
    """Files of packages and of images that the operator has."""
    roots = [scene.south.directory / "packages", *scene.south.directory.glob("vim.*")]
    return {path for root in roots for path in root.rglob("*") if path.is_file() and "sqlite" not in path.name}


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_package_that_is_not_sound_is_not_taken_and_its_fault_is_named(
    scene: Scene, sound: Path, kind: str
) -> None:
    breaking, title = BROKEN[kind]
    content, before = breaking(unpacked(sound), signers(scene)), kept(scene)
    async with administration(scene.south) as oss:
        identifier = await announced(oss.packages, content)
        try:
            first = failure(await uploaded(oss.packages, identifier, content))
            assert re.search(title, f"{first.title}: {first.detail}"), first
            assert kept(scene) == before
            again = failure(await uploaded(oss.packages, identifier, content))
            assert again == first
            assert kept(scene) == before
        finally:
            await oss.packages.delete_package(identifier)


async def test_the_orchestrator_itself_refuses_what_its_oss_hands_on_unread(scene: Scene, sound: Path) -> None:
    content = packed({**unpacked(sound), LICENCE: b"all yours"})
    async with over_mm1(scene) as packages:
        identifier = await announced(packages, content)
        assert failure(await uploaded(packages, identifier, content)).title == f"{LICENCE} was changed"
        await packages.delete_package(identifier)


async def test_content_that_is_not_the_announced_one_is_refused_and_the_right_one_taken_afterwards(
    scene: Scene, sound: Path
) -> None:
    right, wrong = sound.read_bytes(), packed({"another": b"package"})
    async with administration(scene.south) as oss:
        identifier = await announced(oss.packages, right)
        assert "checksum" in failure(await uploaded(oss.packages, identifier, wrong)).title
        info = await uploaded(oss.packages, identifier, right)
        assert info.onboarding_state is OnboardingState.ONBOARDED
        assert not isinstance(info.onboarding_failure_details, ProblemDetails)
        await remove_package(oss.packages, identifier)
    assert not kept(scene)


async def test_an_upload_whose_client_goes_away_leaves_nothing_and_can_be_repeated(scene: Scene, sound: Path) -> None:
    content = sound.read_bytes()
    context = client_context([Identities(scene.south).authority_path], Identities(scene.south).issue("administrator"))
    oss_url = elements(scene.south)["oss"]
    async with administration(scene.south) as oss:
        identifier = await announced(oss.packages, content)
        reader, writer = await asyncio.open_connection(oss_url.address, oss_url.port, ssl=context)
        path = f"/app_pkgm/v1/app_packages/{identifier}/package_content"
        head = f"PUT {path} HTTP/1.1\r\nhost: oss\r\ncontent-type: application/zip\r\ncontent-length: {len(content)}"
        writer.write(head.encode() + b"\r\n\r\n" + content[: len(content) // 2])
        await writer.drain()
        await _until_state(oss.packages, identifier, OnboardingState.UPLOADING)
        writer.transport.abort()
        told = failure(await settled(oss.packages, identifier))
        assert re.search("(?i)body|upload", told.title), told
        assert not kept(scene)
        assert (await uploaded(oss.packages, identifier, content)).onboarding_state is OnboardingState.ONBOARDED
        await remove_package(oss.packages, identifier)
        del reader


async def test_a_package_deleted_while_it_comes_in_is_gone_for_good(scene: Scene, sound: Path) -> None:
    content, more = sound.read_bytes(), asyncio.Event()

    async def halting() -> AsyncIterator[bytes]:
        yield content[:1000]
        await more.wait()
        yield content[1000:]

    async with administration(scene.south) as oss, administration(scene.south) as other:
        identifier = await announced(oss.packages, content)
        stream = Stream(halting(), "application/zip", len(content))
        upload = asyncio.create_task(oss.packages.upload_content(identifier, stream))
        await _until_state(other.packages, identifier, OnboardingState.UPLOADING)
        await other.packages.delete_package(identifier)
        more.set()
        with pytest.raises(Problem) as refused:
            await upload
        assert refused.value.status == 404, refused.value
    assert not kept(scene)


async def _until_state(packages: PackageManagement, identifier: str, state: OnboardingState) -> None:
    async def reached() -> bool:
        return (await packages.read_package(identifier)).onboarding_state is state

    await until(reached)


async def test_a_descriptor_is_on_boarded_once(scene: Scene, sound: Path) -> None:
    content = sound.read_bytes()
    async with administration(scene.south) as oss:
        first = await on_board(oss.packages, sound)
        before = kept(scene)
        second = await announced(oss.packages, content)
        told = failure(await uploaded(oss.packages, second, content))
        assert told.title.startswith(f"appDId {first.app_d_id}")
        assert kept(scene) == before
        assert (await oss.packages.read_onboarded(str(first.app_d_id))).id == first.id
        await oss.packages.delete_package(second)
        await remove_package(oss.packages, first.id)


async def test_openssl_accepts_the_signature_of_what_the_operator_keeps(
    scene: Scene, sound: Path, tmp_path: Path
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    async with administration(scene.south) as oss:
        info = await on_board(oss.packages, sound)
        content = b"".join([chunk async for chunk in (await oss.packages.download_content(info.id)).chunks])
        await remove_package(oss.packages, info.id)
    assert content == sound.read_bytes()
    manifest = unpacked(sound)[MANIFEST]
    text, _, rest = manifest.partition(BEGIN)
    authority = scene.stage.deployment.provider_authority().certificate_path
    (tmp_path / "signature").write_bytes(BEGIN + rest)
    assert await asyncio.to_thread(openssl_verifies, tmp_path, text, authority)
    assert not await asyncio.to_thread(openssl_verifies, tmp_path, text.replace(b"Earshot", b"Airshot"), authority)


def openssl_verifies(directory: Path, text: bytes, authority: Path) -> bool:
    (directory / "text").write_bytes(text)
    command = ["openssl", "cms", "-verify", "-inform", "PEM", "-in", "signature", "-content", "text", "-binary"]
    command += ["-CAfile", str(authority), "-purpose", "any", "-out", "said"]
    return subprocess.run(command, cwd=directory, capture_output=True, timeout=100, check=False).returncode == 0


async def test_a_package_is_deleted_only_when_it_is_disabled_and_nobody_uses_it(scene: Scene, sound: Path) -> None:
    enabled = AppPkgInfoModifications(operational_state=PackageOperationalState.ENABLED)
    disabled = AppPkgInfoModifications(operational_state=PackageOperationalState.DISABLED)
    async with administration(scene.south) as oss:
        packages, lifecycle = oss.packages, oss.lifecycle
        info = await on_board(packages, sound)
        assert info.operational_state is PackageOperationalState.ENABLED
        assert await status(packages.modify_package(info.id, enabled)) == 409
        assert await status(packages.delete_package(info.id)) == 403
        request = CreateAppInstanceRequest(app_d_id=str(info.app_d_id))
        instance = (await lifecycle.create_instance(request)).value.id
        assert (await packages.read_package(info.id)).usage_state is UsageState.IN_USE
        assert await packages.modify_package(info.id, disabled) == disabled
        assert await status(packages.modify_package(info.id, disabled)) == 409
        assert await status(packages.delete_package(info.id)) == 403
        assert await status(lifecycle.create_instance(request)) in (403, 409)
        await lifecycle.delete_instance(instance)
        assert (await packages.read_package(info.id)).usage_state is UsageState.NOT_IN_USE
        stream = Stream(pieces(b"PK"), "application/zip", 2)
        assert await status(packages.upload_content(info.id, stream)) == 409
        await packages.delete_package(info.id)
        assert await status(packages.read_package(info.id)) == 404
        assert await status(packages.read_onboarded(str(info.app_d_id))) == 404
    assert not kept(scene)


async def status(call: object) -> int:
    """The status with which a call is refused; 0 if it is not."""
    try:
        await call  # type: ignore[misc]
    except Problem as problem:
        return problem.status
    return 0
