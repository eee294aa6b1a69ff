"""Name and path: what a device resolves, what its bytes pass, and what is left when the application has gone."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

import pytest

from hanse.assembly.administration import administration
from hanse.assembly.authentication import element_caller
from hanse.assembly.catalogue import elements
from hanse.assembly.identities import Identities
from hanse.assembly.onboarding import take_down
from hanse.kit.certificates import client_context
from hanse.kit.contract.client import Peer, client
from hanse.kit.contract.observe import Silence
from hanse.kit.contract.transport import HttpTransport
from hanse.kit.problems import Problem
from hanse.refpoints.mp2 import DataPlane, NameServer, RuleCounters
from hanse.scenarios.stage import example_module
from tests.faults.held_up import held_up
from tests.scenarios.scene import PATIENCE, Scene, ask, bearer, connections, until

NAME = "navigation.example.com"
HOST = "harbour"
RULE, RECORD = "directions", "navigation-name"
GREETING = b"GET /healthz HTTP/1.1\r\nHost: navigation\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def scene(separate_scene: Scene) -> Scene:
    """The data plane and the name server are asked over their own sockets, as the platform does."""
    return separate_scene


@asynccontextmanager
async def steering(scene: Scene) -> AsyncIterator[tuple[DataPlane, NameServer]]:
    """The host's data plane and name server, as its platform sees them (Mp2)."""
    known, identities = elements(scene.north), Identities(scene.north)
    context = client_context([identities.authority_path], identities.of_element(known[f"mep.{HOST}"]))
    caller = element_caller("north", f"mep.{HOST}")
    planes = HttpTransport(known[f"data_plane.{HOST}"].url, context)
    names = HttpTransport(known[f"names.{HOST}"].url, context)
    try:
        yield (
            client(DataPlane, Peer("data_plane", planes, caller, "Mp2", Silence())),
            client(NameServer, Peer("names", names, caller, "Mp2", Silence())),
        )
    finally:
        await planes.close()
        await names.close()


async def counters(scene: Scene) -> RuleCounters:
    async with steering(scene) as (plane, _):
        wanted = f"{scene.instances['navigation']}.{RULE}"
        return next(c for c in await plane.counters() if c.rule_id == wanted)


async def settled(scene: Scene) -> RuleCounters:
    """The counters once no connection stands: what an app says to one that a test has left is counted by then."""
    found: list[RuleCounters] = []

    async def quiet() -> bool:
        found.append(await counters(scene))
        return found[-1].open_flows == 0

    await until(quiet)
    return found[-1]


async def admitted(scene: Scene) -> bool:
    """Whether a new connection of alice passes."""
    try:
        answer = await scene.stage.device("north", "alice").request("GET", f"http://{virtual(scene)}:8080/healthz")
    except Problem:
        return False
    return answer.status == 200


def virtual(scene: Scene) -> str:
    return scene.stage.networks["127.10."] + "200.1"


async def test_a_device_learns_the_virtual_address_from_its_platforms_server(scene: Scene) -> None:
    assert await scene.stage.device("north", "alice").resolve(NAME) == virtual(scene)


async def test_the_application_has_the_data_plane_as_its_peer_and_never_the_device(scene: Scene) -> None:
    app, alice = scene.app("navigation"), scene.stage.device("north", "alice")
    _, writer = await alice.open(NAME, 8080)
    try:
        writer.write(GREETING[:20])  # it waits for the rest: the connection stands
        await writer.drain()

        async def arrived() -> bool:
            return any(own.endswith(":8080") for own, _ in connections(app.pid))

        await until(arrived)
        peers = {other.split(":")[0] for own, other in connections(app.pid) if own.endswith(":8080")}
    finally:
        writer.close()
    assert scene.north.hosts[HOST].data_plane in peers
    assert alice.address not in peers


async def test_the_rules_counter_equals_the_bytes_of_the_device(scene: Scene) -> None:
    before = await settled(scene)
    reader, writer = await scene.stage.device("north", "alice").open(NAME, 8080)
    writer.write(GREETING)
    async with asyncio.timeout(PATIENCE):
        answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200")
    after = await settled(scene)
    assert after.bytes_up - before.bytes_up == len(GREETING)
    assert after.bytes_down - before.bytes_down == len(answer)
    assert after.flows - before.flows == 1


async def test_a_deactivated_traffic_rule_lets_no_new_connection_pass(scene: Scene) -> None:
    app = scene.app("navigation")
    url = f"{app.support}/traffic_rules/{RULE}"
    rule = (await app.ask("GET", url)).value
    assert await admitted(scene)
    assert (await app.ask("PUT", url, {**rule, "state": "INACTIVE"})).status == 200
    try:
        assert not await admitted(scene)
    finally:
        assert (await app.ask("PUT", url, {**rule, "state": "ACTIVE"})).status == 200
    assert await admitted(scene)


async def test_a_deactivated_dns_rule_is_not_answered_any_more(scene: Scene) -> None:
    app, alice = scene.app("navigation"), scene.stage.device("north", "alice")
    url = f"{app.support}/dns_rules/{RECORD}"
    rule = (await app.ask("GET", url)).value
    assert (await app.ask("PUT", url, {**rule, "state": "INACTIVE"})).status == 200
    try:
        with pytest.raises(Problem) as refused:
            await alice.resolve(NAME)
        assert refused.value.status == 404
    finally:
        assert (await app.ask("PUT", url, {**rule, "state": "ACTIVE"})).status == 200
    assert await alice.resolve(NAME) == virtual(scene)


async def test_a_device_without_access_is_refused_and_counted_nowhere(scene: Scene) -> None:
    before = await settled(scene)
    stranger = scene.stage.device_at("north", "127.66.6.6", HOST)
    with pytest.raises(Problem, match="refused"):
        await stranger.request("GET", f"http://{NAME}:8080/healthz")
    after = await settled(scene)
    assert (after.bytes_up, after.flows) == (before.bytes_up, before.flows)


async def test_during_a_federated_call_the_application_talks_to_nobody_but_its_own_platform(scene: Scene) -> None:
    example_module("device")
    recording: bytes = import_module("tones").wav("1234", rng=random.Random(5))
    app, alice = scene.app("navigation"), scene.stage.device("north", "alice")
    seen: set[str] = set()
    call = asyncio.create_task(
        alice.request("POST", f"http://{NAME}:8080/directions", recording, {"content-type": "audio/wav"})
    )
    platform = app.platform.removeprefix("https://")

    async def came() -> bool:
        seen.update(other for _, other in connections(app.pid))
        return platform in seen

    with held_up([scene.app(host).pid for host in scene.south.hosts]):  # the call lasts until it has been seen
        await until(came, pause=0.01)
    while not call.done():
        seen |= {other for _, other in connections(app.pid)}
        await asyncio.sleep(0.01)
    answer = await call
    assert answer.status == 200, answer.body
    assert json.loads(answer.body)["heard"] == "1234"
    others = {peer for peer in seen if peer != platform and not peer.startswith(scene.north.hosts[HOST].data_plane)}
    assert not others


async def test_a_deleted_instance_leaves_no_process_file_rule_token_or_name(scene: Scene) -> None:
    """The last test of the module: it takes the application down."""
    app, identifier = scene.app("navigation"), scene.instances["navigation"]
    token, context, url = await app.token(), app.context(), app.services
    assert (await ask("GET", url, context, bearer(token))).status == 200
    async with administration(scene.north) as oss:
        await take_down(oss.lifecycle, identifier)
    assert not [pid for pid in scene.stage.workloads() if _speaks_of(pid, identifier)]
    assert not Path(f"/proc/{app.pid}").exists()
    assert not [path for path in scene.north.directory.rglob("*") if identifier in path.name]
    async with steering(scene) as (plane, names):
        assert not [f for f in await plane.forwardings() if f.owner == identifier]
        assert not [r for r in await names.records() if r.owner == identifier]
    assert (await ask("GET", url, context, bearer(token))).status == 401
    with pytest.raises(Problem) as gone:
        await scene.stage.device("north", "alice").resolve(NAME)
    assert gone.value.status == 404


def _speaks_of(pid: int, identifier: str) -> bool:
    directory = Path(f"/proc/{pid}")
    try:
        return identifier.encode() in (directory / "cmdline").read_bytes() + (directory / "environ").read_bytes()
    except OSError:
        return False
