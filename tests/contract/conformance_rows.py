"""What the document of conformance says of each operation: its clause, the statuses that are reached, the test."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass

from hanse.kit.contract.declare import Api, Operation
from hanse.kit.contract.reference import Offer, ReferencePoint
from hanse.refpoints.table import REFERENCE_POINTS
from tests.contract.statuses.row import Row
from tests.contract.statuses.tables import TABLES
from tests.contract.test_official_files import FILES

STANDARD: tuple[type[Api], ...] = tuple(api for apis in FILES.values() for api in apis)
"""APIs that a specification of ETSI gives paths and payloads for, in the order of the official files."""
AS_DECLARED = "as declared"
_SPECIFICATION = re.compile(r"ETSI GS MEC \d{3}(?:-\d)? V\d+\.\d+\.\d+")
_ASIDE = re.compile(r"\(([^()]*)\)")
_CLAUSE = re.compile(r"(?<![\w.])\d+(?:\.\d+){2,}(?![\w.])")


@dataclass(frozen=True)
class Shown:
    """One operation: ``statuses`` in order, ``row`` that shows it in the test ``file``, or ``None`` if nothing does."""

    operation: Operation
    clauses: tuple[str, ...]
    statuses: tuple[int, ...]
    file: str
    row: Row | None


def specification_of(api: type[Api]) -> str:
    """The specification that declares an API, as the docstring of its module names it; empty if it names none."""
    told = _SPECIFICATION.search(inspect.getdoc(inspect.getmodule(api)) or "")
    return told[0] if told else ""


def clauses_of(operation: Operation) -> tuple[str, ...]:
    """The clauses that the operation's docstring names in parentheses."""
    asides = _ASIDE.findall(inspect.getdoc(operation.function) or "")
    return tuple(clause for aside in asides for clause in _CLAUSE.findall(aside))


def shown(api: type[Api]) -> Iterator[Shown]:
    """Each operation of an API, as it is declared."""
    for operation in api.operations.values():
        rows = [(file, row) for file, found in TABLES.items() for row in found if _is_of(row, api, operation)]
        file, row = min(rows, key=lambda one: _worth(operation, one[1]), default=("", None))
        statuses = tuple(sorted({row.status for _, row in rows}))
        yield Shown(operation, clauses_of(operation), statuses, file, row)


def _is_of(row: Row, api: type[Api], operation: Operation) -> bool:
    return row.api is api and row.operation.name == operation.name


def _worth(operation: Operation, row: Row) -> tuple[bool, bool, bool]:
    """The success as it is declared comes first, then any success, then the refusal that is the operation's own."""
    stranger = row.status not in (403, 409) or row.how in ("another caller", "another method")
    return row.how != AS_DECLARED, row.status != operation.success, stranger


def points_of(api: type[Api]) -> list[tuple[ReferencePoint, Offer]]:
    """Where an API is offered."""
    return [(point, offer) for point in REFERENCE_POINTS for offer in point.offers if offer.api is api]


def own_apis() -> list[type[Api]]:
    """APIs for which no specification gives a payload, in the order of the reference points."""
    offered = [offer.api for point in REFERENCE_POINTS for offer in point.offers]
    return [api for api in dict.fromkeys(offered) if api not in STANDARD]
