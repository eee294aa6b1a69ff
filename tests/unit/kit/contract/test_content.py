"""Who asks for a part of a stream, or for one of its representations, gets exactly that or learns what there is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hanse.kit.contract.content import acceptable, check_json, fitting
from hanse.kit.contract.declare import Stream
from hanse.kit.contract.exchange import whole
from hanse.kit.problems import Problem

HOLD = bytes(range(100))


async def _bytes(content: bytes) -> AsyncIterator[bytes]:
    yield content


def hold(others: tuple[Stream, ...] = ()) -> Stream:
    return Stream(
        _bytes(HOLD),
        "application/zip",
        len(HOLD),
        part=lambda first, last: _bytes(HOLD[first : last + 1]),
        others=others,
    )


@pytest.mark.parametrize(
    ("wanted", "expected", "told"),
    [
        ("bytes=0-9", HOLD[:10], "bytes 0-9/100"),
        ("bytes=10-", HOLD[10:], "bytes 10-99/100"),
        ("bytes=90-1000", HOLD[90:], "bytes 90-99/100"),
        ("bytes=99-99", HOLD[99:], "bytes 99-99/100"),
        ("bytes=-5", HOLD[-5:], "bytes 95-99/100"),
        ("bytes=-500", HOLD, "bytes 0-99/100"),
        ("Bytes=1-2", HOLD[1:3], "bytes 1-2/100"),
    ],
)
async def test_one_range_is_answered_with_its_bytes_and_its_place(wanted: str, expected: bytes, told: str) -> None:
    part = fitting(hold(), {b"range": wanted.encode()})
    assert (part.status, part.length, dict(part.headers)["content-range"]) == (206, len(expected), told)
    assert await whole(part.chunks, 1000) == expected


@pytest.mark.parametrize("wanted", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=9-5"])
def test_a_range_that_holds_nothing_is_refused_with_the_size(wanted: str) -> None:
    with pytest.raises(Problem, match="100 bytes") as refusal:
        fitting(hold(), {b"range": wanted.encode()})
    assert (refusal.value.status, refusal.value.headers) == (416, {"Content-Range": "bytes */100"})


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "bytes=", "bytes=a-b", "bytes=-", "lines=1-2", "", "0-5"])
async def test_a_range_that_is_none_or_several_is_answered_with_everything(wanted: str) -> None:
    answer = fitting(hold(), {b"range": wanted.encode()})
    assert (answer.status, dict(answer.headers)["accept-ranges"]) == (200, "bytes")
    assert await whole(answer.chunks, 1000) == HOLD


def test_a_condition_that_cannot_be_judged_asks_for_everything() -> None:
    assert fitting(hold(), {b"range": b"bytes=0-1", b"if-range": b'"x"'}).status == 200


def test_a_stream_of_which_no_part_can_be_had_is_answered_whole() -> None:
    stream = Stream(_bytes(b"abc"), "text/plain", 3)
    assert fitting(stream, {b"range": b"bytes=0-1"}) is stream


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", "text/plain"),
        ("*/*", "text/plain"),
        ("text/plain", "text/plain"),
        ("application/zip", "application/zip"),
        ("application/*", "application/zip"),
        ("text/plain;q=0, */*", "application/zip"),
        ("text/plain; q=0.1, application/zip", "text/plain"),
    ],
)
def test_the_first_representation_that_is_acceptable_is_answered(accept: str, media: str) -> None:
    text = Stream(_bytes(b"text"), "text/plain", 4, others=(hold(),))
    assert fitting(text, {b"accept": accept.encode()}).media_type == media


@pytest.mark.parametrize("accept", ["application/json", "text/html, image/*", "text/plain;q=0, application/zip;q=0.0"])
def test_who_takes_no_representation_learns_which_there_are(accept: str) -> None:
    text = Stream(_bytes(b"text"), "text/plain", 4, others=(hold(),))
    with pytest.raises(Problem, match="text/plain or application/zip") as refusal:
        fitting(text, {b"accept": accept.encode()})
    assert refusal.value.status == 406


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "application/json;q=much", "*/*;q=0"])
def test_who_takes_no_json_is_told_so(accept: str) -> None:
    with pytest.raises(Problem, match="application/json") as refusal:
        check_json({b"accept": accept.encode()})
    assert refusal.value.status == 406


def test_the_more_specific_range_counts() -> None:
    assert acceptable("*/*;q=0, application/json", "application/json")
    assert not acceptable("*/*, application/json;q=0", "application/json")
    assert acceptable("application/*;q=0, APPLICATION/ZIP", "application/zip; charset=x")
