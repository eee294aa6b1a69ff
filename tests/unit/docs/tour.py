"""The README's tour, read from its console blocks and run in a shell."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

README = Path(__file__).parents[3] / "README.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "=== end of command"


@dataclass
class Command:
    """A command as a reader would type it, and the lines that it is said to print; ``…`` stands for anything."""

    line: str
    expected: list[str] = field(default_factory=list)

    def missing(self, output: str) -> list[str]:
        """What is said to be printed and was not."""
        lines = [_plain(line) for line in output.splitlines()]
        return [wanted for wanted in self.expected if not any(_matches(wanted, line) for line in lines)]


def commands(text: str) -> Iterator[Command]:
    """The commands of all console blocks, in order."""
    for block in BLOCK.findall(text):
        found: list[Command] = []
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Command(line[2:]))
            elif line.strip():
                found[-1].expected.append(line)
        yield from found


def run(tour: list[Command], directory: Path, environment: Mapping[str, str], seconds: float) -> list[tuple[int, str]]:
    """Run the commands in one shell, up to the first that fails; the exit status and output of each."""
    script = "exec 2>&1\n"
    for number, command in enumerate(tour):
        script += f"{command.line}\nstatus=$?; echo; echo {MARK} {number} $status; [ $status = 0 ] || exit\n"
    done = subprocess.run(
        ["bash", "-c", script], cwd=directory, env=dict(environment), capture_output=True, text=True, timeout=seconds
    )
    return list(_split(done.stdout))


def _split(output: str) -> Iterator[tuple[int, str]]:
    begin = 0
    for end in re.finditer(rf"^{MARK} \d+ (\d+)\n", output, re.MULTILINE):
        yield int(end[1]), output[begin : end.start()]
        begin = end.end()


def _matches(wanted: str, line: str) -> bool:
    parts = [re.escape(_plain(part)) for part in wanted.split("…")]
    return re.search(".*".join(parts), line) is not None


def _plain(text: str) -> str:
    return " ".join(text.split())
