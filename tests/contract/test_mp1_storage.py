"""An app's volume is there before it starts, through its stops, and not after its end (ETSI GS MEC 003, 7.1.2)."""

from __future__ import annotations

from pathlib import Path

import pytest

from hanse.elements.mep import Platform
from hanse.kit.values import ABSENT
from hanse.refpoints.mm5.platform import StandingQuery, VolumeStanding
from tests.contract.mp1_host import Host

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_volume_outlives_a_stop_and_a_restart_and_ends_with_its_instance(host: Host) -> None:
    app, other = await host.app(storage=1_000_000), await host.app(storage=1_000_000)
    kept = Path(app.volume) / "kept"
    kept.write_text("a map")
    await host.mm5.activate(app.id)
    await host.mm5.deactivate(app.id)
    platform = host.built.part("mep.harbour")
    assert isinstance(platform, Platform)
    await platform.shut_down()
    await platform.start_up()
    assert kept.read_text() == "a map"
    await host.mm5.forget(app.id)
    assert not Path(app.volume).exists()
    assert Path(other.volume).is_dir()


async def test_a_manager_sees_how_full_a_volume_is(host: Host) -> None:
    app, bare = await host.app(storage=1_000_000), await host.app()
    standing = await host.mm5.standing(app.id, StandingQuery(wait=0))
    assert standing.volume == VolumeStanding(size=1_000_000, used=0)
    assert (bare.volume, (await host.mm5.standing(bare.id, StandingQuery(wait=0))).volume) == ("", ABSENT)
