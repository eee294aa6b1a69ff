"""The diagram on a terminal."""

from __future__ import annotations

import pytest

from hanse.kit.contract.observe import Message
from hanse.kit.telemetry import render_text
from hanse.kit.telemetry.join import join
from hanse.kit.telemetry.procedures import procedures
from tests.unit.kit.telemetry.example import hostile, message, north, south

GOLDEN = """
instantiate (Mm1, oss) · 5 calls · 250 ms

    ╭ north ──╮ ╭ south ──╮
                        mep
      oss   meo   fm   quay
       │     │     │     │
  1    ├────▶│     │     │   Mm1     instantiate  POST /instances    202  250 ms
  2    │     ├────▶│     │   Mff-fed offers       GET /offers        403 20.0 ms
       │     │     │     │           ✗ Not shared
  3    │     │     ├────▶│   Mm3     services     GET /services      200 0.50 ms
  4    │◀────┤     │     │   Mm1     notify       POST /callbacks/7  204 10.0 ms
  5    │     ├─↺   │     │   Mm1     retry        POST /self         200 10.0 ms
"""

LISTED = """
instantiate (Mm1, oss) · 3 calls · 250 ms

  1 north/oss → north/meo
    Mm1     instantiate  POST /instances  202  250 ms
  2 north/meo → south/fm
    Mff-fed offers       GET /offers      403 20.0 ms
            ✗ Not shared
  3 south/fm → south/mep.quay
    Mm3     services     GET /services    200 0.50 ms
"""


def drawn(messages: list[Message], width: int = 100) -> str:
    (procedure,) = procedures(join(messages))
    return render_text.render(procedure, width)


def example() -> list[Message]:
    notice = message(
        "n3", sender="meo", receiver="oss", operation="notify", path="/callbacks/7", status=204, began=100.2
    )
    itself = message("n4", sender="meo", receiver="meo", operation="retry", path="/self", began=100.22)
    return [*north(), *south(), notice, itself]


def test_a_procedure_across_two_operators_reads_like_the_standards_own_figure() -> None:
    assert "\n" + drawn(example()) == GOLDEN


BACK_AND_FORTH = """
instantiate (Mm1, oss) · 4 calls · 40.0 ms

    ╭ north ────────────────────────────╮
           federation    mep       app
      oss    manager   harbour  01234567…
       │        │         │         │
  1    ├───────▶│         │         │      Mm1 instantiate  POST /a    200 10.0 ms
  2    │        ├────────▶│         │      Mm1 instantiate  POST /b    200 10.0 ms
  3    ├────────┼─────────┼────────▶│      Mm1 instantiate  POST /c    200 10.0 ms
  4    │        │◀────────┼─────────┤      Mm1 instantiate  POST /…/d  200 10.0 ms
"""


def back_and_forth() -> list[Message]:
    app, mep, fm = "app.0123456789abcdef0123456789abcdef", "mep.harbour", "federation_manager"
    pairs = [("oss", fm, "/a"), (fm, mep, "/b"), ("oss", app, "/c"), (app, fm, "/…/d")]
    return [
        message(str(i), sender=sender, receiver=receiver, path=path, began=i / 100)
        for i, (sender, receiver, path) in enumerate(pairs)
    ]


def test_arrows_pass_over_the_lifelines_between_their_ends_in_both_directions() -> None:
    assert "\n" + drawn(back_and_forth()) == BACK_AND_FORTH


def test_every_arrow_ends_on_the_lifeline_of_its_receiver() -> None:
    _, _, _, _, _, rail, *rows = drawn(back_and_forth()).splitlines()
    lifelines = [i for i, c in enumerate(rail) if c == "│"]
    for row, (source, target) in zip(rows, [(0, 1), (1, 2), (0, 3), (3, 1)], strict=True):
        head = "▶" if source < target else "◀"
        assert row[lifelines[target] + (-1 if source < target else 1)] == head


def test_a_thousand_calls_keep_their_numbers_in_one_column() -> None:
    lines = drawn([message(str(i), began=float(i)) for i in range(1000)], 70).splitlines()
    assert lines[-1].startswith("1000 ")
    assert lines[-1].index("▶") == lines[-2].index("▶")
    assert max(map(len, lines)) <= 70


def test_a_narrow_terminal_gives_up_the_path_before_status_and_time() -> None:
    line = drawn([message(operation="instantiate_application", path="/a/long/path")], 50).splitlines()[-1]
    assert "/path" not in line
    assert line.endswith("200 10.0 ms")


def test_where_the_columns_do_not_fit_the_calls_are_listed() -> None:
    assert "\n" + drawn(north() + south(), width=60) == LISTED


@pytest.mark.parametrize("width", [0, 50, 64, 70, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    long = message("n5", sender="x" * 300, receiver="y." + "z" * 300, operation="o" * 200, path="/p" * 200, status=500)
    dull = message("n6", sender="x", reference_point="r" * 99, receiver="q_" * 99, status=500, problem="why " * 99)
    for messages in (example(), [*example(), long], [dull], [long, dull]):
        lines = drawn(messages, width).splitlines()
        assert max(map(len, lines)) <= max(width, 50)


def test_a_call_without_an_answer_shows_a_dash_and_the_reason() -> None:
    lines = drawn([message(status=0, problem="meo cannot be reached")]).splitlines()
    assert lines[-2].endswith("POST /instances    - 10.0 ms")
    assert lines[-1].endswith("✗ meo cannot be reached")


def test_many_participants_are_listed_whatever_the_width() -> None:
    crowd = [message(str(i), sender=f"s{i}", receiver=f"r{i}", began=float(i)) for i in range(200)]
    lines = drawn(crowd, 100).splitlines()
    assert "  1 north/s0 → north/r0" in lines
    assert "200 north/s199 → north/r199" in lines


def test_a_hostile_name_neither_steers_the_terminal_nor_breaks_a_line() -> None:
    text = drawn([hostile()])
    assert all(line.isprintable() for line in text.splitlines())
    assert len(text.splitlines()) < 10
