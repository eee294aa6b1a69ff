"""Documents stay true to the code and to each other."""

from __future__ import annotations

import os
import re
import subprocess
from itertools import chain
from pathlib import Path

import pytest

from hanse.cli.picture import picture, ways
from hanse.cli.refpoints import table
from hanse.elements.border.translation import OPEN_STATUSES, TOLD
from hanse.kit.contract.exchange import PASSED
from hanse.kit.contract.reference import ReferencePoint
from hanse.refpoints.mm1.occurrence import ALLOWED
from hanse.refpoints.mm5.platform import AppPhase
from hanse.refpoints.table import REFERENCE_POINTS
from tests.unit.docs.tour import README

ROOT = README.parent
ROOMS = ROOT / "src/hanse/refpoints"
DOCUMENTS = sorted(
    path
    for path in chain(
        ROOT.glob("*.md"), ROOT.glob("docs/**/*.md"), ROOT.glob("src/**/*.md"), ROOT.glob("examples/*.md")
    )
)
ALONE = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
"""The environment without what a ``make`` that runs these tests would tell another one."""
LINK = re.compile(r"\]\(([^)\s]+)\)")
ADDRESS = re.compile(r"^(https?:|#)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_link_of_a_document_leads_nowhere(document: Path) -> None:
    links = [link for link in LINK.findall(document.read_text()) if not ADDRESS.match(link)]

    broken = [link for link in links if not (document.parent / link.partition("#")[0]).exists()]

    assert not broken


def test_the_table_of_reference_points_is_the_one_that_the_guard_uses() -> None:
    assert (ROOMS / "README.md").read_text() == table(REFERENCE_POINTS), "make docs writes it anew"


def test_the_picture_shows_every_reference_point() -> None:
    drawn = (ROOT / "docs/architecture.svg").read_text()

    assert drawn == picture(REFERENCE_POINTS), "make docs writes it anew"
    assert {point.name for point in REFERENCE_POINTS} == {name for name, _, _ in ways(REFERENCE_POINTS)}
    assert not [point.name for point in REFERENCE_POINTS if f">{point.name}<" not in drawn]


def test_every_room_tells_what_it_is_for() -> None:
    rooms = [path.parent for path in ROOMS.glob("*/__init__.py")] + [
        path.parent for path in ROOT.glob("src/hanse/drivers/*_*/__init__.py")
    ]
    homes = {point.name.lower().replace("-", "_") for point in REFERENCE_POINTS}

    assert homes <= {room.name for room in rooms}
    assert not [room.name for room in rooms if not (room / "README.md").exists()]


@pytest.mark.parametrize("point", REFERENCE_POINTS, ids=lambda point: point.name)
def test_the_page_of_a_reference_point_tells_of_every_api_in_its_room(point: ReferencePoint) -> None:
    room = point.name.lower().replace("-", "_")
    page = (ROOMS / room / "README.md").read_text()
    own = {offer.api for offer in point.offers if offer.api.__module__.startswith(f"hanse.refpoints.{room}.")}

    assert page.startswith(f"# {point.name}\n")
    assert not [api.__name__ for api in own if api.__name__ not in page]


def test_the_diagram_of_an_instance_has_every_operation_where_the_table_allows_it() -> None:
    architecture = (ROOT / "docs/architecture.md").read_text()

    drawn = set(re.findall(r"^    (\w+) --> \w+: ([A-Z]+)$", architecture, re.MULTILINE))

    assert drawn == {(state.value, operation.value) for operation, state in ALLOWED.items()}


def test_the_diagram_of_an_app_has_every_phase() -> None:
    architecture = (ROOT / "docs/architecture.md").read_text()

    assert not [phase for phase in AppPhase if not re.search(rf"(^    |--> ){phase}\b", architecture, re.MULTILINE)]


def test_what_is_said_to_cross_between_operators_is_what_the_border_lets_through() -> None:
    decision = (ROOT / "docs/decisions/0006-federation-payloads.md").read_text()
    as_they_are = re.search(r"own request \(([\d, ]+)\)", decision)
    bare = re.search(r"as they are;\s+([\d,\s]+) with a fixed title", decision)

    assert as_they_are is not None
    assert bare is not None
    assert {int(number) for number in as_they_are[1].split(",")} == OPEN_STATUSES
    assert {int(number) for number in bare[1].split(",")} == set(TOLD)
    assert not {"cookie", "set-cookie", "authorization", "server", "via", "host", "traceparent"} & PASSED


def test_decisions_that_the_code_cites_are_there_and_listed() -> None:
    sources = [*ROOT.glob("src/**/*.py"), *ROOT.glob("tests/**/*.py")]
    cited = {number for path in sources for number in re.findall(r"docs/decisions/(\d{4})", path.read_text())}
    records = {path.name[:4]: path for path in (ROOT / "docs/decisions").glob("0*.md")}
    listed = (ROOT / "docs/decisions/README.md").read_text()

    assert cited <= set(records)
    assert not [path.name for path in records.values() if f"({path.name})" not in listed]
    for path in records.values():
        for part in ("**Context.**", "**Decision.**", "**Consequences.**", "**Would change it.**"):
            assert part in path.read_text(), f"{path.name} lacks {part}"


def test_make_help_lists_every_target() -> None:
    targets = set(re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE))

    told = subprocess.run(
        ["make", "help"], cwd=ROOT, env=ALONE, capture_output=True, text=True, check=True, timeout=100
    )

    assert targets == set(re.findall(r"^  make (\S+) +\S", told.stdout, re.MULTILINE))


@pytest.mark.parametrize(
    ("python", "told"),
    [
        ("python3.99", "Python 3.11 is missing: install python3.11, or set PYTHON=/path/to/it"),
        ("false", "The venv module of Python is missing: install python3.11-venv"),
    ],
)
def test_what_a_machine_lacks_for_the_set_up_is_told_in_one_line_with_the_remedy(python: str, told: str) -> None:
    asked = ["make", "setup", f"PYTHON={python}", "VENV=/nonexistent/venv"]

    done = subprocess.run(asked, cwd=ROOT, env=ALONE, capture_output=True, text=True, timeout=100)

    assert done.returncode != 0
    assert done.stdout.splitlines() == [told]
