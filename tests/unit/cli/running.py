"""The command as a user types it, in this process: its output, its errors, its exit code."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import pytest
from rich.console import Console

from hanse.cli import here, main


@dataclass
class Result:
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def last(self) -> Any:
        """The JSON object of the last line."""
        return json.loads(self.out.splitlines()[-1])


class Command:
    """Runs ``hanse`` as its entry point does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def __call__(self, *words: str) -> Result:
        out, err = io.StringIO(), io.StringIO()
        self._monkeypatch.setattr(sys, "argv", ["hanse", *words])
        self._monkeypatch.setattr(here, "console", Console(file=out, width=200))
        self._monkeypatch.setattr(main, "console", Console(file=err, width=200))
        code: object = 0
        with redirect_stdout(out), redirect_stderr(err):
            try:
                main.main()
            except SystemExit as ended:
                code = ended.code
        assert isinstance(code, int)
        return Result(code, out.getvalue(), err.getvalue())
