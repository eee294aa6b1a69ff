"""No status of the official files, and none that our own descriptions promise, is left without a test.

What cannot be reached stands in `deviations.toml` as ``unreached``, with the clause that says why; an entry that is not
needed fails. The rows themselves are tests: `test_statuses_mp1.py`, `test_statuses_mm1.py`, `test_statuses_mfm_fed.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from hanse.kit.contract.declare import Api, Operation
from hanse.kit.contract.statuses import answers
from tests.contract.conformance import counterpart_of
from tests.contract.official import read_official
from tests.contract.statuses.row import HEADERS
from tests.contract.statuses.tables import TABLES, reached
from tests.contract.statuses.unreached import ENTRIES, UNREACHED
from tests.contract.test_official_files import FILES, LIST

COMMON = {400, 401, 403, 404, 405, 406, 414, 429}
"""What any operation may be answered with (MEC 009, annex E)."""
OF_BODIES = {408, 413, 415}


def operations() -> Iterator[tuple[str, type[Api], Operation]]:
    for name, apis in FILES.items():
        for api in apis:
            for operation in api.operations.values():
                yield name, api, operation


def promised() -> set[tuple[str, str, int]]:
    return {(a.__name__, o.name, status) for _, a, o in operations() for status in answers(o)}


def official() -> set[tuple[str, str, int]]:
    found = set()
    for name, api, operation in operations():
        moved = {entry["here"]: entry["there"] for entry in LIST["moved"] if entry["file"] == name}
        counterpart = counterpart_of(read_official(name), operation, moved)
        found |= {(api.__name__, operation.name, s) for s in (counterpart.statuses if counterpart else ())}
    return found


def shown() -> set[tuple[str, str, int]]:
    return {(api, operation, status) for (api, operation), statuses in reached().items() for status in statuses}


def test_every_status_that_a_description_promises_is_reached() -> None:
    assert promised() - shown() - UNREACHED == set()


@pytest.mark.shared
def test_every_status_of_the_official_files_is_reached() -> None:
    assert official() - shown() - UNREACHED == set()


@pytest.mark.shared
def test_what_is_said_never_to_come_is_in_a_file_or_promised_and_does_not_come() -> None:
    assert UNREACHED - official() - promised() == set(), "no entry is needed for what nobody promises"
    assert UNREACHED & shown() == set(), "it is reached"
    assert all(entry["because"].startswith(("mec009.md", "mec010-2.md", "mec011.md")) for entry in ENTRIES)


def test_statuses_of_mec_009_are_tried_on_every_operation() -> None:
    for _, api, operation in operations():
        wanted = COMMON | (OF_BODIES if operation.body is not None else set())
        missing = {(api.__name__, operation.name, status) for status in wanted} - shown()
        assert missing <= UNREACHED


def test_no_row_stands_twice() -> None:
    for rows in TABLES.values():
        assert [name for name, count in Counter(row.id for row in rows).items() if count > 1] == []


def test_a_refusal_says_what_is_wrong_or_carries_the_header_that_does() -> None:
    silent = {row.how for rows in TABLES.values() for row in rows if row.status >= 400 and not row.words}
    told = {row.how for rows in TABLES.values() for row in rows if row.status in HEADERS}
    assert silent - told == {"another caller"}, "who may not call learns nothing more"
