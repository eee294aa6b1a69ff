"""``hanse sandbox``: one MEC host in one process, for those who write applications."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import tempfile
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import msgspec
import typer

from hanse.assembly.sandbox import Options, Sandbox, Seed, read_seed
from hanse.assembly.sandbox.seed import SeededApp, smallest_seed
from hanse.assembly.sandbox.tokens import header
from hanse.cli import here
from hanse.kit import descriptors


def sandbox(
    port: Annotated[int, typer.Option(help="Where apps reach the platform.")] = 8443,
    seed: Annotated[Path | None, typer.Option(help="TOML or JSON: apps, rules, tokens, services, devices.")] = None,
    prefix: Annotated[str, typer.Option(help="Before every path, as in /sandbox/mep.")] = "",
    plain: Annotated[bool, typer.Option("--plain", help="HTTP without TLS; on loopback only.")] = False,
    address: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    names_port: Annotated[int, typer.Option(help="The port of the name server.")] = 10053,
    grace: Annotated[int, typer.Option(min=0, help="Seconds for apps to confirm that they are stopped.")] = 5,
    allow_origin: Annotated[list[str] | None, typer.Option(help="Whose web pages may call; or *. Repeatable.")] = None,
    home: Annotated[Path | None, typer.Option(help="Keep everything here; without it nothing is kept.")] = None,
    callback_authority: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True, dir_okay=False, help="PEM file: who certifies receivers of notifications. Repeatable."
        ),
    ] = None,
    as_json: here.JsonOption = False,
) -> None:
    """Run one MEC host with every Mp1 API, until a signal. No root, no operator's files."""
    with contextlib.ExitStack() as stack:
        kept = home or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hanse-sandbox-")))
        planted = with_tokens(read_seed(seed) if seed else smallest_seed())
        options = Options(
            kept,
            planted,
            address=address,
            port=port,
            names_port=names_port,
            prefix="" if prefix == "/" else prefix.rstrip("/"),
            plain=plain,
            grace=grace,
            origins=tuple(allow_origin or ()),
            callback_authorities=tuple(callback_authority or ()),
        )
        _run(options, as_json)


def with_tokens(seed: Seed) -> Seed:
    """The seed with a token for each app that has none: whoever starts a sandbox can speak for all of its apps."""
    apps = tuple(app if app.tokens else msgspec.structs.replace(app, tokens=_token()) for app in seed.apps)
    return msgspec.structs.replace(seed, apps=apps)


def _token() -> tuple[str, ...]:
    return smallest_seed().apps[0].tokens


def _run(options: Options, as_json: bool) -> None:
    import uvloop

    descriptors.allow_plenty()

    async def main() -> None:
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        async with Sandbox(options) as running:
            tell(running, as_json)
            await stopping.wait()

    uvloop.run(main())


def tell(running: Sandbox, as_json: bool) -> None:
    """Print where it is, who may speak, and what to try."""
    about = report(running)
    if as_json:
        print(json.dumps(about), flush=True)  # whoever started it waits for this line
        return
    lines = [f"MEC host at {about['url']}"]
    if about["authority"]:
        lines.append(f"  authority    {about['authority']}")
    lines.append(f"  name server  {about['names']} (UDP and TCP)")
    lines += [f"  app          {app['id']} ({app['name']})  {app['token']}" for app in about["apps"]]
    lines += [f"  volume       {app['volume']} of {app['id']}" for app in about["apps"] if app["volume"]]
    lines += ["Try:", *(f"  {line}" for line in about["try"]), "Ctrl-C stops it."]
    for line in lines:
        here.console.print(line, highlight=False, markup=False, soft_wrap=True)
    here.console.file.flush()  # whoever reads a log wants to see it before the end


def report(running: Sandbox) -> dict[str, Any]:
    """What ``--json`` prints: where the sandbox is, its apps with their tokens and credentials, three commands."""
    options = running.options
    return {
        "url": options.base,
        "authority": "" if options.plain else running.authority,
        "names": f"{options.address}:{options.names_port}",
        "apps": [_app(running, app) for app in options.seed.apps],
        "try": commands(running),
    }


def _app(running: Sandbox, app: SeededApp) -> dict[str, str]:
    access = running.access[app.id]
    return {
        "id": app.id,
        "name": app.name,
        "token": header(app.tokens[0]),
        "client_id": access.client_id,
        "client_secret": access.client_secret,
        "volume": access.volume,
    }


def commands(running: Sandbox) -> list[str]:
    """Three commands that work as they are printed."""
    options, apps = running.options, running.options.seed.apps
    curl = "curl" if options.plain else f"curl --cacert {quote(running.authority)}"
    lines = [f"{curl} {options.base}/mec_service_mgmt/v1/openapi.json"]
    if apps:
        shown = f"{curl} -H {quote(f'Authorization: {header(apps[0].tokens[0])}')} {options.base}"
        own = f"/mec_app_support/v2/applications/{apps[0].id}"
        lines = [f"{shown}/mec_service_mgmt/v1/services", f"{shown}{own}/traffic_rules", *lines]
    else:
        lines += [f"{curl} {options.base}/", f"{curl} {options.base}/ui/v1/openapi.json"]
    return lines
