"""Only a sound package of the caller is on-boarded; a failure leads back to CREATED and leaves no file (7.3)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hanse.elements.meo import packages_check
from hanse.kit.contract.declare import Stream
from hanse.kit.contract.exchange import whole
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mm1.lifecycle import CreateAppInstanceRequest
from hanse.refpoints.mm1.packages import (
    AppPkgInfoModifications,
    Checksum,
    CreateAppPkg,
    OnboardingState,
    PackageOperationalState,
)
from tests.unit.elements.meo.parts import Bench, pieces, tenant

ENABLE = AppPkgInfoModifications(operational_state=PackageOperationalState.ENABLED)
DISABLE = AppPkgInfoModifications(operational_state=PackageOperationalState.DISABLED)
SHA = Checksum(algorithm="SHA-256", hash="a" * 64)


def wish(name: str = "hello", version: str = "1", checksum: Checksum = SHA) -> CreateAppPkg:
    return CreateAppPkg(app_pkg_name=name, app_pkg_version=version, checksum=checksum, app_pkg_path="x")


async def test_a_sound_package_is_on_boarded_with_what_its_descriptor_says(bench: Bench, csar: Path) -> None:
    with tenant("acme"):
        info = await bench.on_board(csar)
        assert info.onboarding_state is OnboardingState.ONBOARDED
        assert info.operational_state is PackageOperationalState.ENABLED
        assert [image.name for image in info.software_images or ()] != []
        assert await bench.packages.read_onboarded(str(info.app_d_id)) == info
        archive = await bench.packages.download_content(info.id)
        assert await whole(archive.chunks, 10**8) == csar.read_bytes()
        text = await bench.packages.read_descriptor(info.id)
        assert b"tosca_definitions_version" in await whole(text.chunks, 10**6)


async def test_a_package_that_is_not_what_was_announced_is_refused_with_its_digest(bench: Bench, csar: Path) -> None:
    with tenant("acme"):
        info = await bench.on_board(csar, digest="b" * 64)
    assert info.onboarding_state is OnboardingState.CREATED
    assert info.onboarding_failure_details is not ABSENT
    assert info.onboarding_failure_details.title == "Invalid attribute checksum"
    assert list(bench.directory.iterdir()) == []


async def test_a_package_of_an_untrusted_provider_is_refused(csar: Path, tmp_path: Path) -> None:
    bench = Bench(tmp_path / "packages", ())
    await bench.outbox.start()
    with tenant("acme"):
        info = await bench.on_board(csar)
    assert info.onboarding_state is OnboardingState.CREATED
    assert info.onboarding_failure_details is not ABSENT
    assert list(bench.directory.iterdir()) == []
    await bench.outbox.close()
    bench.store.close()


async def test_an_error_of_ours_does_not_leave_a_package_in_processing_for_ever(
    bench: Bench, csar: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise KeyError("a fault in our own check")

    with tenant("acme"):
        with monkeypatch.context() as patch:
            patch.setattr(packages_check, "verify", breaks)
            info = await bench.on_board(csar)
        assert info.onboarding_state is OnboardingState.CREATED
        assert info.onboarding_failure_details is not ABSENT
        assert info.onboarding_failure_details.title == "Internal error"
        assert list(bench.directory.iterdir()) == []
        await bench.packages.upload_content(info.id, Stream(pieces(csar.read_bytes())))


async def test_a_late_failure_takes_nothing_from_a_package_that_is_on_boarded(bench: Bench, csar: Path) -> None:
    with tenant("acme"):
        info = await bench.on_board(csar)
        await bench.packages.onboarding.failed(info.id, Problem(500, "Internal error").encode().decode())
        assert await bench.packages.read_package(info.id) == info
        archive = await bench.packages.download_content(info.id)
        assert await whole(archive.chunks, 10**8) == csar.read_bytes()


async def test_an_upload_that_breaks_off_can_be_repeated(bench: Bench, csar: Path) -> None:
    with tenant("acme"):
        created = (await bench.packages.create_package(wish())).value
        with pytest.raises(Problem, match=r".") as caught:
            await bench.packages.upload_content(created.id, Stream(pieces(b"x" * 9000, breaks=True)))
        assert caught.value.status == 507
        again = await bench.packages.read_package(created.id)
        assert again.onboarding_state is OnboardingState.CREATED
        assert list(bench.directory.iterdir()) == []
        await bench.packages.upload_content(created.id, Stream(pieces(csar.read_bytes())))


async def test_content_is_uploaded_once(bench: Bench, csar: Path) -> None:
    with tenant("acme"):
        info = await bench.on_board(csar)
        with pytest.raises(Problem, match="in state CREATED") as caught:
            await bench.packages.upload_content(info.id, Stream(pieces(b"other")))
        assert caught.value.status == 409


async def test_the_same_descriptor_is_on_boarded_once(bench: Bench, csar: Path) -> None:
    with tenant("acme"):
        await bench.on_board(csar)
        second = await bench.on_board(csar)
    assert second.onboarding_state is OnboardingState.CREATED
    assert second.onboarding_failure_details is not ABSENT
    assert "is on-boarded already" in second.onboarding_failure_details.title


async def test_a_package_goes_only_when_it_is_disabled_and_unused(bench: Bench, csar: Path) -> None:
    with tenant("acme"):
        info = await bench.on_board(csar)
        with pytest.raises(Problem, match="Package is ENABLED") as caught:
            await bench.packages.delete_package(info.id)
        assert caught.value.status == 403
        made = await bench.lifecycle.create_instance(CreateAppInstanceRequest(app_d_id=str(info.app_d_id)))
        await bench.packages.modify_package(info.id, DISABLE)
        with pytest.raises(Problem, match="Package is IN_USE") as caught:
            await bench.packages.delete_package(info.id)
        assert caught.value.status == 403
        await bench.lifecycle.delete_instance(made.value.id)
        await bench.packages.delete_package(info.id)
        assert await bench.packages.list_packages() == []
    assert list(bench.directory.iterdir()) == []


async def test_a_package_is_changed_only_to_the_other_state(bench: Bench, csar: Path) -> None:
    with tenant("acme"):
        created = (await bench.packages.create_package(wish())).value
        with pytest.raises(Problem, match="not on-boarded"):
            await bench.packages.modify_package(created.id, DISABLE)
        info = await bench.on_board(csar)
        with pytest.raises(Problem, match="Package is ENABLED") as caught:
            await bench.packages.modify_package(info.id, ENABLE)
        assert caught.value.status == 409
        await bench.packages.modify_package(info.id, DISABLE)
        with pytest.raises(Problem, match="Package is DISABLED") as caught:
            await bench.lifecycle.create_instance(CreateAppInstanceRequest(app_d_id=str(info.app_d_id)))
        assert caught.value.status == 403


@pytest.mark.parametrize(
    ("wrong", "title"),
    [
        (wish(name=""), "appPkgName"),
        (wish(version=""), "appPkgVersion"),
        (wish(checksum=Checksum(algorithm="MD5", hash="a" * 32)), "checksum.algorithm"),
        (wish(checksum=Checksum(algorithm="SHA-256", hash="a" * 63)), "checksum.hash"),
        (wish(checksum=Checksum(algorithm="SHA-256", hash="g" * 64)), "checksum.hash"),
        (wish(checksum=Checksum(algorithm="SHA-512", hash="a" * 64)), "checksum.hash"),
    ],
)
async def test_an_announcement_that_cannot_be_checked_is_refused(bench: Bench, wrong: CreateAppPkg, title: str) -> None:
    with pytest.raises(Problem, match=title) as caught:
        await bench.packages.create_package(wrong)
    assert caught.value.status == 400


async def test_another_tenant_does_not_see_a_package_and_an_administrator_does(bench: Bench, csar: Path) -> None:
    with tenant("acme"):
        info = await bench.on_board(csar)
    with tenant("other"):
        assert await bench.packages.list_packages() == []
        assert await bench.packages.list_onboarded() == []
        for call in (
            bench.packages.read_package(info.id),
            bench.packages.delete_package(info.id),
            bench.packages.modify_package(info.id, DISABLE),
            bench.packages.download_content(info.id),
            bench.packages.read_onboarded(str(info.app_d_id)),
        ):
            with pytest.raises(Problem) as caught:
                await call
            assert caught.value.status == 404
    with tenant("*"):
        assert [found.id for found in await bench.packages.list_packages()] == [info.id]


async def test_nothing_can_be_read_of_a_package_that_was_not_checked(bench: Bench) -> None:
    with tenant("acme"):
        created = (await bench.packages.create_package(wish())).value
        for call in (bench.packages.download_content(created.id), bench.packages.read_descriptor(created.id)):
            with pytest.raises(Problem, match="not on-boarded") as caught:
                await call
            assert caught.value.status == 403


async def test_what_a_crash_cut_off_has_failed_and_leaves_no_file(bench: Bench) -> None:
    with tenant("acme"):
        created = (await bench.packages.create_package(wish())).value
        hanging = asyncio.Event()

        async def never_ends() -> None:
            await bench.packages.upload_content(created.id, Stream(_stuck(hanging)))

        upload = asyncio.create_task(never_ends())
        await hanging.wait()
        (bench.directory / "stranger").mkdir()
        await bench.packages.start_up()
        again = await bench.packages.read_package(created.id)
        assert again.onboarding_failure_details is not ABSENT
        assert again.onboarding_failure_details.title == "Upload interrupted"
        assert list(bench.directory.iterdir()) == []
        upload.cancel()
        await asyncio.gather(upload, return_exceptions=True)


async def _stuck(hanging: asyncio.Event) -> AsyncIterator[bytes]:
    yield b"begun"
    hanging.set()
    await asyncio.Event().wait()
