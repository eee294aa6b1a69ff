"""Which device an app acts for is the app's to say and the platform's to check: nearness is never guessed."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest

from hanse.scenarios.at_once import ask_at_once
from hanse.scenarios.outcome import Record
from hanse.scenarios.u5 import HOME, NEAREST
from tests.scenarios.scene import App, Scene, Told, ask, bearer, connections, until

pytestmark = pytest.mark.timeout(120)

WANTED = "/mec_service_mgmt/v1/services?ser_name=speech-recognition"


async def test_travellers_who_ask_at_once_are_each_served_near_their_own_place(scene: Scene) -> None:
    record = Record("at-once", None)
    await ask_at_once(scene.stage, record, f"{HOME}/directions", NEAREST)
    assert [check.detail for check in record.outcome().checks if not check.passed] == []
    assert len(record.outcome().checks) == 2


async def found(app: App, peer: str = "") -> Told:
    """What the navigation app finds, maybe for a peer of its own."""
    serving = {"hanse-peer": peer} if peer else {}
    return await ask("GET", app.platform + WANTED, app.context(), bearer(await app.token()) | serving)


async def peers_of(scene: Scene, app: App, stack: AsyncExitStack) -> list[str]:
    """The ends of two connections that the app serves: alice's, who is in the west, and bob's, who is in the east."""
    known, peers = _ends(scene, app), list[str]()  # others may be on their way out
    for name in ("alice", "bob"):
        device = scene.stage.device("north", name)
        _, writer = await device.open("navigation.example.com", 8080)
        stack.callback(writer.close)
        writer.write(b"POST /directions HTTP/1.1\r\n")
        await writer.drain()

        async def came() -> bool:
            return bool(_ends(scene, app) - known)

        await until(came)
        [new] = _ends(scene, app) - known
        peers.append(new)
        known.add(new)
    return peers


def _ends(scene: Scene, app: App) -> set[str]:
    plane = scene.north.hosts["harbour"].data_plane
    return {other for _, other in connections(app.pid) if other.startswith(f"{plane}:")}


async def test_an_app_acts_for_the_device_that_it_names_and_for_no_other(scene: Scene) -> None:
    app = scene.app("navigation")
    async with AsyncExitStack() as stack:
        alice, bob = await peers_of(scene, app, stack)
        for_alice, for_bob, for_nobody = await found(app, alice), await found(app, bob), await found(app)
        assert [told.status for told in (for_alice, for_bob, for_nobody)] == [200, 200, 200]
        ids = [told.value[0]["serInstanceId"] for told in (for_alice, for_bob, for_nobody)]
        assert ids[0] != ids[1], "one service for both places"
        assert ids[2] == ids[0], "north's harbour is nearer to south's valley, as alice is"
        no_flow = await found(app, bob.rpartition(":")[0] + ":1")
    assert (no_flow.status, no_flow.value["title"]) == (403, "hanse-peer is no peer of yours")
    unreadable = await found(app, "bob")
    assert (unreadable.status, unreadable.value["title"]) == (400, "Invalid header hanse-peer")


async def test_a_device_that_has_left_is_nobody_to_act_for(scene: Scene) -> None:
    app = scene.app("navigation")
    async with AsyncExitStack() as stack:
        alice, _ = await peers_of(scene, app, stack)
        assert (await found(app, alice)).status == 200

    async def refused() -> bool:
        return (await found(app, alice)).status == 403

    await until(refused)
