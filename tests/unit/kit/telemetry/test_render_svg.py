"""The diagram as a picture."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

from hanse.kit.contract.observe import Message
from hanse.kit.telemetry import render_svg
from hanse.kit.telemetry.join import join
from hanse.kit.telemetry.procedures import procedures
from tests.unit.kit.telemetry.example import hostile, message, north, south

SVG = "{http://www.w3.org/2000/svg}"


def drawn(messages: list[Message]) -> ElementTree.Element:
    (procedure,) = procedures(join(messages))
    return ElementTree.fromstring(render_svg.render(procedure))


def words(picture: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in picture.iter(f"{SVG}text")]


def names(picture: ElementTree.Element) -> dict[str, float]:
    texts = [t for t in picture.iter(f"{SVG}text") if t.get("class") == "name"]
    return {t.text or "": float(t.get("x", "nan")) for t in texts}


def test_a_picture_says_all_that_happened() -> None:
    found = words(drawn(north() + south()))
    for text in ("NORTH", "SOUTH", "mep.quay", "Mff-fed  offers", "GET /offers → 403 · 20.0 ms", "Not shared", "3"):
        assert text in found


def test_a_picture_needs_nothing_from_elsewhere() -> None:
    (procedure,) = procedures(north())
    text = render_svg.render(procedure).replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?:|href|url\(|@import|<script|<image", text)


def test_nothing_that_a_name_contains_is_markup() -> None:
    picture = drawn([hostile()])
    kinds = {element.tag.removeprefix(SVG) for element in picture.iter()}
    assert kinds <= {"svg", "title", "style", "rect", "text", "tspan", "line", "path", "circle", "g"}


def test_names_do_not_cover_each_other_and_all_is_inside_the_picture() -> None:
    crowd = [message(str(i), sender=f"element_{i}.with_a_name", receiver=f"e{i}", began=float(i)) for i in range(8)]
    picture = drawn([*crowd, *north(), *south()])
    places = sorted((x, len(name)) for name, x in names(picture).items())
    for (x, length), (next_x, next_length) in pairwise(places):
        assert next_x - x > 6.6 * (length + next_length) / 2
    assert 0 < places[0][0] < places[-1][0] < float(picture.get("width", "0"))


def test_words_of_a_call_fit_between_its_ends() -> None:
    picture = drawn([message(path="/a_rather_long/path/of/a/resource", operation="an_operation_with_a_name")])
    left, right = sorted(names(picture).values())
    longest = max(len(text) for text in words(picture) if "ms" in text and "call" not in text)
    assert right - left > 6 * longest


def test_a_call_on_itself_has_room_for_its_words() -> None:
    picture = drawn([message(sender="meo", receiver="meo")])
    assert float(picture.get("width", "0")) - names(picture)["meo"] > 200


def test_failed_calls_are_red() -> None:
    text = ElementTree.tostring(drawn([message(status=500, problem="Why")]), encoding="unicode")
    assert render_svg.RED in text
    assert render_svg.RED not in ElementTree.tostring(drawn([message()]), encoding="unicode")
