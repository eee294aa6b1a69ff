"""A long list comes whole, each item once, whatever comes and goes while a client reads it (MEC 009, 6.20)."""

from __future__ import annotations

import base64
import random

import pytest

from hanse.kit.contract.page import REMEMBERED, page_of
from hanse.kit.problems import Problem


def pages(items: list[str], size: int) -> list[list[str]]:
    found, marker = [], ""
    while True:
        part, marker = page_of(items, str, marker, size)
        found.append(part)
        if not marker:
            return found


@pytest.mark.parametrize(("count", "size"), [(0, 5), (1, 5), (5, 5), (6, 5), (10, 5), (11, 5), (7, 1)])
def test_pages_are_full_and_together_the_list(count: int, size: int) -> None:
    items = [str(n) for n in range(count)]
    found = pages(items, size)
    assert [one for part in found for one in part] == items
    assert all(len(part) == size for part in found[:-1])
    assert len(found) == max(1, -(-count // size))


def test_items_that_stay_come_once_each_and_in_order_while_others_come_and_go() -> None:
    generator = random.Random(4)
    for _ in range(200):
        items = [f"s{n}" for n in range(60)]
        staying = set(generator.sample(items, 40))
        seen: list[str] = []
        marker, number = "", 0
        while True:
            part, marker = page_of(items, str, marker, 10)
            seen += part
            if not marker:
                break
            gone = [one for one in items if one not in staying]
            for one in generator.sample(gone, min(3, len(gone))):
                items.remove(one)
            items.append(f"new{number}")
            number += 1
        assert [one for one in seen if one in staying] == [f"s{n}" for n in range(60) if f"s{n}" in staying]
        assert len(seen) == len(set(seen))


def test_a_client_whose_place_is_gone_is_told_to_begin_again() -> None:
    items = [str(n) for n in range(100)]
    part, marker = page_of(items, str, "", 20)
    rest = [one for one in items if one not in part[-REMEMBERED + 1 :]]
    assert page_of(rest, str, marker, 20)[0][0] == "20"
    with pytest.raises(Problem, match="begin again") as caught:
        page_of([one for one in items if one not in part], str, marker, 20)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "marker",
    ["x", "%%%", "ü", "20", base64.urlsafe_b64encode(b'{"a":1}').decode(), base64.urlsafe_b64encode(b"[1]").decode()],
)
def test_a_marker_that_nobody_gave_is_refused(marker: str) -> None:
    with pytest.raises(Problem, match="nextpage_opaque_marker") as caught:
        page_of(["1", "2"], str, marker, 1)
    assert caught.value.status == 400
