"""`dig`, a program that is not ours, and what it reads in an answer."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from typing import NamedTuple

import pytest

from hanse.drivers.names_embedded import EmbeddedNames
from tests.bounds import SOON


class Told(NamedTuple):
    """An answer: ``opcode``, ``status`` and ``flags`` as dig writes them, records by section, ``edns`` as flags.

    ``edns`` is ``None`` for an answer without OPT; ``text`` is all that dig said.
    """

    opcode: str
    status: str
    flags: set[str]
    counts: dict[str, int]
    edns: set[str] | None
    text: str


async def dig(names: EmbeddedNames, *words: str) -> str:
    """What dig prints; the test is skipped where it is not installed."""
    if shutil.which("dig") is None:
        pytest.skip("dig is not installed (Debian: bind9-dnsutils)")
    command = ("dig", f"@{names.address}", "-p", str(names.port), "+tries=1", f"+timeout={SOON:g}", *words)
    local = {**os.environ, "LC_ALL": "C.UTF-8"}
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=local)
    told, _ = await asyncio.wait_for(process.communicate(), 2 * SOON)
    return told.decode()


async def told(names: EmbeddedNames, *words: str) -> Told:
    """What dig reads in the one answer that it gets; fails if it gets none."""
    text = await dig(names, *words)
    head = re.search(r"opcode: (\w+), status: (\w+),.*\n;; flags: ([a-z ]*);(.*)", text)
    assert head, f"no answer: {text}"
    edns = re.search(r"; EDNS: version: (\d+), flags:([a-z ]*);(.*)udp:", text)
    assert edns is None or edns[1] == "0"
    strange = {"MBZ"} & set(re.findall(r"MBZ", head[4])), {"MBZ"} & set(re.findall(r"MBZ", edns[3] if edns else ""))
    return Told(
        opcode=head[1],
        status=head[2],
        flags=set(head[3].split()) | strange[0],
        counts={section: int(count) for section, count in re.findall(r"(\w+): (\d+)", head[4])},
        edns=set(edns[2].split()) | strange[1] if edns else None,
        text=text,
    )
