"""``hanse federation``: partners, and the agreements with them."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

import typer

from hanse.assembly.administration import Administration, administration
from hanse.assembly.settings import Settings
from hanse.cli import here
from hanse.refpoints.mfm_fed.members import Partner, PartnerState

SETTLING = 5.0
"""Seconds in which partners hear of a change."""

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
    found = here.run(_change(here.settings_of(operator), partner, opened=True))
    here.console.print(f"the agreement with {partner} is open{_but(found)}", highlight=False, soft_wrap=True)


def _but(partner: Partner) -> str:
    """What is in the way of an agreement that was opened here."""
    if partner.state is PartnerState.AVAILABLE:
        return ""
    return f" on this side; the partner is {partner.state}{f': {partner.detail}' if partner.detail else ''}"


async def _change(settings: Settings, partner: str, *, opened: bool) -> Partner:
    async with administration(settings) as oss:
        if opened:
            await oss.overview.open_agreement(partner)
        else:
            await oss.overview.close_agreement(partner)
        return await _settled(oss, partner)


async def _settled(oss: Administration, name: str) -> Partner:
    """How it stands with a partner, once both sides have heard of a change or did not in time."""
    deadline = time.monotonic() + SETTLING
    while True:
        partner = next(known for known in (await oss.overview.overview()).partners if known.name == name)
        passing = partner.state in (PartnerState.FORMING, PartnerState.TEMPORARY_FAILURE)
        if not passing or time.monotonic() > deadline:
            return partner
        await asyncio.sleep(0.1)
