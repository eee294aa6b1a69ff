"""U5: connecting different services (ETSI GR MEC 035, 5.5), by the nine steps of clause 6.5.2.

A navigation app at north takes a spoken request of a device, does not find a speech recogniser in its own system, and
consumes the one of another provider at south. Both southern hosts offer it: the one nearer to the device serves.
"""

from __future__ import annotations

import asyncio
import time

from hanse.assembly.administration import Administration, administration
from hanse.assembly.onboarding import bring_up, remove_package, take_down
from hanse.elements.ue import Device
from hanse.kit.problems import Problem
from hanse.kit.telemetry import render_text
from hanse.kit.telemetry.procedures import Procedure
from hanse.kit.values import Absent
from hanse.refpoints.mfm_fed.members import PartnerState
from hanse.refpoints.mm1.lifecycle import OperationalState
from hanse.refpoints.mm1.packages import OnboardingState
from hanse.scenarios import nine_steps
from hanse.scenarios.asking import ask, crossed, served_by
from hanse.scenarios.at_once import ask_at_once
from hanse.scenarios.outcome import Record
from hanse.scenarios.stage import Stage
from hanse.scenarios.waiting import awaited

NEAREST = {"alice": "mep.valley", "bob": "mep.summit"}
"""Which southern platform is right for whom."""

HOME = "http://navigation.example.com:8080"
DIRECTIONS = f"{HOME}/directions"


async def play(stage: Stage, record: Record) -> None:
    """The whole of it, from nothing to nothing."""
    record.step(f"two operators start, {'every element a process' if stage.separate else 'one process each'}")
    with record.timed("start_seconds"):
        await stage.start()
    north, south = stage.operator("north"), stage.operator("south")
    async with administration(north) as northern, administration(south) as southern:
        record.step("the managers form the federation")
        await _await_federation(northern, southern, record)
        packages = await _on_board(stage, northern, southern, record)
        instances = await _instantiate(stage, northern, southern, packages, record)
        await _await_offer(southern, record)
        _diagram(await _use(stage, record), record)
        await _end(stage, northern, southern, packages, instances, record)


async def _await_federation(northern: Administration, southern: Administration, record: Record) -> None:
    async def look() -> list[PartnerState]:
        views = await asyncio.gather(northern.overview.overview(), southern.overview.overview())
        return [view.partners[0].state for view in views]

    states = await awaited(look, lambda found: set(found) == {PartnerState.AVAILABLE})
    record.check("each operator finds the other available", set(states) == {PartnerState.AVAILABLE}, ", ".join(states))


async def _on_board(
    stage: Stage, northern: Administration, southern: Administration, record: Record
) -> dict[str, tuple[str, str]]:
    record.step("packages are built, signed by two providers, and on-boarded")
    speech = await asyncio.to_thread(stage.package, "speech", "earshot")
    navigation = await asyncio.to_thread(stage.package, "navigation", "wayfinder")
    packages = {
        "speech": await stage.on_board("south", speech),
        "navigation": await stage.on_board("north", navigation),
    }
    states = [
        (await southern.packages.read_package(packages["speech"][0])).onboarding_state,
        (await northern.packages.read_package(packages["navigation"][0])).onboarding_state,
    ]
    passed = set(states) == {OnboardingState.ONBOARDED}
    record.check("both packages pass integrity and authenticity", passed, ", ".join(states))
    return packages


async def _instantiate(
    stage: Stage,
    northern: Administration,
    southern: Administration,
    packages: dict[str, tuple[str, str]],
    record: Record,
) -> list[tuple[Administration, str]]:
    record.step("south starts speech recognition on both hosts, north starts navigation")
    south, north = stage.operator("south"), stage.operator("north")
    places = [host.zone.zone().position for host in south.hosts.values()]
    with record.timed("instantiate_three_seconds"):
        found = await asyncio.gather(
            *(bring_up(southern.lifecycle, packages["speech"][1], place) for place in places),
            bring_up(northern.lifecycle, packages["navigation"][1], north.hosts["harbour"].zone.zone().position),
        )
    instances = [(southern, found[0]), (southern, found[1]), (northern, found[2])]
    states = [await _running(oss, identifier) for oss, identifier in instances]
    started = set(states) == {OperationalState.STARTED}
    record.check("three instances are STARTED after they confirmed ready", started, ", ".join(states))
    return instances


async def _running(oss: Administration, identifier: str) -> str:
    state = (await oss.lifecycle.read_instance(identifier)).instantiated_app_state
    return "not instantiated" if isinstance(state, Absent) else state.operational_state


async def _await_offer(southern: Administration, record: Record) -> None:
    async def look() -> tuple[int, tuple[str, ...]]:
        system = (await southern.overview.overview()).system
        return sum("speech-recognition" in host.services for host in system.hosts), system.registered

    offering, registered = await awaited(look, lambda found: found[0] == 2 and "speech-recognition" in found[1])
    record.check("both southern hosts offer speech recognition", offering == 2, f"{offering} of 2")
    known = "speech-recognition" in registered
    record.check("south's federation manager knows of it", known, ", ".join(registered))


async def _use(stage: Stage, record: Record) -> Procedure | None:
    alice, bob = stage.device("north", "alice"), stage.device("north", "bob")
    record.step("alice resolves the app's name and sends her spoken request")
    address = await alice.resolve("navigation.example.com")
    record.check("the platform's name server answers with the app's virtual address", bool(address), address)
    procedures = [await _ask(stage, record, device, name) for device, name in ((alice, "alice"), (bob, "bob"))]
    served = [served_by(crossed(procedure)) or "nobody" for procedure in procedures]
    record.check(
        "the platform nearer to each device serves it",
        served == list(NEAREST.values()),
        f"alice in the west: {served[0]}, bob in the east: {served[1]}",
    )
    await ask_at_once(stage, record, DIRECTIONS, NEAREST)
    record.step("a device without access tries")
    stranger = stage.device("north", "mallory")
    refusal = await _refusal(stranger)
    record.check("a device without access is refused", "refused" in refusal or "reset" in refusal, refusal)
    return procedures[-1]


async def _ask(stage: Stage, record: Record, device: Device, name: str) -> Procedure | None:
    async with nine_steps.watched(stage, record):
        began = time.monotonic()
        asked = await ask(device, name, DIRECTIONS)
        record.figure(f"request_seconds_{name}", round(time.monotonic() - began, 3))
    procedure = await nine_steps.with_all_steps(stage, asked)
    if asked.answer.status != 200:
        record.say(f"            {asked.answer.status} {asked.answer.body.decode(errors='replace')[:300]}")
    told = asked.told
    heard = f"said {asked.said}, heard {told.get('heard')}: {told.get('from')} to {told.get('to')}"
    record.check(f"{name} gets directions from what was said", asked.understood, f"{heard}, {told.get('metres')} m")
    nine_steps.check_steps(procedure, record, name)
    return procedure


async def _refusal(device: Device) -> str:
    """How a device is refused that can resolve the app's name like any other; empty if it is let in."""
    await device.resolve("navigation.example.com")
    try:
        answer = await device.request("GET", f"{HOME}/healthz")
    except Problem as problem:
        return f"{problem.title}: {problem.detail}"
    return f"it was let in and got {answer.status}"


def _diagram(procedure: Procedure | None, record: Record) -> None:
    if procedure is not None:
        record.say("")
        record.say(render_text.render(procedure, 150))
        record.say("")


async def _end(
    stage: Stage,
    northern: Administration,
    southern: Administration,
    packages: dict[str, tuple[str, str]],
    instances: list[tuple[Administration, str]],
    record: Record,
) -> None:
    record.step("everything is terminated gracefully and deleted")
    before = len(stage.workloads())
    record.check("three apps and their supervisors ran", before == 6, f"{before} processes")
    with record.timed("terminate_three_seconds"):
        await asyncio.gather(*(take_down(oss.lifecycle, identifier) for oss, identifier in instances))
    await remove_package(southern.packages, packages["speech"][0])
    await remove_package(northern.packages, packages["navigation"][0])
    record.check("no process of an app is left", not stage.workloads())
    record.check("the name is gone", await _unresolvable(stage.device("north", "alice")))
    left = [path for s in stage.deployment.operators.values() for path in (s.directory / "packages").glob("*")]
    record.check("no file of a package is left", not left)
    record.check("no host keeps an image", await _no_image(stage))


async def _unresolvable(device: Device) -> bool:
    try:
        await device.resolve("navigation.example.com")
    except Problem:
        return True
    return False


async def _no_image(stage: Stage) -> bool:
    """Hosts hear of a deletion after it was answered."""
    return not await awaited(lambda: asyncio.to_thread(stage.images), lambda images: not images)
