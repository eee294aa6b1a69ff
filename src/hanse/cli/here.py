"""Where commands work: the deployment that they speak of, and what they print."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from hanse.assembly.deployment import Deployment
from hanse.assembly.settings import Settings
from hanse.kit.problems import Problem

T = TypeVar("T")

console = Console()

OperatorOption = Annotated[str, typer.Option("--operator", "-o", help="The operator to speak to.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]

DataPlaneOption = Annotated[
    str, typer.Option("--data-plane", help="userspace, or nftables: in the kernel, which needs root.")
]


def state_directory() -> Path:
    """Where ``hanse up`` keeps its deployment: ``HANSE_HOME``, or ``.hanse`` here."""
    return Path(os.environ.get("HANSE_HOME", ".hanse"))


def deployment(file: Path | None = None) -> Deployment:
    """The deployment of a file, or the one that ``hanse up`` made; a problem says how to get one."""
    path = file or state_directory() / "deployment.toml"
    if not path.exists():
        raise Problem(404, f"No deployment at {path}", "hanse up starts one")
    return Deployment(path)


def settings_of(operator: str) -> Settings:
    """The settings of an operator; the only one if none is named."""
    found = deployment()
    if operator:
        return found.settings(operator)
    return next(iter(found.operators.values()))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end."""
    return asyncio.run(work)


def show(value: object) -> None:
    """Print a value as one line of JSON."""
    typer.echo(json.dumps(msgspec.to_builtins(value)))


def table(title: str, *columns: str) -> Table:
    """A table to be filled and printed."""
    made = Table(title=title, title_justify="left", title_style="bold", box=None, header_style="dim")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def hint(text: str) -> None:
    """Suggest the next command."""
    console.print(f"[dim]next: {text}[/dim]", highlight=False)
