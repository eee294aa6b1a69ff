"""Trees of files: walking one without following links, removing one whatever its permissions are."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path


def below(top: Path) -> Iterator[Path]:
    """Everything below a directory, parents first; links are not followed."""
    for where, directories, files in os.walk(top):
        yield from (Path(where, name) for name in directories + files)


def remove(top: Path) -> None:
    """Remove a tree, read-only directories too; one that is not there is no error. Raises OSError if it cannot."""
    if not top.is_dir():
        return
    top.chmod(0o700)
    # A directory is opened up before the walk goes down into it.
    for where, directories, _ in os.walk(top):
        for name in directories:
            if not Path(where, name).is_symlink():
                Path(where, name).chmod(0o700)
    with contextlib.suppress(FileNotFoundError):  # somebody else removes it too
        shutil.rmtree(top)
