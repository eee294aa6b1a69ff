"""What this machine's kernel lets the data plane do, found by trying it in a namespace that is removed again."""

from __future__ import annotations

import os
from pathlib import Path

from hanse.drivers.dataplane_nftables.base import base, tap_base
from hanse.drivers.dataplane_nftables.namespaces import DIRECTORY, batch, run
from hanse.drivers.dataplane_nftables.topology import PREFIX
from hanse.kit.problems import Problem
from hanse.refpoints.mp2 import Feature

_GTP = "this driver has no end of a GTP-U tunnel yet"

LACKS: dict[str, str] = {
    Feature.FORWARD_ENCAPSULATED: _GTP,
    Feature.DUPLICATE_ENCAPSULATED: _GTP,
    Feature.TUNNEL_FILTERS: _GTP,
    Feature.TUNNEL_INTERFACE: _GTP,
    Feature.QCI: "the class of a bearer is told by the core network with its tunnel, not by the packets",
    Feature.MAC_INTERFACE: "an application is reached by its IP address only",
    "payload bytes": "the kernel counts packets with their headers",
    "refused flows": "counted are the packets that a DROP rule took; what no rule takes is counted nowhere",
    "reset on withdrawal": "the kernel speaks to the ends of a cut flow when they speak next, not before",
    "loopback": "addresses in 127.0.0.0/8 do not leave a namespace",
}
"""What it refuses or cannot promise on any machine, with the reason."""

_COPY = '\nadd rule netdev hanse from_devices ip protocol tcp dup to "lo"\n'
_TRIAL = f"{PREFIX}try-"


async def found_out() -> dict[str, str]:
    """`LACKS` and what this machine lacks; ``kernel`` if there is nothing that it can do."""
    if os.geteuid() != 0:
        return {**LACKS, "kernel": "namespaces and nftables need root"}
    space = f"{_TRIAL}{os.getpid()}"
    try:
        await batch([f"netns delete {left}" for left in _left()])
        await batch([f"netns add {space}"])
    except Problem as problem:
        return {**LACKS, "kernel": problem.detail or problem.title}
    try:
        return await _tried(space)
    finally:
        await batch([f"netns delete {space}"])


def _left() -> list[str]:
    """Namespaces of processes that were killed while they tried."""
    names = [entry.name for entry in DIRECTORY.glob(f"{_TRIAL}*")]
    return [name for name in names if not Path("/proc", name.removeprefix(_TRIAL)).exists()]


async def _tried(space: str) -> dict[str, str]:
    if reason := await _refused(space, base(["192.0.2.1", "2001:db8::1"])):
        return {**LACKS, "kernel": reason}
    reason = await _refused(space, tap_base(["lo"]) + _COPY)
    return {**LACKS, Feature.DUPLICATE_DECAPSULATED: reason} if reason else LACKS


async def _refused(space: str, ruleset: str) -> str:
    """Why the kernel does not take a ruleset; empty if it does."""
    try:
        await run(["nft", "-f", "-"], ruleset, space)
    except Problem as problem:
        return problem.detail or problem.title
    return ""
