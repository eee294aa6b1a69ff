"""``hanse bench``: what Hanse costs, compared with a floor of the same parts."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

import hanse
from hanse.cli import here
from hanse.kit.problems import Problem

ROOT = Path(hanse.__file__).resolve().parents[2]


def register(commands: typer.Typer) -> None:
    """Add the command."""
    commands.command("bench")(bench)


def bench(
    name: Annotated[str, typer.Argument(help="The benchmark, all, or list.")] = "list",
    json: here.JsonOption = False,
) -> None:
    """Measure Hanse against a floor; fails if a ratio misses its target."""
    known, missed = _catalogue()
    if name == "list":
        _list(known)
        return
    if name != "all" and name not in known:
        raise Problem(404, f"No benchmark {name}", f"there are {', '.join(known)}")
    failures: list[str] = []
    for chosen in known if name == "all" else [name]:
        typer.echo(f"{chosen}: {known[chosen].summary}", err=json)
        report = known[chosen].run(lambda text: typer.echo(f"  {text}", err=json))
        failures += [f"{chosen}: {line}" for line in missed(report, known[chosen].targets)]
        _print(report, json)
    for line in failures:
        typer.echo(f"missed: {line}", err=True)
    if failures:
        raise typer.Exit(1)


def _catalogue() -> tuple[dict[str, Any], Any]:
    """The benchmarks of the checkout; they are not part of the installed package."""
    if not (ROOT / "benchmarks" / "catalogue.py").is_file():
        raise Problem(404, "The benchmarks are missing", f"they are expected at {ROOT / 'benchmarks'}: use a checkout")
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    return import_module("benchmarks.catalogue").BENCHMARKS, import_module("benchmarks.report").missed


def _list(known: dict[str, Any]) -> None:
    shown = here.table("benchmarks", "name", "what is compared", "target")
    for name, benchmark in known.items():
        bounds = ", ".join(f"{ratio} {t.kind} {t.bound}" for ratio, t in benchmark.targets.items())
        shown.add_row(name, benchmark.summary, bounds)
    here.console.print(shown)


def _print(report: Any, json: bool) -> None:
    if json:
        here.show(report)
        return
    for title in ("figures", "floor", "ratio"):
        for key, value in getattr(report, title).items():
            typer.echo(f"  {title + '.' + key:32} {value}")
