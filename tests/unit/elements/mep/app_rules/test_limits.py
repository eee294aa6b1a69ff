"""An app changes its traffic rules within what it was granted, and nothing else of it changes anything (7.2.8)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hanse.elements.mep.app_rules.limits import Changes, RulePolicy
from hanse.kit.problems import Problem
from hanse.kit.receivers import Receivers
from hanse.kit.store import Store
from hanse.kit.values import ABSENT
from hanse.model.descriptor import traffic
from hanse.model.descriptor.traffic import Action, InterfaceType
from hanse.refpoints.mm5.platform import AppConfiguration
from hanse.refpoints.mp1.support import DestinationInterface, RuleState, TrafficFilter, TrafficRule, TunnelInfo
from tests.unit.elements.mep.parts import Bench, configuration

VIRTUAL = "127.9.1.1"
GRANTED = traffic.TrafficFilter(
    dst_address=(VIRTUAL,), dst_port=("80-90",), protocol=("tcp",), src_address=("127.9.5.1",)
)
OWN = (DestinationInterface(interface_type=InterfaceType.IP, dst_ip_address="0.0.0.0"),)
MAC, OTHER_MAC = "02:00:00:00:00:07", "02:00:00:00:00:08"
TUNNEL = traffic.InterfaceDescriptor(
    interface_type=InterfaceType.TUNNEL,
    tunnel_info=traffic.TunnelInfo(tunnel_type="GTP-U", tunnel_dst_address="127.9.3.1", tunnel_src_address="127.9.3.2"),
)
TO_MAC = traffic.InterfaceDescriptor(
    interface_type=InterfaceType.MAC, dst_mac_address=MAC.upper(), src_mac_address="02-00-00-00-00-09"
)


def app(*filters: traffic.TrafficFilter, **rule: Any) -> AppConfiguration:
    known = configuration("one")
    wanted = replace(known.traffic_rules[0], traffic_filter=filters or (GRANTED,), **rule)
    return replace(known, traffic_rules=(wanted,))


async def rule_of(bench: Bench, name: str = "one") -> TrafficRule:
    return (await bench.platform.support.list_traffic_rules(name))[0]


async def change(bench: Bench, **changes: Any) -> TrafficRule:
    return (
        await bench.platform.support.update_traffic_rule("one", "in", replace(await rule_of(bench), **changes))
    ).value


async def refused(bench: Bench, field: str, *words: str, **changes: Any) -> None:
    """The change is a problem 403 that names the field and says these words, and nothing has changed."""
    before, carried = await rule_of(bench), dict(bench.plane.rules)
    with pytest.raises(Problem) as found:
        await change(bench, **changes)
    assert (found.value.status, found.value.title) == (403, f"Not allowed: {field}")
    assert all(word in found.value.detail for word in words), found.value.detail
    assert await rule_of(bench) == before
    assert bench.plane.rules == carried != {}


async def running(bench: Bench, wanted: AppConfiguration) -> Bench:
    await bench.platform.configuration.configure("one", wanted)
    await bench.platform.configuration.activate("one")
    return bench


def asking(**attributes: Any) -> tuple[TrafficFilter, ...]:
    """The granted filter with other attributes."""
    known: dict[str, Any] = {"dst_address": (VIRTUAL,), "dst_port": ("80-90",), "protocol": ("tcp",)}
    return (TrafficFilter(**known | attributes),)


@pytest.mark.parametrize(
    "changes",
    [
        {"traffic_filter": asking(dst_port=("81", "85-90"))},
        {"traffic_filter": asking(protocol=("6",))},
        {"traffic_filter": asking(src_address=("127.9.5.9",))},
        {"traffic_filter": asking(src_port=("1-1023",), tag=("bob",))},
        {"traffic_filter": asking() + asking(dst_port=("80",))},
        {"priority": 0},
        {"priority": 255},
        {"action": Action.DROP, "dst_interface": ()},
        {"action": Action.DUPLICATE_DECAPSULATED, "dst_interface": OWN * 2},
        {"state": RuleState.INACTIVE},
    ],
)
async def test_what_only_narrows_or_orders_what_was_granted_is_the_apps_own_matter(
    bench: Bench, changes: dict[str, Any]
) -> None:
    await running(bench, app())
    before = await rule_of(bench)
    assert await change(bench, **changes) == replace(before, **changes)
    assert (await bench.platform.support.update_traffic_rule("one", "in", before)).value == before


@pytest.mark.parametrize(
    ("attributes", "named", "granted"),
    [
        ({"dst_address": ("127.9.1.2",)}, "dstAddress", VIRTUAL),
        ({"dst_address": (VIRTUAL, "8.8.8.8")}, "dstAddress", VIRTUAL),
        ({"dst_address": ("127.9.1.0/24",)}, "dstAddress", VIRTUAL),
        ({"dst_address": ("127.9.1.0-127.9.1.1",)}, "dstAddress", VIRTUAL),
        ({"dst_address": ABSENT}, "dstAddress", VIRTUAL),
        ({"dst_address": ("::/0",)}, "dstAddress", VIRTUAL),
        ({"dst_port": ("80-91",)}, "dstPort", "80-90"),
        ({"dst_port": ("22",)}, "dstPort", "80-90"),
        ({"dst_port": ABSENT}, "dstPort", "80-90"),
        ({"protocol": ("tcp", "udp")}, "protocol", "tcp"),
        ({"protocol": ("17",)}, "protocol", "tcp"),
        ({"protocol": ABSENT}, "protocol", "tcp"),
    ],
)
async def test_no_destination_of_devices_is_taken_that_was_not_granted(
    bench: Bench, attributes: dict[str, Any], named: str, granted: str
) -> None:
    await running(bench, app())
    for more in ({}, {"priority": 0}, {"action": Action.DROP, "dst_interface": ()}):
        wanted = asking() + asking(**attributes)
        await refused(bench, f"trafficFilter[1].{named}", granted, traffic_filter=wanted, **more)


async def test_a_rule_that_is_made_inactive_in_the_same_breath_takes_nothing_more_either(bench: Bench) -> None:
    await running(bench, app())
    foreign = asking(dst_address=("127.9.1.2",))
    await refused(bench, "trafficFilter[0].dstAddress", traffic_filter=foreign, state=RuleState.INACTIVE)


async def test_what_several_rules_grant_counts_together_whatever_their_states(bench: Bench) -> None:
    known = app().traffic_rules[0]
    waiting = replace(GRANTED, dst_port=("91",), tag=("tag-bob",))
    other = replace(known, traffic_rule_id="other", traffic_filter=(waiting,))
    await running(bench, replace(app(), traffic_rules=(known, other)))
    assert (await change(bench, traffic_filter=asking(dst_port=("89-91",)))).traffic_filter[0].dst_port == ("89-91",)
    await refused(bench, "trafficFilter[0].dstPort", "80-90, 91", traffic_filter=asking(dst_port=("89-92",)))


async def test_a_grant_that_names_senders_alone_is_of_those_senders(bench: Bench) -> None:
    drop: dict[str, Any] = {"action": Action.DROP, "dst_interface": ()}
    await running(bench, app(traffic.TrafficFilter(src_address=("127.9.5.0/24",)), **drop))
    for wanted in (
        TrafficFilter(src_address=("127.9.5.7",)),
        TrafficFilter(src_address=("127.9.5.7",), dst_port=("1",)),
    ):
        assert (await change(bench, traffic_filter=(wanted,))).traffic_filter == (wanted,)
    for wanted in (TrafficFilter(), TrafficFilter(src_address=("127.9.6.1",)), TrafficFilter(tag=("bob",))):
        await refused(bench, "trafficFilter[0].srcAddress", "127.9.5.0/24", traffic_filter=(wanted,))


@pytest.mark.parametrize("address", ["8.8.8.8", "127.9.0.101", "127.0.0.1", "::", "::1", "fd00::7"])
async def test_devices_are_led_to_nobody_elses_address(bench: Bench, address: str) -> None:
    await running(bench, app())
    elsewhere = replace(OWN[0], dst_ip_address=address)
    words = ("127.9.0.100", "rules.destinations", address)
    await refused(bench, "dstInterface[0].dstIpAddress", *words, dst_interface=(elsewhere,))
    copies = Action.DUPLICATE_DECAPSULATED
    await refused(bench, "dstInterface[1].dstIpAddress", *words, action=copies, dst_interface=(OWN[0], elsewhere))


@pytest.mark.parametrize("end", ["tunnel_dst_address", "tunnel_src_address"])
async def test_no_tunnel_ends_where_none_was_granted(bench: Bench, end: str) -> None:
    await running(bench, app(action=Action.FORWARD_ENCAPSULATED, dst_interface=(TUNNEL,)))
    (before,) = (await rule_of(bench)).dst_interface
    assert isinstance(before.tunnel_info, TunnelInfo)
    wanted = replace(before, tunnel_info=replace(before.tunnel_info, **{end: "127.9.3.9"}))
    name = {"tunnel_dst_address": "tunnelDstAddress", "tunnel_src_address": "tunnelSrcAddress"}[end]
    await refused(bench, f"dstInterface[0].tunnelInfo.{name}", "127.9.3.9", dst_interface=(wanted,))
    own = replace(before, tunnel_info=replace(before.tunnel_info, **{end: "0.0.0.0"}))
    assert (await change(bench, dst_interface=(own,))).dst_interface == (own,)


@pytest.mark.parametrize("end", ["dst", "src"])
async def test_no_frame_goes_to_or_comes_from_a_mac_address_that_was_not_granted(bench: Bench, end: str) -> None:
    await running(bench, app(dst_interface=(TO_MAC,)))
    wanted = replace((await rule_of(bench)).dst_interface[0], **{f"{end}_mac_address": OTHER_MAC})
    await refused(bench, f"dstInterface[0].{end}MacAddress", OTHER_MAC, dst_interface=(wanted,))
    same = replace((await rule_of(bench)).dst_interface[0], dst_mac_address=MAC, src_mac_address=ABSENT)
    assert (await change(bench, dst_interface=(same,))).dst_interface == (same,)


async def test_where_the_descriptor_or_the_operator_leads_devices_the_app_may_too() -> None:
    allowed = Receivers(allowed=("192.0.2.0/24",), inside=frozenset({("192.0.2.1", 8443)}))
    bench = Bench(rules=RulePolicy(destinations=allowed, macs=frozenset({OTHER_MAC})))
    named = replace(configuration("one").traffic_rules[0].dst_interface[0], dst_ip_address="fd00::7")
    await running(bench, app(dst_interface=(named,)))
    for address in ("0.0.0.0", "127.9.0.100", "192.0.2.7", "fd00:0::7"):
        (changed,) = (await change(bench, dst_interface=(replace(OWN[0], dst_ip_address=address),))).dst_interface
        assert changed.dst_ip_address == address
    to_mac = DestinationInterface(interface_type=InterfaceType.MAC, dst_mac_address=OTHER_MAC)
    assert (await change(bench, dst_interface=(to_mac,))).dst_interface == (to_mac,)
    inside = replace(OWN[0], dst_ip_address="192.0.2.1")  # an element of the operator, which no network names
    await refused(bench, "dstInterface[0].dstIpAddress", dst_interface=(inside,))


async def test_where_changes_are_free_destinations_still_are_not() -> None:
    bench = await running(Bench(rules=RulePolicy(changes=Changes.FREE)), app())
    anything = (TrafficFilter(dst_address=("127.9.1.9",)), TrafficFilter(dst_port=("5353",), protocol=("udp",)))
    assert (await change(bench, traffic_filter=anything)).traffic_filter == anything
    elsewhere = (replace(OWN[0], dst_ip_address="8.8.8.8"),)
    await refused(bench, "dstInterface[0].dstIpAddress", dst_interface=elsewhere)


async def test_a_platform_that_starts_anew_holds_apps_to_what_they_were_granted_and_not_to_what_they_made_of_it(
    tmp_path: Path,
) -> None:
    before = await running(Bench(Store(tmp_path / "mep.db")), app())
    await change(before, traffic_filter=asking(dst_port=("80",)))
    before.store.close()
    after = Bench(Store(tmp_path / "mep.db"), plane=before.plane)
    assert (await change(after, traffic_filter=asking())).traffic_filter == asking()
    await refused(after, "trafficFilter[0].dstPort", traffic_filter=asking(dst_port=("80-91",)))
    after.store.close()


async def test_a_rule_beyond_its_grant_that_an_older_version_took_can_be_given_up_and_not_had_again(
    tmp_path: Path,
) -> None:
    bench = await running(Bench(Store(tmp_path / "mep.db")), app())
    apps = bench.platform.records.apps
    wide = replace(await rule_of(bench), traffic_filter=asking(dst_address=("127.9.1.2",)))
    older = replace(apps.get("one"), traffic_rules=(wide,))
    await bench.store.commit(lambda tx: tx.put(apps, "one", older))
    assert (await change(bench, state=RuleState.INACTIVE)).state is RuleState.INACTIVE
    await bench.platform.configuration.activate("one")
    with pytest.raises(Problem, match=r"Not allowed: trafficFilter\[0\].dstAddress"):
        await change(bench, state=RuleState.ACTIVE)
    bench.store.close()
