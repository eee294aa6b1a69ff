"""A deleted package leaves no image at a host, also at one that could not be told at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hanse.refpoints.mm1.lifecycle import (
    CreateAppInstanceRequest,
    InstantiateAppRequest,
    StopType,
    TerminateAppRequest,
)
from hanse.refpoints.mm1.packages import AppPkgInfoModifications, PackageOperationalState
from tests.unit.elements.meo.parts import Bench, FakeHost, tenant

DISABLE = AppPkgInfoModifications(operational_state=PackageOperationalState.DISABLED)


async def used_and_deleted(bench: Bench, csar: Path) -> FakeHost:
    """A package whose instance has run and is gone, and which is deleted then; the host on which it was."""
    with tenant("acme"):
        info = await bench.on_board(csar)
        made = await bench.lifecycle.create_instance(CreateAppInstanceRequest(app_d_id=str(info.app_d_id)))
        await bench.ended((await bench.lifecycle.instantiate(made.value.id, InstantiateAppRequest())).location)
        host = next(host for host in bench.fakes.values() if host.images)
        forced = TerminateAppRequest(termination_type=StopType.FORCEFUL)
        await bench.ended((await bench.lifecycle.terminate(made.value.id, forced)).location)
        await bench.lifecycle.delete_instance(made.value.id)
        await bench.packages.modify_package(info.id, DISABLE)
        await bench.packages.delete_package(info.id)
    return host


async def cleared(host: FakeHost) -> bool:
    for _ in range(1000):  # 20 s: the machine may be busy
        if not host.images:
            return True
        await asyncio.sleep(0.02)
    return False


async def test_a_deleted_package_leaves_no_image_at_the_host(bench: Bench, csar: Path) -> None:
    host = await used_and_deleted(bench, csar)
    assert await cleared(host)


async def test_a_host_that_is_away_discards_the_image_when_it_is_back_however_late(
    bench: Bench, csar: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.outbox, "_give_up_after", 0.0)  # what everything else is given up after
    with tenant("acme"):
        info = await bench.on_board(csar)
        image = bench.meo.records.packages.get(info.id).images[0].sha256
        host = bench.fakes["harbour"]
        host.images[image], host.away = b"x", True
        await bench.packages.modify_package(info.id, DISABLE)
        await bench.packages.delete_package(info.id)
    await asyncio.sleep(0.1)
    assert host.images
    host.away = False
    assert await cleared(host)


async def test_an_image_that_another_package_has_too_is_kept(bench: Bench, csar: Path) -> None:
    with tenant("acme"):
        info = await bench.on_board(csar)
    record = bench.meo.records.packages.get(info.id)
    image = record.images[0].sha256
    await bench.store.commit(lambda tx: tx.put(bench.meo.records.packages, "other", record))
    bench.fakes["harbour"].images[image] = b"x"
    with tenant("acme"):
        await bench.packages.modify_package(info.id, DISABLE)
        await bench.packages.delete_package(info.id)
    await asyncio.sleep(0.1)
    assert bench.fakes["harbour"].images == {image: b"x"}
