"""Turns: one starts or stops a deployment at a time."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hanse.kit.problems import conflict

LOCK = ".turn"
"""A file in a deployment's directory that whoever starts or stops it holds locked; it is free when the holder ends."""


@contextmanager
def turn(directory: Path, patience: float) -> Iterator[None]:
    """Wait until nobody else starts or stops the deployment, then keep others waiting; 409 after ``patience`` s."""
    path, deadline = directory / LOCK, time.monotonic() + patience
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not _locked(handle):
            if time.monotonic() > deadline:
                raise conflict("Another command starts or stops this deployment", f"wait until it lets go of {path}")
            time.sleep(0.05)
        yield
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
