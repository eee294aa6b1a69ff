"""``hanse ue``: a device of an operator, with its own address."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hanse.assembly.devices import device
from hanse.cli import here

commands = typer.Typer(no_args_is_help=True)


@commands.command("list")
def list_devices(operator: here.OperatorOption = "") -> None:
    """The devices of an operator."""
    shown = here.table("devices", "name", "address", "host", "latitude", "longitude")
    for name, found in here.settings_of(operator).devices.items():
        shown.add_row(name, found.address, found.host, str(found.latitude), str(found.longitude))
    here.console.print(shown)


@commands.command()
def resolve(
    ue: Annotated[str, typer.Argument(help="The device.")],
    name: Annotated[str, typer.Argument(help="The name to resolve.")],
    operator: here.OperatorOption = "",
) -> None:
    """Ask the platform's name server, from the device's own address."""
    typer.echo(here.run(device(here.settings_of(operator), ue).resolve(name)))


@commands.command()
def request(
    ue: Annotated[str, typer.Argument(help="The device.")],
    method: Annotated[str, typer.Argument(help="The HTTP method.")],
    url: Annotated[str, typer.Argument(help="The URL; its host is resolved by the platform.")],
    body: Annotated[Path | None, typer.Option(help="A file to send.")] = None,
    content_type: Annotated[str, typer.Option(help="Its media type.")] = "application/octet-stream",
    operator: here.OperatorOption = "",
) -> None:
    """Send an HTTP request from the device, through the data plane."""
    made = device(here.settings_of(operator), ue)
    content = body.read_bytes() if body else b""
    answer = here.run(made.request(method, url, content, {"content-type": content_type} if body else None))
    typer.echo(answer.body.decode(errors="replace"))
    if answer.status >= 400:
        raise typer.Exit(1)
