"""Whoever reads a list through platforms gets to its next page, and to no place that the far side alone should know."""

from __future__ import annotations

import time

import pytest

from hanse.kit.contract.declare import Stream
from hanse.kit.contract.exchange import passed_on, relocated
from hanse.kit.contract.web_links import passed_links, retargeted
from tests.unit.elements.mep.parts import nothing


@pytest.mark.parametrize(
    ("told", "passed"),
    [
        ('<items?at=3>; rel="next"', '<items?at=3>; rel="next"'),
        ("<?at=3>;rel=next", '<?at=3>; rel="next"'),
        (
            '</v1/items?at=3>; rel="next", </v1/items>; rel=first',
            '</v1/items?at=3>; rel="next", </v1/items>; rel="first"',
        ),
        ('<a>; rel="prev Next"; title="page, two"', '<a>; rel="prev next"'),
        ("<a?b=1,2>; REL=NEXT", '<a?b=1,2>; rel="next"'),
        ('<a>; title="; rel=next"; rel="last"', '<a>; rel="last"'),
        ("<a>; rel=next; rel=first", '<a>; rel="next"'),
    ],
)
def test_links_to_other_parts_of_a_list_go_on(told: str, passed: str) -> None:
    assert passed_links(told) == passed
    assert passed_on({"link": told}) == {"link": passed}


@pytest.mark.parametrize(
    "told",
    [
        "",
        "nonsense",
        '<http://mep.harbour.inside:8443/items?at=3>; rel="next"',
        '<//mep.harbour.inside/items>; rel="next"',
        '<a>; rel="http://inside.example/rel"',
        '<a>; rel="stylesheet"; title="harbour"',
        '<a>; anchor="/other"; rel="next"',
        "<a>",
        '<a>; title="rel=next"',
        '<a; rel="next"',
    ],
)
def test_what_could_tell_of_the_far_side_stays_there(told: str) -> None:
    assert passed_links(told) == ""
    assert passed_on({"link": told, "etag": '"1"'}) == {"etag": '"1"'}


def test_links_are_told_in_the_words_of_who_passes_them_on_and_lead_nowhere_else() -> None:
    told = '<b>; rel="next", <../c>; rel="first"'
    assert (
        retargeted(told, lambda target: "" if target.startswith("..") else f"/here/{target}") == '</here/b>; rel="next"'
    )
    answer = Stream(nothing(), headers=(("link", told), ("etag", '"1"'), ("location", "d")))
    moved = relocated(answer, lambda target: "" if target.startswith("..") else f"/here/{target}")
    assert moved.headers == (("link", '</here/b>; rel="next"'), ("etag", '"1"'), ("location", "/here/d"))
    assert relocated(answer, lambda _target: "").headers == (("etag", '"1"'),)


@pytest.mark.parametrize("piece", ["<", "<a>;", '<a>; rel="', "<a>; rel=next,", ' ;a="b"', "<<>", '"'])
def test_a_header_made_to_be_slow_to_read_is_not(piece: str) -> None:
    began = time.process_time()
    passed_links("<a>" + piece * 20_000)
    assert time.process_time() - began < 2
