"""The diagram for a page."""

from __future__ import annotations

import re

from hanse.kit.contract.observe import Message
from hanse.kit.telemetry import render_mermaid
from hanse.kit.telemetry.join import join
from hanse.kit.telemetry.procedures import procedures
from tests.unit.kit.telemetry.example import hostile, north, south

GOLDEN = """\
sequenceDiagram
    autonumber
    box rgb(232, 240, 250) north
        participant p0 as oss
        participant p1 as meo
    end
    box rgb(251, 240, 228) south
        participant p2 as fm
        participant p3 as mep.quay
    end
    p0->>p1: Mm1 instantiate<br/>POST /instances → 202, 250 ms
    p1-xp2: Mff-fed offers<br/>GET /offers → 403, 20.0 ms<br/>Not shared
    p2->>p3: Mm3 services<br/>GET /services → 200, 0.50 ms
"""

LINE = re.compile(
    r"sequenceDiagram|    autonumber|    end"
    r"|    box rgb\(\d+, \d+, \d+\) TEXT|        participant p\d+ as TEXT"
    r"|    p\d+(->>|-x)p\d+: TEXT<br/>TEXT(<br/>TEXT)?".replace("TEXT", r"([\w \-./,()·→…]|#\d+;)*")
)


def drawn(messages: list[Message]) -> str:
    (procedure,) = procedures(join(messages))
    return render_mermaid.render(procedure)


def test_a_procedure_across_two_operators_has_a_box_for_each() -> None:
    assert drawn(north() + south()) == GOLDEN


def test_nothing_that_a_name_contains_is_markup() -> None:
    text = drawn([hostile()])
    assert [line for line in text.splitlines() if not LINE.fullmatch(line)] == []


def test_names_in_any_script_stay_readable() -> None:
    assert render_mermaid.escape("Zürich-東京 2") == "Zürich-東京 2"


def test_marks_with_a_meaning_become_entity_codes() -> None:
    assert render_mermaid.escape("a;b#c<d>:%") == "a#59;b#35;c#60;d#62;#58;#37;"
