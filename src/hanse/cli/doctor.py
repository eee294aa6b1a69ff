"""``hanse doctor``: what this machine can do, found out by trying."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from hanse.cli import here
from hanse.drivers.compute_process.driver import ProcessCompute
from hanse.drivers.dataplane_nftables import NftablesDataPlane, Site
from hanse.drivers.dataplane_userspace import UserspaceDataPlane
from hanse.drivers.names_embedded import EmbeddedNames
from hanse.elements.ue import Device
from hanse.kit.ports import listen_on
from hanse.kit.problems import Problem
from hanse.kit.values import Value
from hanse.refpoints.mp2 import DataPlane, NameRecord


class Finding(Value):
    """One thing that was tried: whether it works, and what that means."""

    what: str
    works: bool
    detail: str


async def examine() -> list[Finding]:
    """Try everything."""
    findings = [_python(), await asyncio.to_thread(_loopback)]
    with tempfile.TemporaryDirectory(prefix="hanse-doctor-") as directory:
        compute = ProcessCompute(Path(directory))
        found = await compute.capabilities()
        await compute.close()
    findings.append(Finding(what="process driver", works=found.available, detail=_isolation(found.isolates)))
    findings += [Finding(what=f"process driver: {what}", works=False, detail=why) for what, why in found.lacks.items()]
    findings += await _data_plane("user-space data plane", UserspaceDataPlane("127.0.0.1"), "TCP and UDP, no root")
    findings += await _data_plane("kernel data plane", NftablesDataPlane(NOWHERE), "hanse up --data-plane nftables")
    findings.append(await _names("127.10.1.1"))
    return findings + [_tool(name, use) for name, use in TOOLS.items()]


async def _data_plane(what: str, plane: DataPlane, detail: str) -> list[Finding]:
    """Whether it can run here, why not, and what it refuses or cannot promise."""
    found = await plane.capabilities()
    if not found.available:
        return [Finding(what=what, works=False, detail="; ".join(found.lacks[n] for n in ABSENT if n in found.lacks))]
    works = Finding(what=what, works=True, detail=detail)
    return [works, *(Finding(what=f"{what}: {lack}", works=False, detail=why) for lack, why in found.lacks.items())]


async def _names(address: str) -> Finding:
    """Start the embedded name server on a free port, with one name, and ask it for that name."""
    what, name, told = "embedded name server", "doctor.hanse.test", "127.0.0.1"
    server = EmbeddedNames(address, 0)
    try:
        await server.start()
    except Problem as problem:
        return Finding(what=what, works=False, detail=f"{problem.title}: {problem.detail}")
    try:
        server.put(NameRecord(record_id="doctor", owner="doctor", name=name, address=told))
        found = await Device(address, (address, server.port), timeout=ANSWER_PATIENCE).resolve(name)
    except (Problem, OSError) as error:
        return Finding(what=what, works=False, detail=str(error))
    finally:
        await server.close()
    return Finding(what=what, works=found == told, detail=f"asked for {name} at {address}, it said {found}")


NOWHERE = Site(name="doctor", own=(), home=(), apps=(), access=())
"""What it can do is found out without a place for it."""
ABSENT = ("kernel", "address")
"""Under which data planes say why they cannot run."""
ANSWER_PATIENCE = 2.0
"""Seconds that the name server may take to answer."""

TOOLS = {"openssl": "verifies signatures of packages in tests", "git": "for developers", "make": "runs the targets"}


def _tool(name: str, use: str) -> Finding:
    path = shutil.which(name)
    return Finding(what=name, works=path is not None, detail=f"{path or 'not found'}; {use}")


def _python() -> Finding:
    good = sys.version_info >= (3, 11)
    return Finding(what="Python", works=good, detail=f"{sys.version.split()[0]}; 3.11 or later is needed")


def _loopback() -> Finding:
    try:
        listen_on("127.10.1.1", 0).close()
    except Problem as problem:
        return Finding(what="addresses in 127.0.0.0/8", works=False, detail=problem.detail)
    return Finding(what="addresses in 127.0.0.0/8", works=True, detail="any of them can be listened on")


def _isolation(isolates: tuple[str, ...]) -> str:
    return f"isolates: {', '.join(isolates) or 'nothing'}"


def report(findings: list[Finding]) -> None:
    """Print what was found."""
    shown = here.table("what this machine can do", "", "what", "detail")
    for finding in findings:
        shown.add_row("[green]yes[/green]" if finding.works else "[yellow]no[/yellow]", finding.what, finding.detail)
    here.console.print(shown)
    here.hint("make demo · hanse up")
