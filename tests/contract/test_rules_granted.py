"""Whatever an app asks beyond its grant, on every data plane devices of another app still reach that app."""

from __future__ import annotations

from typing import Any, cast

import pytest
from msgspec.structs import replace

from hanse.elements.mep.app_rules.limits import Changes, RulePolicy
from hanse.kit.problems import Problem
from hanse.model.descriptor import traffic
from hanse.model.descriptor.traffic import Action
from hanse.refpoints.mp1.support import TrafficFilter, TrafficRule
from tests.contract.grounds import PORT, Ground, Run, connected, says, told
from tests.unit.elements.mep.parts import Bench, Plane, configuration

SECOND_PORT = PORT + 1
"""At the same virtual address, the other app's."""


async def platform(ground: Ground, serve: Run, changes: Changes) -> Bench:
    """Two apps that say who they are, at two ports of one address, by rules of one priority."""
    bench = Bench(plane=cast(Plane, ground.plane), rules=RulePolicy(changes=changes))
    for name, address, port in (("one", ground.app, PORT), ("two", ground.other_app, SECOND_PORT)):
        await serve(says(name.encode()), address)
        known = configuration(name)
        wanted = traffic.TrafficFilter(dst_address=(ground.virtual,), dst_port=(str(port),), protocol=("tcp",))
        rule = replace(known.traffic_rules[0], priority=5, traffic_filter=(wanted,))
        package: dict[str, Any] = {"app_d_id": f"d-{name}", "address": address, "port": PORT}
        app = replace(known, traffic_rules=(rule,), dns_rules=(), **package)
        await bench.platform.configuration.configure(name, app)
        await bench.platform.configuration.activate(name)
    return bench


async def rule(bench: Bench) -> TrafficRule:
    return (await bench.platform.support.read_traffic_rule("two", "in")).value


def attacks(ground: Ground, before: TrafficRule) -> list[TrafficRule]:
    """What would lead devices of the first app to the second, or the second's to where they never meant to go."""
    anothers = TrafficFilter(dst_address=(ground.virtual,), dst_port=(str(PORT),))
    ports = f"{PORT}-{SECOND_PORT}"
    filters = [
        (replace(anothers, protocol=("6",)),),
        (*before.traffic_filter, anothers),
        (replace(anothers, dst_port=(ports,), protocol=("tcp",)),),
        (TrafficFilter(src_address=(ground.device,), protocol=("tcp",), dst_port=(str(PORT),)),),
    ]
    own = before.dst_interface[0]
    elsewhere = [(replace(own, dst_ip_address=address),) for address in ("8.8.8.8", ground.app, ground.device)]
    return [
        *(replace(before, priority=p, traffic_filter=wanted) for p in (0, 4, 5) for wanted in filters),
        *(replace(before, traffic_filter=filters[0], action=Action.DROP, dst_interface=(), priority=p) for p in (0, 9)),
        *(replace(before, dst_interface=to) for to in elsewhere),
    ]


@pytest.mark.parametrize("changes", list(Changes))
async def test_after_each_refused_change_devices_still_reach_the_app_that_they_dial(
    ground: Ground, serve: Run, changes: Changes
) -> None:
    bench = await platform(ground, serve, changes)
    before = await rule(bench)
    for wanted in attacks(ground, before):
        with pytest.raises(Problem) as refused:
            await bench.platform.support.update_traffic_rule("two", "in", wanted)
        assert refused.value.status == 403, wanted
        assert await rule(bench) == before
        assert await told(ground) == b"one", wanted
    assert await said(ground, SECOND_PORT) == b"two"


async def test_what_was_granted_can_still_be_narrowed_ordered_and_switched(ground: Ground, serve: Run) -> None:
    bench = await platform(ground, serve, Changes.GRANTED)
    before = await rule(bench)
    narrow = replace(before.traffic_filter[0], src_address=(ground.device,))
    for wanted in (replace(before, priority=0), replace(before, traffic_filter=(narrow,)), before):
        await bench.platform.support.update_traffic_rule("two", "in", wanted)
        assert (await said(ground, SECOND_PORT), await told(ground)) == (b"two", b"one")


async def said(ground: Ground, port: int) -> bytes:
    """What a device hears at a port of the virtual address."""
    reader, writer = await connected(ground.socket(ground.device), (ground.virtual, port))
    try:
        return await reader.read()
    finally:
        writer.close()
