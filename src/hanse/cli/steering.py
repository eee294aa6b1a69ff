"""``hanse steering``: to which host a name leads, for whom."""

from __future__ import annotations

from typing import Annotated

import typer

from hanse.assembly.administration import administration
from hanse.assembly.settings import Settings
from hanse.cli import here
from hanse.kit.problems import bad_request
from hanse.kit.values import ABSENT
from hanse.refpoints.mm1.steering import Preference, SteeringPolicy, Target

commands = typer.Typer(no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="A full name, like video.example.com.")]
ToOption = Annotated[list[str], typer.Option("--to", help="HOST=ADDRESS: where devices reach it; once for each host.")]
LocationOption = Annotated[
    list[str],
    typer.Option("--location", help="HOST=URL: where HTTP redirection leads there, if not to its address."),
]
PreferOption = Annotated[
    list[str],
    typer.Option(
        "--prefer",
        help="'HOST device=alice subnet=10.1.0.0/16 zone=north-coast': who is led to HOST, whatever is nearer; "
        "the first that fits decides.",
    ),
]
_KINDS = ("device", "subnet", "zone")


@commands.command("set")
def set_policy(
    name: NameArgument,
    to: ToOption,
    prefer: PreferOption = [],  # noqa: B006 (typer reads it)
    location: LocationOption = [],  # noqa: B006 (typer reads it)
    ttl: Annotated[int, typer.Option(help="Seconds in which a change is felt.")] = 5,
    app: Annotated[str, typer.Option(help="Lead only to hosts on which this app (appName) is started.")] = "",
    operator: here.OperatorOption = "",
) -> None:
    """Lead devices that ask for a name: by preference, else to the nearest host."""
    policy = SteeringPolicy(
        name=name,
        targets=_targets(to, location),
        preferences=tuple(_preference(text) for text in prefer),
        ttl=ttl,
        app=app or ABSENT,
    )
    here.run(_set(here.settings_of(operator), policy))
    here.console.print(f"{name} leads by this policy; all devices follow within {ttl} s", highlight=False)
    here.hint(f"hanse steering list · hanse ue resolve DEVICE {name} · hanse steering remove {name}")


@commands.command()
def remove(name: NameArgument, operator: here.OperatorOption = "") -> None:
    """Lead by the configuration again, or by nothing but the rules of apps."""
    here.run(_remove(here.settings_of(operator), name))
    here.console.print(f"the policy for {name} is gone", highlight=False)


@commands.command("list")
def list_policies(operator: here.OperatorOption = "", json: here.JsonOption = False) -> None:
    """The policies of an operator."""
    policies = here.run(_list(here.settings_of(operator)))
    if json:
        here.show({"policies": policies})
        return
    shown = here.table("policies", "name", "leads to", "prefers", "ttl", "app")
    for policy in policies:
        targets = "\n".join(_led(target) for target in policy.targets)
        preferences = "\n".join(_told(preference) for preference in policy.preferences)
        app = policy.app if isinstance(policy.app, str) else "-"
        shown.add_row(policy.name, targets, preferences or "the nearest", str(policy.ttl), app)
    here.console.print(shown)


async def _set(settings: Settings, policy: SteeringPolicy) -> None:
    async with administration(settings) as oss:
        await oss.steering.set_policy(policy.name, policy)


async def _remove(settings: Settings, name: str) -> None:
    async with administration(settings) as oss:
        await oss.steering.remove_policy(name)


async def _list(settings: Settings) -> list[SteeringPolicy]:
    async with administration(settings) as oss:
        return await oss.steering.list_policies()


def _targets(to: list[str], locations: list[str]) -> tuple[Target, ...]:
    addresses = [_pair("--to", "ADDRESS", text) for text in to]
    urls = dict(_pair("--location", "URL", text) for text in locations)
    nowhere = urls.keys() - {host for host, _ in addresses}
    if nowhere:
        raise bad_request("Invalid option --location", f"no --to leads to {', '.join(sorted(nowhere))}")
    return tuple(Target(host=host, address=address, location=urls.get(host, ABSENT)) for host, address in addresses)


def _pair(option: str, what: str, text: str) -> tuple[str, str]:
    host, separator, value = text.partition("=")
    if not (host and separator and value):
        raise bad_request(f"Invalid option {option}", f"write HOST={what}; got {text!r}")
    return host, value


def _led(target: Target) -> str:
    return " ".join([target.host, target.address, *([target.location] if isinstance(target.location, str) else [])])


def _preference(text: str) -> Preference:
    host, *words = text.split() or [""]
    named: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    for word in words:
        kind, separator, value = word.partition("=")
        if kind not in named or not (separator and value):
            raise bad_request("Invalid option --prefer", f"after the host device=, subnet= or zone=; got {word!r}")
        named[kind].append(value)
    return Preference(
        to=host, devices=tuple(named["device"]), subnets=tuple(named["subnet"]), zones=tuple(named["zone"])
    )


def _told(preference: Preference) -> str:
    theirs = zip(_KINDS, (preference.devices, preference.subnets, preference.zones), strict=True)
    return " ".join([preference.to, *(f"{kind}={value}" for kind, values in theirs for value in values)])
