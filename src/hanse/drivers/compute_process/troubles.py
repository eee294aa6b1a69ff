"""Errors of the operating system, said as problems: what there was no room for, what may not be done."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from hanse.kit.problems import Problem, bad_request

_FULL = (errno.ENOSPC, errno.EDQUOT)
_EXHAUSTED = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)


def problem_of(error: OSError, what: str) -> Problem:
    """507 where the disk is full, 503 where processes, memory or descriptors are used up, 500 for all else."""
    place = f" ({error.filename})" if error.filename else ""
    if error.errno in _FULL:
        return Problem(507, f"No space for {what}", f"make room on the disk of the host{place}, then ask again")
    if error.errno in _EXHAUSTED:
        return Problem(503, f"The host is exhausted: {what}", f"{error.strerror}{place}", {"Retry-After": "1"})
    return Problem(500, f"The host refuses {what}", f"{error.strerror or error}{place}")


@contextlib.contextmanager
def translated(what: str) -> Iterator[None]:
    """Say an OSError raised inside as a problem with ``what``."""
    try:
        yield
    except OSError as error:
        raise problem_of(error, what) from error


def full(what: str, reason: str) -> Problem:
    """507: a workload begins with more in its volume than it may have."""
    return Problem(507, f"No room in the volume of {what}", f"{reason}; take files out of it, then ask again")


def refusal(what: str, number: int, reason: str) -> Problem:
    """Why a supervisor did not run a workload: its own trouble (an errno), else 400, the program cannot be executed."""
    if number:
        return problem_of(OSError(number, reason), f"the start of {what}")
    return bad_request(f"{what}: command", f"give a program that this host can execute, within its limits: {reason}")
