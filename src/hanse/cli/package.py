"""``hanse package``: build, on-board, list."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hanse.assembly.administration import administration
from hanse.assembly.onboarding import on_board
from hanse.assembly.settings import Settings
from hanse.cli import here
from hanse.model.package import build
from hanse.refpoints.mm1.packages import AppPkgInfo

commands = typer.Typer(no_args_is_help=True)


@commands.command("build")
def build_package(
    directory: Annotated[Path, typer.Argument(help="The package's sources.")],
    out: Annotated[Path | None, typer.Option("--out", help="The archive; by default NAME.csar here.")] = None,
    signer: Annotated[str, typer.Option(help="The provider that signs; certified by this deployment.")] = "provider",
    certificate: Annotated[Path | None, typer.Option(help="A certificate of your own instead (PEM).")] = None,
    key: Annotated[Path | None, typer.Option(help="Its key (PEM).")] = None,
    json: here.JsonOption = False,
) -> None:
    """Build and sign a CSAR from a directory."""
    if certificate is None or key is None:
        identity = here.deployment().signer(signer)
        certificate, key = identity.certificate_path, identity.key_path
    made = build(directory, out or Path(f"{directory.resolve().name}.csar"), certificate=certificate, key=key)
    if json:
        here.show({"package": str(made)})
        return
    here.console.print(f"{made} built and signed", highlight=False)
    here.hint(f"hanse package onboard {made}")


@commands.command()
def onboard(
    archive: Annotated[Path, typer.Argument(help="The CSAR.")],
    operator: here.OperatorOption = "",
    json: here.JsonOption = False,
) -> None:
    """Hand a package to an operator and wait until it is checked."""
    info = here.run(_onboard(here.settings_of(operator), archive))
    if json:
        here.show(info)
        return
    here.console.print(f"{info.app_name} {info.app_software_version} is on-boarded", highlight=False)
    here.hint(f"hanse app start {info.app_d_id}")


async def _onboard(settings: Settings, archive: Path) -> AppPkgInfo:
    async with administration(settings) as oss:
        return await on_board(oss.packages, archive)


@commands.command("list")
def list_packages(operator: here.OperatorOption = "", json: here.JsonOption = False) -> None:
    """The packages of an operator."""
    found = here.run(_list(here.settings_of(operator)))
    if json:
        here.show({"packages": found})
        return
    shown = here.table("packages", "app", "version", "appDId", "state", "operational", "usage")
    for info in found:
        names = (str(info.app_name or "-"), str(info.app_software_version or "-"), str(info.app_d_id or "-"))
        shown.add_row(*names, info.onboarding_state, info.operational_state, info.usage_state)
    here.console.print(shown)


async def _list(settings: Settings) -> list[AppPkgInfo]:
    async with administration(settings) as oss:
        return await oss.packages.list_packages()
