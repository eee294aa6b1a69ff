"""What this machine's kernel lets the data plane do, found by trying it in a namespace that is removed again."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from itertools import count
from pathlib import Path

import msgspec

from hanse.drivers.dataplane_nftables.base import base
from hanse.drivers.dataplane_nftables.frames import FRAME_BASE, FROM_DEVICES, Hooks
from hanse.drivers.dataplane_nftables.gtp.tap import Tap
from hanse.drivers.dataplane_nftables.namespaces import DIRECTORY, batch, inside, run
from hanse.drivers.dataplane_nftables.phrases import FRAMES, rule
from hanse.drivers.dataplane_nftables.site import PREFIX
from hanse.kit.problems import Problem
from hanse.refpoints.mp2 import Feature

OF_TUNNELS = (
    Feature.FORWARD_ENCAPSULATED,
    Feature.DUPLICATE_ENCAPSULATED,
    Feature.TUNNEL_FILTERS,
    Feature.TUNNEL_INTERFACE,
    Feature.QCI,
)
"""What needs the end of a GTP-U tunnel."""

LACKS: dict[str, str] = {
    "payload bytes": "the kernel counts packets with their headers",
    "refused flows": "counted are the packets that a DROP rule took; what no rule takes is counted nowhere",
    "reset on withdrawal": "the kernel speaks to the ends of a cut flow when they speak next, not before",
    "loopback": "addresses in 127.0.0.0/8 do not leave a namespace",
    "ports of DCCP": "the kernel does not tell its flows apart by ports; the protocol itself is carried",
}
"""What it cannot promise on any machine, with the reason."""

_LINK = "trial"
_TRIAL = f"{PREFIX}try-"
_NUMBERS = count()


async def found_out() -> dict[str, str]:
    """`LACKS` and what this machine lacks; ``kernel`` if there is nothing that it can do."""
    if os.geteuid() != 0:
        return {**LACKS, "kernel": "namespaces and nftables need root"}
    space = f"{_TRIAL}{next(_NUMBERS)}-{os.getpid()}"  # hosts of one process may try at the same time
    await _tidy()
    try:
        await batch([f"netns add {space}"])
    except Problem as problem:
        return {**LACKS, "kernel": problem.detail or problem.title}
    try:
        return await _tried(space)
    finally:
        await batch([f"netns delete {space}"])


async def _tidy() -> None:
    """Remove the namespaces of processes that were killed while they tried."""
    for entry in DIRECTORY.glob(f"{_TRIAL}*"):
        if not Path("/proc", entry.name.rpartition("-")[2]).exists():
            with suppress(Problem):  # another one removes it just now
                await batch([f"netns delete {entry.name}"])


async def _tried(space: str) -> dict[str, str]:
    if reason := await _refused(space, base(["192.0.2.1", "2001:db8::1"])):
        return {**LACKS, "kernel": reason}
    lacks = dict(LACKS)
    await batch([f"link add name {_LINK} type bridge"], space)
    if reason := await _refused(space, FRAME_BASE) or await _refused(space, _frames_said(), "-j"):
        lacks[Feature.DUPLICATE_DECAPSULATED] = lacks[Feature.MAC_INTERFACE] = reason
    if reason := await asyncio.to_thread(_no_tunnels, space):
        lacks |= dict.fromkeys(OF_TUNNELS, reason)
    return lacks


def _no_tunnels(space: str) -> str:
    """Why no interface can be served from user space; empty if it can."""
    try:
        with inside(space), Tap("try"):
            return ""
    except OSError as error:
        return f"/dev/net/tun gives no interface: {error.strerror}"


def _frames_said() -> str:
    """Copies and other addresses, as rules ask for them."""
    hooks = Hooks((_LINK,), "lo")
    copy = rule(FROM_DEVICES, [{"dup": {"addr": "lo"}}], FRAMES)
    return msgspec.json.encode({"nftables": [*hooks.copying(on=True), copy, *hooks.addressing(on=True)]}).decode()


async def _refused(space: str, ruleset: str, *words: str) -> str:
    """Why the kernel does not take a ruleset, in JSON with ``-j``; empty if it does."""
    try:
        await run(["nft", *words, "-f", "-"], ruleset, space)
    except Problem as problem:
        return problem.detail or problem.title
    return ""
