"""The command ``hanse``."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType

import typer
from rich.console import Console
from rich.markup import escape

from hanse.cli import app, bench, federation, operate, package, refpoints, sandbox, scenario, steering, trace, ue
from hanse.cli import client as clients
from hanse.kit.problems import Problem

console = Console(stderr=True)

hanse = typer.Typer(
    name="hanse",
    help="An open ETSI MEC system whose operators federate.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
operate.register(hanse)
bench.register(hanse)
hanse.add_typer(package.commands, name="package", help="Build and on-board application packages.")
hanse.add_typer(app.commands, name="app", help="Application instances: start, list, stop, delete.")
hanse.add_typer(ue.commands, name="ue", help="A device: resolve a name, send a request.")
hanse.add_typer(steering.commands, name="steering", help="To which host a name leads, for whom.")
hanse.add_typer(clients.commands, name="client", help="Who may manage an operator from outside.")
hanse.add_typer(federation.commands, name="federation", help="Partners and the agreements with them.")
hanse.add_typer(trace.commands, name="trace", help="What crossed the reference points.")
hanse.add_typer(scenario.commands, name="scenario", help="Procedures of the standard, played for real.")

hanse.command("refpoints")(refpoints.show)
hanse.command("sandbox")(sandbox.sandbox)


TERMINATED = 128 + signal.SIGTERM
"""The exit status after SIGTERM, as shells tell it."""


def main() -> None:
    """Run the command; a problem is one line and a hint, never a traceback; SIGTERM ends it, cleaned up after."""
    with _orderly_end():
        _run()


@contextlib.contextmanager
def _orderly_end() -> Iterator[None]:
    """Let SIGTERM unwind what runs, once: a second one must not cut the cleaning up short."""

    def end(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, lambda *_: None)  # SIG_IGN would be inherited by processes that are started now
        raise SystemExit(TERMINATED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run() -> None:
    try:
        status = hanse(standalone_mode=False)  # what typer.Exit says comes back as a value here
    except Problem as problem:
        console.print(f"[red]{escape(problem.title)}[/red]", highlight=False, soft_wrap=True)
        if problem.detail != problem.title:
            console.print(f"  {problem.detail}", highlight=False, markup=False, soft_wrap=True)
        sys.exit(1)
    except OSError as error:
        console.print(f"[red]{escape(str(error.filename or 'Cannot go on'))}[/red]", highlight=False, soft_wrap=True)
        console.print(f"  {error.strerror or error}", highlight=False, markup=False, soft_wrap=True)
        sys.exit(1)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        console.print(f"[red]{escape(error.format_message())}[/red]", highlight=False, soft_wrap=True)
        console.print("  hanse --help lists the commands", highlight=False)
        sys.exit(2)
    sys.exit(status if isinstance(status, int) else 0)
