"""The page on names says what `dig` says: its table is asked row by row of a server with its records."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from hanse.drivers.names_embedded import EmbeddedNames
from hanse.refpoints.mp2 import NameRecord
from tests.contract.digging import dig

ADDRESS = f"127.{64 + os.getpid() % 64}.{os.getpid() // 64 % 256}.63"
PAGE = (Path(__file__).parents[2] / "docs/names.md").read_text()
ROWS = re.findall(r"^\| `(.+?)` \| ([\w ]+) \| (.+) \|$", PAGE, re.MULTILINE)


@pytest.fixture
async def names() -> AsyncIterator[EmbeddedNames]:
    records = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert records
    server = EmbeddedNames(ADDRESS, 0, zones=("mec.example",))
    for record in msgspec.json.decode(records[1], type=list[NameRecord]):
        await server.publish(record.record_id, record)
    await server.start()
    yield server
    await server.close()


@pytest.mark.parametrize(("question", "status", "told"), ROWS, ids=[row[0] for row in ROWS])
async def test_a_row_of_the_page_is_what_dig_says(names: EmbeddedNames, question: str, status: str, told: str) -> None:
    text = await dig(names, *question.split())
    body = re.sub(r"^;;? .*<<>>.*$|^;[^;].*\tIN\t.*$", "", text, flags=re.MULTILINE)
    assert status in body
    promised = re.findall(r"`([^` ]+)`", told)
    assert all(each in body for each in promised), body
    assert ("ANSWER: 0" in body) == (told.startswith("no answer") or status == "REFUSED")
    assert ("\tSOA\t" in body) == told.startswith("no answer")


def test_the_page_has_rows_of_every_outcome() -> None:
    assert len(ROWS) > 15
    assert {status for _, status, _ in ROWS} == {"NOERROR", "NXDOMAIN", "REFUSED", "Transfer failed"}
