"""``hanse up``, ``down``, ``status``, ``run``, ``doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hanse.assembly import planes
from hanse.assembly.administration import administration
from hanse.assembly.deployment import Deployment
from hanse.assembly.settings import Settings, load
from hanse.cli import here
from hanse.cli.describe import describe_api
from hanse.kit.problems import Problem
from hanse.refpoints.mx1.overview import OperatorOverview

MIB = 1024 * 1024


def register(hanse: typer.Typer) -> None:
    """Add these commands."""
    hanse.command()(up)
    hanse.command()(down)
    hanse.command()(status)
    hanse.command("run")(run_elements)
    hanse.command()(doctor)
    hanse.command("describe")(describe_api)


def up(
    file: Annotated[
        Path | None, typer.Argument(help="A deployment file; without it two operators, north and south.")
    ] = None,
    separate: Annotated[bool, typer.Option("--separate", help="Every element a process of its own.")] = False,
    data_plane: here.DataPlaneOption = "",
) -> None:
    """Start the operators of a deployment and leave them running; a file says itself which data planes it has."""
    made = Deployment(file) if file else _from_template(data_plane)
    made.start(separate=separate, tell=lambda text: here.console.print(text, highlight=False))
    here.hint("hanse status · hanse scenario run u5 · hanse down")


def _from_template(data_plane: str) -> Deployment:
    """The deployment that is there, or a new one; 409 if the one that is there has another data plane."""
    directory = here.state_directory()
    template = planes.template_of(data_plane) if data_plane else planes.TEMPLATE_OF["userspace"]
    made = Deployment.from_template(directory, template)
    other = {driver for settings in made.operators.values() for driver in planes.drivers(settings)} - {data_plane}
    if data_plane and other:
        detail = f"hanse down, then remove {directory} or set HANSE_HOME to another directory"
        raise Problem(409, f"{directory} has the data plane {', '.join(other)}", detail)
    return made


def down(file: Annotated[Path | None, typer.Argument(help="The deployment file.")] = None) -> None:
    """Stop every operator and every app; what they keep stays on disk."""
    stopped = here.deployment(file).stop()
    here.console.print(f"{stopped} processes stopped; nothing of them runs any more.", highlight=False)


def run_elements(
    elements: Annotated[list[str], typer.Argument(help="all, or names such as meo, border, mep.harbour.")],
    config: Annotated[Path, typer.Option("--config", "-c", help="The operator's configuration.")],
) -> None:
    """Run elements of one operator in this process, until a signal."""
    from hanse.assembly.process import run

    run(load(config), elements)


def status(json: here.JsonOption = False) -> None:
    """What runs, where, and how it stands with partners."""
    made = here.deployment()
    running = {r.operator for r in made.running()}
    overviews: dict[str, OperatorOverview | None] = {}
    for name, settings in made.operators.items():
        overviews[name] = here.run(_overview(settings)) if name in running else None
    if json:
        here.show({"operators": overviews})
        return
    for name, overview in overviews.items():
        if overview is None:
            here.console.print(f"[bold]{name}[/bold] does not run", highlight=False)
        else:
            _print(overview)
    here.hint("hanse app list · hanse trace last" if running else "hanse up")


async def _overview(settings: Settings) -> OperatorOverview | None:
    async with administration(settings) as oss:
        try:
            return await oss.overview.overview()
        except Problem:
            return None


def _print(overview: OperatorOverview) -> None:
    system = overview.system
    hosts = here.table(f"{system.operator}", "host", "zone", "reachable", "memory MiB", "workloads", "services")
    for host in system.hosts:
        used = f"{host.memory_used // MIB} of {host.memory // MIB}"
        reachable = "yes" if host.reachable else "[red]no[/red]"
        hosts.add_row(host.name, host.zone.name, reachable, used, str(host.workloads), ", ".join(host.services) or "-")
    here.console.print(hosts)
    for host in system.hosts:
        if host.redirectors:
            told = f"{host.name} leads devices by HTTP redirection at {', '.join(host.redirectors)}"
            here.console.print(told, highlight=False, soft_wrap=True)
    partners = here.table("", "partner", "state", "detail")
    for partner in overview.partners:
        colour = "green" if partner.state == "AVAILABLE" else "red"
        partners.add_row(partner.name, f"[{colour}]{partner.state}[/{colour}]", partner.detail or "-")
    here.console.print(partners)


def doctor(json: here.JsonOption = False) -> None:
    """What this machine can do, found out by trying."""
    from hanse.cli.doctor import examine, report

    findings = here.run(examine())
    if json:
        here.show({"findings": findings})
        return
    report(findings)
