"""``hanse app``: start, list, stop instances."""

from __future__ import annotations

from typing import Annotated

import typer

from hanse.assembly.administration import administration
from hanse.assembly.onboarding import bring_up, take_down
from hanse.assembly.settings import Settings
from hanse.cli import here
from hanse.kit.problems import Problem
from hanse.model.place import Position
from hanse.refpoints.mm1.lifecycle import AppInstanceInfo, AppLcmOpOcc
from hanse.refpoints.mm1.topology import AppOverview

commands = typer.Typer(no_args_is_help=True)


@commands.command()
def start(
    app_d_id: Annotated[str, typer.Argument(help="The appDId of an on-boarded package.")],
    host: Annotated[str, typer.Option(help="In the zone of this host; by default where there is most room.")] = "",
    operator: here.OperatorOption = "",
    json: here.JsonOption = False,
) -> None:
    """Create an instance and start it."""
    identifier = here.run(_start(here.settings_of(operator), app_d_id, host))
    if json:
        here.show({"appInstanceId": identifier})
        return
    here.console.print(f"{identifier} is STARTED", highlight=False)
    here.hint(f"hanse app list · hanse app stop {identifier}")


async def _start(settings: Settings, app_d_id: str, host: str) -> str:
    if host and host not in settings.hosts:
        raise Problem(404, f"No host {host}", f"there are {', '.join(settings.hosts)}")
    zone = settings.hosts[host].zone if host else None
    where = Position(latitude=zone.latitude, longitude=zone.longitude) if zone else None
    async with administration(settings) as oss:
        return await bring_up(oss.lifecycle, app_d_id, where)


@commands.command()
def stop(
    app_instance_id: Annotated[str, typer.Argument(help="The instance.")],
    operator: here.OperatorOption = "",
) -> None:
    """Terminate an instance gracefully and delete it."""
    here.run(_stop(here.settings_of(operator), app_instance_id))
    here.console.print(f"{app_instance_id} is gone", highlight=False)


async def _stop(settings: Settings, app_instance_id: str) -> None:
    async with administration(settings) as oss:
        await take_down(oss.lifecycle, app_instance_id)


@commands.command("list")
def list_apps(operator: here.OperatorOption = "", json: here.JsonOption = False) -> None:
    """The instances of an operator."""
    instances, places = here.run(_list(here.settings_of(operator)))
    if json:
        here.show({"instances": instances})
        return
    hosts = {place.app_instance_id: place.host for place in places}
    shown = here.table("instances", "id", "app", "state", "host")
    for info in instances:
        shown.add_row(info.id, info.app_name, info.instantiation_state, hosts.get(info.id) or "-")
    here.console.print(shown)


async def _list(settings: Settings) -> tuple[list[AppInstanceInfo], tuple[AppOverview, ...]]:
    async with administration(settings) as oss:
        return await oss.lifecycle.list_instances(), (await oss.overview.overview()).system.apps


@commands.command()
def operations(operator: here.OperatorOption = "", json: here.JsonOption = False) -> None:
    """The operations on instances, and why those that failed did."""
    found = here.run(_operations(here.settings_of(operator)))
    if json:
        here.show({"operations": found})
        return
    shown = here.table("operations", "id", "operation", "state", "error")
    for operation in found:
        error = getattr(operation.error, "detail", "-")
        shown.add_row(operation.id, operation.lcm_operation, operation.operation_state, error)
    here.console.print(shown)


async def _operations(settings: Settings) -> list[AppLcmOpOcc]:
    async with administration(settings) as oss:
        return await oss.lifecycle.list_operations()
