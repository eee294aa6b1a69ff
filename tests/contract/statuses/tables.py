"""All tables of statuses, by the test file that is made of each."""

from __future__ import annotations

from tests.contract.statuses import mfm_fed_place, mm1_rows, mp1_rows
from tests.contract.statuses.row import Row

TABLES: dict[str, tuple[Row, ...]] = {
    "test_statuses_mp1.py": mp1_rows.ROWS,
    "test_statuses_mm1.py": mm1_rows.ROWS,
    "test_statuses_mfm_fed.py": mfm_fed_place.ROWS,
}


def reached() -> dict[tuple[str, str], set[int]]:
    """The statuses that rows reach, by API and operation."""
    found: dict[tuple[str, str], set[int]] = {}
    for rows in TABLES.values():
        for row in rows:
            found.setdefault((row.api.__name__, row.operation.name), set()).add(row.status)
    return found
