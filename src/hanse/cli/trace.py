"""``hanse trace``: sequence diagrams of what really crossed the reference points."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from hanse.assembly.token_endpoint import OPERATION as TOKEN
from hanse.cli import here
from hanse.kit.problems import Problem, bad_request
from hanse.kit.telemetry import render_mermaid, render_svg, render_text
from hanse.kit.telemetry.procedures import Filter, Procedure, containing, procedures
from hanse.kit.telemetry.reader import read

commands = typer.Typer(no_args_is_help=True)

PointOption = Annotated[str, typer.Option("--reference-point", "-r", help="Only procedures that crossed it.")]
AppOption = Annotated[str, typer.Option("--app", "-a", help="Only procedures of this instance.")]
OperationOption = Annotated[str, typer.Option("--operation", help="Only procedures with this operation.")]


def found(reference_point: str, app: str, operation: str) -> list[Procedure]:
    """The procedures of all operators of the deployment, newest last."""
    directories = [settings.directory / "journal" for settings in here.deployment().operators.values()]
    directories = [directory for directory in directories if directory.is_dir()]
    if not directories:  # nothing has run here yet
        return []
    wanted = Filter(reference_point=reference_point, app_instance_id=app, operation=operation)
    listed = containing(procedures(read(directories)), wanted)
    return [p for p in listed if operation == TOKEN or not _only_looked(p)]


def _only_looked(procedure: Procedure) -> bool:
    """Whether an administrator did nothing but look, or somebody got a token: that would hide what is worth seeing."""
    first = procedure.messages[0]
    if first.operation == TOKEN:
        return first.status == 200
    return first.sender == "administrator" and first.method == "GET"


@commands.command("list")
def list_procedures(
    reference_point: PointOption = "",
    app: AppOption = "",
    operation: OperationOption = "",
    json: here.JsonOption = False,
) -> None:
    """The procedures that are remembered."""
    listed = found(reference_point, app, operation)
    if json:
        here.show({"procedures": [{"name": p.name, "messages": len(p.messages), "seconds": p.seconds} for p in listed]})
        return
    shown = here.table("procedures", "#", "procedure", "messages", "ms", "failed")
    for number, procedure in enumerate(reversed(listed[-40:]), 1):
        failed = "yes" if procedure.failed else "-"
        shown.add_row(
            str(number), procedure.name, str(len(procedure.messages)), f"{procedure.seconds * 1000:.0f}", failed
        )
    here.console.print(shown)
    here.hint("hanse trace last -n NUMBER")


@commands.command()
def last(
    number: Annotated[int, typer.Option("-n", help="1 is the newest.", min=1)] = 1,
    reference_point: PointOption = "",
    app: AppOption = "",
    operation: OperationOption = "",
    out: Annotated[Path | None, typer.Option(help="Write .mmd (Mermaid) or .svg instead.")] = None,
) -> None:
    """Draw a procedure as it really ran, merged from both operators' records."""
    listed = found(reference_point, app, operation)
    if len(listed) < number:
        raise Problem(404, "No such procedure", "hanse trace list shows those that are remembered")
    procedure = listed[-number]
    if out is None:
        typer.echo(render_text.render(procedure, shutil.get_terminal_size((120, 40)).columns))
        return
    renderers = {".mmd": render_mermaid.render, ".svg": render_svg.render}
    if out.suffix not in renderers:
        raise bad_request(f"Cannot write {out}", "its name ends in .mmd or .svg")
    out.write_text(renderers[out.suffix](procedure))
    here.console.print(f"{out} written", highlight=False)
