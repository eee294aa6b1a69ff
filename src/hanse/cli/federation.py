"""``hanse federation``: partners, and the agreements with them."""

from __future__ import annotations

from typing import Annotated

import typer

from hanse.assembly.administration import administration
from hanse.assembly.settings import Settings
from hanse.cli import here
from hanse.refpoints.mfm_fed.members import Partner

commands = typer.Typer(no_args_is_help=True)

PartnerArgument = Annotated[str, typer.Argument(help="The partner.")]


@commands.command("list")
def list_partners(operator: here.OperatorOption = "", json: here.JsonOption = False) -> None:
    """The partners of an operator and how it stands with each."""
    partners = here.run(_partners(here.settings_of(operator)))
    if json:
        here.show({"partners": partners})
        return
    shown = here.table("partners", "partner", "state", "detail")
    for partner in partners:
        shown.add_row(partner.name, partner.state, partner.detail or "-")
    here.console.print(shown)


async def _partners(settings: Settings) -> tuple[Partner, ...]:
    async with administration(settings) as oss:
        return (await oss.overview.overview()).partners


@commands.command()
def close(partner: PartnerArgument, operator: here.OperatorOption = "") -> None:
    """End the agreement: tokens are refused and connections cut, on both sides."""
    here.run(_change(here.settings_of(operator), partner, opened=False))
    here.console.print(f"the agreement with {partner} is closed", highlight=False)
    here.hint(f"hanse federation open {partner}")


@commands.command("open")
def open_agreement(partner: PartnerArgument, operator: here.OperatorOption = "") -> None:
    """Begin the agreement anew."""
    here.run(_change(here.settings_of(operator), partner, opened=True))
    here.console.print(f"the agreement with {partner} is open", highlight=False)


async def _change(settings: Settings, partner: str, *, opened: bool) -> None:
    async with administration(settings) as oss:
        if opened:
            await oss.overview.open_agreement(partner)
        else:
            await oss.overview.close_agreement(partner)
