"""Failpoints: named places just before and after each effect on the world, where a test may end the process.

An *effect* is what survives a crash: a commit, a spawned process, a rule, a DNS record, a call on another element. The
function that has it is marked with ``@effect("compute.spawn")``; that gives the failpoints ``compute.spawn:before`` and
``compute.spawn:after``. With ``HANSE_FAILPOINT=compute.spawn:after`` in the environment the process kills itself there,
with SIGKILL, the first time it comes by (``name@3``: the third time). Unset, a failpoint costs one comparison.

If ``HANSE_FAILPOINT`` is the absolute path of a file, the failpoint is what that file says while it is there: so a
process that is at work already can be armed for what it will be asked next.
"""

from __future__ import annotations

import functools
import inspect
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])

EFFECTS: dict[str, str] = {}
"""Every marked effect: its name and the qualified name of the function that has it."""

_given = os.environ.get("HANSE_FAILPOINT", "")
_orders = Path(_given) if _given.startswith("/") else None
_armed, _left = "", 0


def _arm(given: str) -> None:
    """Take ``name`` or ``name@3`` as the failpoint from now on."""
    global _armed, _left, _given
    _given = given
    _armed, _, count = given.partition("@")
    _left = int(count or 1)


_arm("" if _orders else _given)


def reach(name: str) -> None:
    """Pass a failpoint; if it is the armed one, the process ends here as by a power cut."""
    global _left
    if _orders is not None:
        _obey(_orders)
    if name != _armed:
        return
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def _obey(orders: Path) -> None:
    try:
        given = orders.read_text()
    except FileNotFoundError:
        given = ""
    if given != _given:
        _arm(given)


def effect(name: str) -> Callable[[F], F]:
    """Mark a function, plain or async, as the one that has an effect on the world."""

    def mark(function: F) -> F:
        EFFECTS[name] = f"{function.__module__}.{function.__qualname__}"
        if _orders is None and not _armed.startswith(name):
            return function
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def waiting(*args: Any, **kwargs: Any) -> Any:
                reach(f"{name}:before")
                result = await function(*args, **kwargs)
                reach(f"{name}:after")
                return result

            return cast(F, waiting)

        @functools.wraps(function)
        def plain(*args: Any, **kwargs: Any) -> Any:
            reach(f"{name}:before")
            result = function(*args, **kwargs)
            reach(f"{name}:after")
            return result

        return cast(F, plain)

    return mark
