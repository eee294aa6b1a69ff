"""``hanse client``: who may manage an operator from outside, and how that ends."""

from __future__ import annotations

from typing import Annotated

import typer

from hanse.assembly.rotation import rotate as rotated
from hanse.cli import here

commands = typer.Typer(no_args_is_help=True)


@commands.callback()
def client() -> None:
    """Clients of an operator's management."""


@commands.command()
def rotate(
    name: Annotated[str, typer.Argument(help="A client of the settings, administrator, or customer.TENANT.")],
    operator: here.OperatorOption = "",
) -> None:
    """Give a client new credentials: the former ones, and every token got by them, are refused at once."""
    file = rotated(here.settings_of(operator), name)
    here.console.print(f"{name} has new credentials in {file}", highlight=False, soft_wrap=True)
