"""What the process driver can do on this machine, and, said as plainly, what it cannot."""

from __future__ import annotations

import asyncio
import os

import msgspec

from hanse.drivers.compute_process.launch import PYTHON, SOURCES
from hanse.refpoints.mm7 import Capabilities

KIND = "process"
_MODULE = "hanse.drivers.compute_process.probe"
_BOUNDS = {
    "memory": "memory of each process",
    "open_files": "open files",
    "cpu": "processor share of the first process",
    "orphans": "no process outlives its workload",
}
_LACKS = {
    "cpu": "the share counts the first process of a workload with its threads, not its other processes",
    "memory": "the bound holds for each process of a workload by itself, not for all of them together",
    "files": "workloads run as the user of the VIM and can read what it and the other workloads can read",
    "disk": (
        "a workload's volume is measured a few times a second, and a workload beyond its quota is ended: a fast writer "
        "gets beyond it for a moment; not seen are files that were removed while open; outside it only the size "
        "of each file, and of the output, is bounded"
    ),
}
_LOOPBACK = "on loopback any local process can dial any other and take any 127.x address as its source"


async def find_out() -> Capabilities:
    """Try, in processes of their own, what holds here; takes well under a second."""
    try:
        failures = await _trials()
    except (OSError, TimeoutError, msgspec.MsgspecError) as error:
        return Capabilities(kind=KIND, available=False, lacks={"processes": f"no process can be started: {error}"})
    isolates = tuple(meaning for trial, meaning in _BOUNDS.items() if not failures[trial])
    return Capabilities(
        kind=KIND,
        available=not failures["orphans"],
        isolates=(*isolates, "output", "volumes"),
        lacks=_lacks(failures),
    )


async def _trials() -> dict[str, str]:
    process = await asyncio.create_subprocess_exec(
        *PYTHON,
        _MODULE,
        env={"PYTHONPATH": SOURCES},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), 20)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return msgspec.json.decode(printed, type=dict[str, str])


def _lacks(failures: dict[str, str]) -> dict[str, str]:
    lacks = dict(_LACKS)
    reason = failures["namespaces"]
    able = (
        f"unprivileged namespaces do not work here: {reason}" if reason else "namespaces work here but are not used yet"
    )
    lacks["network"] = f"{_LOOPBACK}; {able}"
    for trial in _BOUNDS:
        if failures[trial]:
            lacks[trial] = failures[trial]
    if failures["descriptors"]:
        lacks["descriptors"] = f"exits are noticed by looking every tenth of a second: {failures['descriptors']}"
    if os.geteuid() == 0:
        lacks["read_only_images"] = (
            "workloads run as root, whom file permissions do not stop; run the VIM as another user"
        )
    return lacks
