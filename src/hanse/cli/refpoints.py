"""``hanse refpoints``: the reference points as they are declared, for people (text, Markdown) and as a picture."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import typer

from hanse.cli.picture import picture
from hanse.kit.contract.reference import Offer, ReferencePoint
from hanse.refpoints.table import REFERENCE_POINTS

HEAD = """\
# Reference points

Generated from `table.py` by `make docs`; a test fails where the two differ. Each room has a `README.md` of its own.
A role in *used by* may call the operations named, and no other role may; the guard reads the same table.

| reference point | joins | API | served below | provided by | used by | operations |
|---|---|---|---|---|---|---|"""

TAIL = """\

Mm7 joins the VIM and the compute drivers. It is a Python protocol and never crosses a wire: see [mm7](mm7/README.md).
"""


class Form(StrEnum):
    """Markdown table, or SVG picture."""

    TABLE = "table"
    PICTURE = "picture"


def show(form: Annotated[Form, typer.Option("--as", help="A Markdown table, or an SVG.")] = Form.TABLE) -> None:
    """Who provides which API on which reference point, and who may use it."""
    typer.echo(table(REFERENCE_POINTS) if form is Form.TABLE else picture(REFERENCE_POINTS), nl=False)


def table(points: tuple[ReferencePoint, ...]) -> str:
    """All offers of all reference points as Markdown."""
    rows = [_row(point, offer) for point, offer in _offers(points)]
    return "\n".join([HEAD, *rows, TAIL])


def _offers(points: tuple[ReferencePoint, ...]) -> Iterator[tuple[ReferencePoint, Offer]]:
    for point in points:
        for offer in point.offers:
            yield point, offer


def _row(point: ReferencePoint, offer: Offer) -> str:
    room = offer.api.__module__.split(".")[2]  # hanse.refpoints.ROOM…: the room that declares the API
    home = point.name.lower().replace("-", "_")
    bases = ", ".join(f"`{base}`" for base in offer.api.api_bases)
    users = ", ".join(user + (" (own)" if user in offer.own else "") for user in offer.users)
    operations = ", ".join(offer.only) or f"all {len(offer.api.operations)}"
    api = f"[{offer.api.__name__}]({room}/{offer.api.__module__.rsplit('.', 1)[1]}.py)"
    cells = [f"[{point.name}]({home}/README.md)", point.joins, api, bases, offer.provider, users, operations]
    return f"| {' | '.join(cells)} |"
