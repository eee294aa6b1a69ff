"""Mp1, traffic rules: what is refused has changed nothing, neither what is told nor what passes (MEC 011, 7.2.8)."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from msgspec.structs import replace

from tests.contract.mp1_host import App, Host, refused
from tests.contract.test_mp1 import RULE

pytestmark = pytest.mark.asyncio(loop_scope="module")
HERE = "/traffic_rules/in"


def address(host: Host) -> str:
    """One of the networks that this host has claimed, so that hosts beside it listen elsewhere."""
    return host.base.removeprefix("https://").rpartition(".")[0] + ".177"


async def active(host: Host) -> App:
    """An app whose one rule is carried out, and which may take more at the same address: another waits for a tag."""
    (matched,) = RULE.traffic_filter
    elsewhere = replace(matched, dst_address=(address(host),))
    wider = replace(elsewhere, dst_port=(), protocol=("tcp", "udp", "sctp"), tag=("nobody",))
    rules = replace(RULE, traffic_filter=(elsewhere,)), replace(RULE, traffic_rule_id="all", traffic_filter=(wider,))
    app = await host.app(traffic=rules)
    await host.mm5.activate(app.id)
    return app


async def carried(host: Host, app: App) -> list[Any]:
    return [forwarding for forwarding in await host.data_plane.forwardings() if forwarding.owner == app.id]


async def test_an_empty_list_in_a_filter_asks_for_nothing_rather_than_for_what_cannot_be(host: Host) -> None:
    app = await active(host)
    before = await app.support("GET", HERE)
    empty: dict[str, Any] = {"srcAddress": [], "srcPort": [], "tag": [], "tgtTunnelAddress": []}
    changed = before.body | {"trafficFilter": [before.body["trafficFilter"][0] | empty]}
    replaced = await app.support("PUT", HERE, changed)
    assert (replaced.status, replaced.body) == (200, before.body)
    assert replaced.headers["etag"] == before.headers["etag"]


async def test_a_protocol_is_told_as_it_was_written_and_means_the_same(host: Host) -> None:
    app = await active(host)
    before = await app.support("GET", HERE)
    for written in (["6"], ["TCP"], ["17", "tcp"]):
        changed = before.body | {"trafficFilter": [before.body["trafficFilter"][0] | {"protocol": written}]}
        replaced = await app.support("PUT", HERE, changed)
        assert (replaced.status, replaced.body) == (200, changed)
        assert (await app.support("GET", HERE)).body == changed
        [passing] = await carried(host, app)
        assert passing.matches[0].protocol == tuple(written)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"srcAddress": ["nonsense"]}, ("trafficFilter[0].srcAddress", "nonsense")),
        ({"srcPort": ["99999"]}, ("trafficFilter[0].srcPort", "99999")),
        ({"dSCP": 99}, ("trafficFilter[0].dSCP", "63")),
        ({"dSCP": 7}, ("dSCP is not supported",)),
        ({"protocol": ["tcp", "tpc"]}, ("trafficFilter[0].protocol", "tpc", "0 to 255")),
        ({"protocol": ["47"]}, ("trafficFilter[0].protocol", "gre has none", "tcp, udp")),
        ({"protocol": ["sctp"]}, ("protocol sctp is not supported", "packet-level protocols")),
    ],
)
async def test_a_filter_that_is_refused_leaves_the_rule_as_it_was(
    host: Host, change: dict[str, Any], words: tuple[str, ...]
) -> None:
    app = await active(host)
    before, passing = await app.support("GET", HERE), await carried(host, app)
    changed = before.body | {"trafficFilter": [before.body["trafficFilter"][0] | change]}
    refused(await app.support("PUT", HERE, changed), 400, *words)
    after = await app.support("GET", HERE)
    assert (after.body, after.headers["etag"]) == (before.body, before.headers["etag"])
    assert await carried(host, app) == passing != []


async def test_a_port_that_is_taken_is_no_conflict_of_the_standard_and_leaves_the_rule_as_it_was(host: Host) -> None:
    app = await active(host)
    before, passing = await app.support("GET", HERE), await carried(host, app)
    with socket.socket() as other:
        other.bind((address(host), 0))
        other.listen()
        port = str(other.getsockname()[1])
        changed = before.body | {"trafficFilter": [before.body["trafficFilter"][0] | {"dstPort": [port]}]}
        refused(await app.support("PUT", HERE, changed), 403, port)
    assert (await app.support("GET", HERE)).body == before.body
    assert await carried(host, app) == passing != []


async def test_who_holds_an_old_representation_learns_that_before_what_is_wrong_with_it(host: Host) -> None:
    app = await active(host)
    wrong = (await app.support("GET", HERE)).body | {"priority": 256}
    refused(await app.support("PUT", HERE, wrong, if_match='"another"'), 412, "If-Match")
    refused(await app.support("PUT", "/traffic_rules/none", wrong | {"trafficRuleId": "none"}), 404, "none")
    refused(await app.support("PUT", HERE, wrong), 400, "priority")


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"dstInterface": [{"interfaceType": "IP", "dstIpAddress": "8.8.8.8"}]}, "dstInterface[0].dstIpAddress"),
        ({"trafficFilter": [{"dstAddress": ["127.0.0.53"], "dstPort": ["22"]}]}, "trafficFilter[0].dstAddress"),
        ({"trafficFilter": [{}], "priority": 0}, "trafficFilter[0].dstAddress"),
    ],
)
async def test_what_was_not_granted_is_forbidden_under_every_base_and_nothing_of_it_is_carried_out(
    host: Host, change: dict[str, Any], field: str, version: str
) -> None:
    app = await active(host)
    path = f"/mec_app_support/{version}/applications/{app.id}{HERE}"
    before, passing = await app.call("GET", path), await carried(host, app)
    refused(await app.call("PUT", path, before.body | change), 403, f"Not allowed: {field}", "descriptor's rules")
    after = await app.call("GET", path)
    assert (after.body, after.headers["etag"]) == (before.body, before.headers["etag"])
    assert await carried(host, app) == passing != []
