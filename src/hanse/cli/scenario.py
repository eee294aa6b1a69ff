"""``hanse scenario``: procedures of the standard, played for real and checked."""

from __future__ import annotations

from typing import Annotated

import typer

from hanse.cli import here
from hanse.scenarios.catalogue import SCENARIOS, play

commands = typer.Typer(no_args_is_help=True)


@commands.command("list")
def list_scenarios() -> None:
    """The scenarios that there are."""
    shown = here.table("scenarios", "name", "what it shows")
    for name, scenario in SCENARIOS.items():
        shown.add_row(name, scenario.summary)
    here.console.print(shown)


@commands.command()
def run(
    name: Annotated[str, typer.Argument(help="The scenario.")],
    separate: Annotated[bool, typer.Option("--separate", help="Every element a process of its own.")] = False,
    data_plane: here.DataPlaneOption = "userspace",
    json: here.JsonOption = False,
) -> None:
    """Play a scenario from nothing, check it, and leave nothing behind."""
    outcome = play(name, separate=separate, data_plane=data_plane, tell=None if json else typer.echo)
    if json:
        here.show(outcome)
    if not outcome.passed:
        raise typer.Exit(1)
