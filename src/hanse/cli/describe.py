"""``hanse describe``: an API of a reference point as an OpenAPI document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hanse.cli import here
from hanse.kit.contract.declare import Api
from hanse.kit.contract.describe import describe
from hanse.kit.problems import Problem
from hanse.refpoints.table import REFERENCE_POINTS


def apis() -> dict[str, tuple[str, type[Api]]]:
    """Every API by name, with the reference points on which it is offered."""
    found: dict[str, tuple[list[str], type[Api]]] = {}
    for point in REFERENCE_POINTS:
        for offer in point.offers:
            points, _ = found.setdefault(offer.api.__name__, ([], offer.api))
            if point.name not in points:
                points.append(point.name)
    return {name: (", ".join(points), api) for name, (points, api) in found.items()}


def describe_api(
    name: Annotated[str, typer.Argument(help="An API; without it they are listed.")] = "",
    out: Annotated[Path | None, typer.Option(help="Write it to a file.")] = None,
) -> None:
    """Describe an API in OpenAPI 3.1, from the one declaration that also makes its routes and its clients."""
    known = apis()
    if not name:
        shown = here.table("APIs", "name", "reference points", "bases")
        for api_name, (points, api) in known.items():
            shown.add_row(api_name, points, ", ".join(api.api_bases))
        here.console.print(shown)
        here.hint("hanse describe ServiceManagement")
        return
    if name not in known:
        raise Problem(404, f"No API {name}", f"there are {', '.join(known)}")
    text = json.dumps(describe(known[name][1]), indent=2)
    if out is None:
        typer.echo(text)
        return
    out.write_text(text + "\n")
    here.console.print(f"{out} written", highlight=False)
