"""Names that become names of files: identifiers of images and instances, paths of a workload's files."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from hanse.kit.problems import bad_request

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def identifier(kind: str, value: str) -> str:
    """The identifier itself, if it is nothing but a name; 400 for anything that could be a path."""
    if not _IDENTIFIER.fullmatch(value):
        rule = "1 to 128 letters, digits, '.', '_' and '-', beginning with a letter or digit"
        raise bad_request(f"{kind} id {value[:140]!r}", f"give {rule}")
    return value


def inner_path(value: str) -> PurePosixPath:
    """A path that stays below the directory it is put into; 400 for one that would not."""
    path = PurePosixPath(value)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\0" in value:
        raise bad_request(f"files: {value[:140]!r}", "give a path below the workload's directory, without '..'")
    return path
