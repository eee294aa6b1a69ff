"""An app's rules turned on and off, as it would over Mp1, and whether what is in force is what is kept."""

from __future__ import annotations

import asyncio
import time
from typing import Literal

import pytest
from msgspec.structs import replace

from hanse.refpoints.mp1.support import RuleState
from tests.faults.apart import APP, Apart, acknowledged, tries

PATIENCE = 30.0
"""Seconds in which what is in force must be what is kept, once all are ready; a platform looks every three."""
MOMENTS = ("before", "after")
NOT_WRITTEN = ("store.commit", "before")
Kind = Literal["traffic", "dns"]


async def turn(apart: Apart, kind: Kind, state: RuleState) -> None:
    """Ask over Mp1, as the app, that its rule be active or not."""
    async with apart.support() as support:
        if kind == "traffic":
            traffic = (await support.list_traffic_rules(APP))[0]
            await support.update_traffic_rule(APP, traffic.traffic_rule_id, replace(traffic, state=state))
        else:
            dns = (await support.list_dns_rules(APP))[0]
            await support.update_dns_rule(APP, dns.dns_rule_id, replace(dns, state=state))


async def turned(apart: Apart, kind: Kind, state: RuleState) -> None:
    """Turn it if it is not, and wait until that is in force."""
    if kept(apart, kind) is not state:
        await turn(apart, kind, state)
    await assert_in_force_is_what_is_kept(apart)


async def assert_in_force_is_what_is_kept(apart: Apart) -> None:
    """In good time."""
    deadline = time.monotonic() + PATIENCE
    while await apart.present() != apart.wanted():
        assert time.monotonic() < deadline, f"in force {await apart.present()}, kept {apart.wanted()}"
        await asyncio.sleep(0.1)


async def killed_over_a_turn(apart: Apart, victim: str, kind: Kind, state: RuleState, at: tuple[str, str]) -> None:
    """Someone dies at a failpoint while a rule is turned, and is started again; what is in force is what is kept.

    The turn is kept, unless the platform died before it had written it.
    """
    async for _ in tries():  # the platform's own look at the rules, every three seconds, may come by first
        await turned(apart, kind, other(state))
        apart.arm(victim, ":".join(at))
        made = await acknowledged(turn(apart, kind, state))
        await apart.death(victim)
        await apart.start(victim)
        assert not made or kept(apart, kind) is state
        await assert_in_force_is_what_is_kept(apart)
        if at == NOT_WRITTEN:
            assert kept(apart, kind) is not state
            return
        if kept(apart, kind) is state:
            return
    pytest.fail(f"{kind} is kept {kept(apart, kind)} after a death at {at}")


def kept(apart: Apart, kind: Kind) -> RuleState:
    """What the platform's disk says."""
    app = apart.kept()
    return (app.traffic_rules if kind == "traffic" else app.dns_rules)[0].state


def other(state: RuleState) -> RuleState:
    """What it is turned from."""
    return RuleState.INACTIVE if state is RuleState.ACTIVE else RuleState.ACTIVE
