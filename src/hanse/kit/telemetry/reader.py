"""Reading journals back: the messages of all processes of all operators at hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from hanse.kit.contract.observe import Message
from hanse.kit.problems import Problem
from hanse.kit.telemetry.join import join
from hanse.kit.telemetry.journal_file import decode, files_in


def read(directories: Sequence[Path]) -> list[Message]:
    """Every call once, in the order in which they began; calls between two of the operators are ``Crossing``.

    Torn lines are skipped. A directory that does not exist is a 404. Reads files: not for the event loop.
    """
    return join(sightings(directories))


def sightings(directories: Sequence[Path]) -> Iterator[Message]:
    """What each end wrote down, unjoined, file by file."""
    for directory in directories:
        if not directory.is_dir():
            raise Problem(
                404, f"No journals in {directory}", "give the telemetry directory of an operator that has run"
            )
        for path in files_in(directory):
            yield from _lines(path)


def _lines(path: Path) -> Iterator[Message]:
    try:
        with path.open("rb") as file:
            for line in file:
                message = decode(line)
                if message is not None:
                    yield message
    except FileNotFoundError:  # rotated away since it was listed; its lines are read under the other name
        return
    except OSError as error:
        raise Problem(500, f"Journal {path} cannot be read", str(error)) from error
