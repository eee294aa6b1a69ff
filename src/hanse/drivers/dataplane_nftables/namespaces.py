"""Network namespaces: entering one for a moment, and running commands in one (ip-netns(8), setns(2))."""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hanse.drivers.dataplane_nftables.names import SPACES
from hanse.kit.problems import Problem

DIRECTORY = Path(SPACES)
_CLONE_NEWNET = 0x40000000
_SECONDS = 60.0
_ENDING_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")
"""A command that outlived us would still make what the next start has just looked for and not found (setpriv(1))."""
_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def inside(name: str) -> Iterator[None]:
    """This thread is in the namespace until the block ends: sockets made there stay there. Do not await in it."""
    with Path("/proc/thread-self/ns/net").open("rb") as here, (DIRECTORY / name).open("rb") as there:
        _enter(there.fileno())
        try:
            yield
        finally:
            _enter(here.fileno())


def existing(prefix: str) -> list[str]:
    """Namespaces whose name is ``prefix`` or begins with it and a full stop."""
    names = sorted(entry.name for entry in DIRECTORY.iterdir()) if DIRECTORY.is_dir() else []
    return [name for name in names if name == prefix or name.startswith(prefix + ".")]


async def run(command: Sequence[str], said: str = "", namespace: str = "") -> str:
    """What a command prints; 500 with its own words if it fails or takes more than a minute.

    Through a pipe of our own: nft opens its input by name, which fails for the sockets that uvloop gives.
    """
    words = ["ip", "netns", "exec", namespace, *command] if namespace else list(command)
    try:
        ended = await asyncio.to_thread(_ended, [*_ENDING_WITH_US, *words], said)
    except FileNotFoundError:
        raise _missing(_ENDING_WITH_US[0]) from None
    except subprocess.TimeoutExpired:
        raise Problem(500, f"{command[0]} did not end", f"it was given {_SECONDS:.0f} seconds") from None
    if ended.returncode:
        if missing := next((program for program in (words[0], command[0]) if shutil.which(program) is None), ""):
            raise _missing(missing)
        told = ended.stderr.strip()[:1000] or f"ended with {ended.returncode}"
        raise Problem(500, f"{command[0]} failed", f"`{' '.join(command)[:200]}`: {told}")
    return ended.stdout


async def batch(lines: Sequence[str], namespace: str = "", family: str = "") -> None:
    """Lines of ip(8), each without the leading ``ip``; the first that fails ends it.

    ``family``, ``-6`` for IPv6, is that of lines that name no address.
    """
    if lines:
        await run(["ip", *([family] if family else []), "-batch", "-"], "\n".join(lines) + "\n", namespace)


def _ended(words: Sequence[str], said: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, input=said, capture_output=True, text=True, errors="replace", timeout=_SECONDS)


def _missing(program: str) -> Problem:
    return Problem(500, f"{program} cannot be run", "it is not installed; `make system` installs it")


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
