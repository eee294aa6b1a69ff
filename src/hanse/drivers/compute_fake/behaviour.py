"""What a command means here: words that say what the app writes, and when and how it ends.

``say=TEXT`` writes a line. ``exit=CODE`` ends by itself, at once. ``obey=CODE`` ends with this code when asked to,
``deaf`` not at all. ``flood`` writes without end. ``take=MIB`` takes memory, and ends if it is more than it may have.
``tell`` writes its environment and its files. Any other word says nothing: an image made for a real driver just runs.
"""

from __future__ import annotations

from hanse.kit.problems import bad_request
from hanse.kit.values import Value
from hanse.refpoints.mm7 import Workload

MIB = 1024 * 1024


class Behaviour(Value):
    """How an app behaves: what it writes when it is started, its own exit code, and that of an exit on request."""

    writes: bytes
    exits: int | None
    obeys: int | None
    deaf: bool


def behaviour(workload: Workload) -> Behaviour:
    """Read a workload's command; 400 if a number in it is none, or if it is empty."""
    if not workload.command:
        raise bad_request("command", "give words that say how the app behaves; got none")
    writes, exits, obeys = b"", None, None
    for word in workload.command:
        name, _, value = word.partition("=")
        if name == "exit":
            exits = _number(word, value)
        elif name == "obey":
            obeys = _number(word, value)
        elif name == "take" and _number(word, value) * MIB > workload.limits.memory > 0:
            return Behaviour(writes=writes + b"out of memory\n", exits=1, obeys=obeys, deaf=False)
        else:
            writes += _written(name, value, workload)
    return Behaviour(writes=writes, exits=exits, obeys=obeys, deaf="deaf" in workload.command)


def _written(name: str, value: str, workload: Workload) -> bytes:
    if name == "say":
        return value.encode() + b"\n"
    if name == "flood":
        return b"x" * workload.limits.output
    if name == "tell":
        told = [*workload.environment.values(), *workload.files.values(), str(sorted(workload.environment))]
        return " ".join(told).encode() + b"\n"
    return b""


def _number(word: str, value: str) -> int:
    if not value.isdecimal():
        raise bad_request(f"command: {word[:140]!r}", "give a number after the '='")
    return int(value)
