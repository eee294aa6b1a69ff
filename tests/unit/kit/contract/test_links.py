"""Who sends back what it has read is not refused for the links in it, which are the server's own word."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hanse.kit.contract.decode import decode_body
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT, Absent, Link, Value


class Links(Value):
    self: Link


class Buoy(Value):
    name: str
    light: bool = True
    links: Links | Absent = msgspec.field(default=ABSENT, name="_links")


class Moored(Value):
    links: Links = msgspec.field(name="_links")


ODD: tuple[Any, ...] = ({}, {"self": {}}, {"self": {"href": 5}}, {"self": None}, None, [], "here", 5)


def read(sent: Any, shape: Any = Buoy) -> Any:
    return decode_body(msgspec.json.encode(sent), shape)


@pytest.mark.parametrize("links", ODD, ids=str)
def test_links_that_only_answers_need_may_be_anything_in_a_request(links: Any) -> None:
    known = Buoy(name="red", light=False)
    assert read({"_links": links, "name": "red", "light": False}) == known
    assert read({"name": "red", "light": False, "_links": links}) == known
    assert read({"Buoy": {"name": "red", "light": False, "_links": links}}) == known


def test_links_that_can_be_read_are_there_for_who_wants_to_compare_them() -> None:
    here = Links(self=Link(href="https://quay/buoys/red"))
    assert read({"name": "red", "_links": {"self": {"href": "https://quay/buoys/red"}}}).links == here


@pytest.mark.parametrize("links", ODD, ids=str)
def test_links_that_a_request_must_have_are_looked_at(links: Any) -> None:
    with pytest.raises(Problem, match="_links"):
        read({"_links": links}, Moored)


def test_odd_links_hide_nothing_else_that_is_wrong() -> None:
    with pytest.raises(Problem, match="Invalid attribute light"):
        read({"_links": {}, "name": "red", "light": "dim"})
    with pytest.raises(Problem, match="Missing attribute name"):
        read({"_links": {}})
