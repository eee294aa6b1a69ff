"""What the manager asks of a platform for an app's life (Mm5) can be asked twice and leaves nothing at the end."""

from __future__ import annotations

import asyncio
import time

import msgspec
import pytest

from hanse.kit.problems import Problem
from hanse.model.descriptor import traffic
from hanse.refpoints.mm5.platform import AppPhase, GracefulEnd, StandingQuery
from hanse.refpoints.mp1.services import AVAILABILITY_SUBSCRIPTION, AvailabilitySubscription, ServiceQuery
from hanse.refpoints.mp1.support import (
    TERMINATION_SUBSCRIPTION,
    AppReadyConfirmation,
    OperationAction,
    ReadyIndication,
    TerminationSubscription,
)
from tests.bounds import SOON
from tests.unit.elements.mep.parts import Bench, configuration, service

READY = AppReadyConfirmation(indication=ReadyIndication.READY)
END = GracefulEnd(action=OperationAction.TERMINATING, timeout=9)


async def phase(bench: Bench, app: str = "one") -> AppPhase:
    return (await bench.platform.configuration.standing(app, StandingQuery(wait=0))).phase


async def listening(bench: Bench, app: str = "one") -> None:
    """The app wants to be told of its termination."""
    wish = TerminationSubscription(
        subscription_type=TERMINATION_SUBSCRIPTION, callback_reference="http://a/end", app_instance_id=app
    )
    await bench.platform.support.subscribe(app, wish)


async def test_configured_again_an_app_keeps_its_phase_and_its_secret(bench: Bench) -> None:
    first = await bench.platform.configuration.configure("one", configuration("one"))
    await bench.platform.support.confirm_ready("one", READY)
    assert await bench.platform.configuration.configure("one", configuration("one")) == first
    assert await phase(bench) is AppPhase.READY


async def test_a_rule_that_cannot_be_carried_out_is_refused_before_the_app_is_known(bench: Bench) -> None:
    inner = traffic.InterfaceDescriptor(interface_type=traffic.InterfaceType.MAC, src_mac_address="02:00:00:00:00:01")
    bad = msgspec.structs.replace(configuration("one").traffic_rules[0], dst_interface=(inner,))
    with pytest.raises(Problem, match="dstInterface"):
        await bench.platform.configuration.configure(
            "one", msgspec.structs.replace(configuration("one"), traffic_rules=(bad,))
        )
    with pytest.raises(Problem, match="No such application"):
        await phase(bench)


async def test_rules_and_names_are_in_force_only_while_the_app_is_active(bench: Bench) -> None:
    configure = bench.platform.configuration
    await configure.configure("one", configuration("one"))
    assert (bench.plane.rules, bench.names.known) == ({}, {})
    await configure.activate("one")
    await configure.activate("one")
    assert list(bench.plane.rules) == ["one.in"]
    assert list(bench.names.known) == ["one.name"]
    assert bench.plane.done == ["install one.in"]
    await configure.deactivate("one")
    assert (bench.plane.rules, bench.names.known) == ({}, {})


async def test_an_app_that_listens_is_told_of_its_end_once(bench: Bench) -> None:
    await bench.platform.configuration.configure("one", configuration("one"))
    await listening(bench)
    assert (await bench.platform.configuration.standing("one", StandingQuery(wait=0))).listens
    await bench.platform.configuration.announce_end("one", END)
    await bench.platform.configuration.announce_end("one", END)
    [(url, told)] = await bench.posted()
    assert url == "http://a/end"
    assert (told["operationAction"], told["maxGracefulTimeout"]) == ("TERMINATING", 9)
    assert told["_links"]["confirmTermination"]["href"].endswith("/applications/one/confirm_termination")
    assert await phase(bench) is AppPhase.TERMINATING


@pytest.mark.parametrize(("timeout", "told"), [(0, 1), (1, 1), (2, 2)])
async def test_an_app_that_has_no_time_left_is_told_of_a_second_for_the_standard_has_no_none(
    bench: Bench, timeout: int, told: int
) -> None:
    await bench.platform.configuration.configure("one", configuration("one"))
    await listening(bench)
    await bench.platform.configuration.announce_end("one", msgspec.structs.replace(END, timeout=timeout))
    [(_, notice)] = await bench.posted()
    assert notice["maxGracefulTimeout"] == told


async def test_what_an_app_offered_is_gone_when_it_is_deactivated_and_others_are_told(bench: Bench) -> None:
    configure = bench.platform.configuration
    for name in ("one", "two"):
        await configure.configure(name, configuration(name, "speech"))
        wish = AvailabilitySubscription(
            subscription_type=AVAILABILITY_SUBSCRIPTION, callback_reference=f"http://{name}/n"
        )
        await bench.platform.services.subscribe_to_availability(name, wish)
    await bench.platform.services.register_service("one", service("speech"))
    await bench.posted()
    bench.callbacks.posts.clear()
    await configure.deactivate("one")
    [(url, told)] = await bench.posted()
    assert url == "http://two/n"
    assert told["serviceReferences"][0]["changeType"] == "REMOVED"
    assert await bench.platform.services.find_services(ServiceQuery()) == []
    listed = await bench.platform.services.list_availability_subscriptions("one")
    assert listed.links.subscriptions == ()


async def test_a_stopped_app_begins_anew_and_can_be_ready_again(bench: Bench) -> None:
    await bench.platform.configuration.configure("one", configuration("one"))
    await bench.platform.support.confirm_ready("one", READY)
    await bench.platform.configuration.deactivate("one")
    assert await phase(bench) is AppPhase.CONFIGURED
    await bench.platform.support.confirm_ready("one", READY)
    assert await phase(bench) is AppPhase.READY


async def test_nothing_is_left_of_an_app_that_is_forgotten(bench: Bench) -> None:
    configure = bench.platform.configuration
    await configure.configure("one", configuration("one", "speech"))
    await configure.activate("one")
    await listening(bench)
    await bench.platform.services.register_service("one", service("speech"))
    await configure.forget("one")
    await configure.forget("one")
    await configure.deactivate("one")
    records = bench.platform.records
    shelves = (records.apps, records.services, records.availability, records.termination)
    assert [len(shelf) for shelf in shelves] == [0, 0, 0, 0]
    assert (bench.plane.rules, bench.names.known) == ({}, {})


async def test_who_waits_for_an_app_learns_at_once_that_it_is_ready(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hanse.elements.mep.configuration.LONGEST_WAIT", 3 * SOON)
    await bench.platform.configuration.configure("one", configuration("one"))
    waiting = asyncio.create_task(bench.platform.configuration.standing("one", StandingQuery(wait=3 * SOON)))
    await asyncio.sleep(0.02)
    began = time.monotonic()
    await bench.platform.support.confirm_ready("one", READY)
    assert (await waiting).phase is AppPhase.READY
    assert time.monotonic() - began < SOON, "it waited for its time to be over"


async def test_who_waits_is_answered_when_its_time_is_over_or_the_app_is_gone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hanse.elements.mep.configuration.LONGEST_WAIT", 3 * SOON)
    await bench.platform.configuration.configure("one", configuration("one"))
    waited = await bench.platform.configuration.standing("one", StandingQuery(wait=0.02))
    assert (waited.phase, waited.listens) == (AppPhase.CONFIGURED, False)
    waiting = asyncio.create_task(bench.platform.configuration.standing("one", StandingQuery(wait=3 * SOON)))
    await asyncio.sleep(0.02)
    await bench.platform.configuration.forget("one")
    with pytest.raises(Problem, match="No such application"):
        await asyncio.wait_for(waiting, SOON)
