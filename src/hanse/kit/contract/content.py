"""What of a streamed body is answered: the media type that ``Accept`` allows, the bytes that ``Range`` asks for.

Like lists, streams are given whole by their provider; the server answers the part of it that was asked for, so that a
consumer in the same process and one across the network get the same (RFC 9110, 12.5.1 and 14; MEC 010-2, 7.3.6.3.2 and
7.3.7.3.2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from hanse.kit.contract.declare import Stream
from hanse.kit.problems import MEDIA_TYPE, Problem

JSON = ("application/json", MEDIA_TYPE)
"""What is answered wherever a type is: who takes problems only is answered all the same."""
_ONE_RANGE = re.compile(r"bytes\s*=\s*(?:(?P<first>\d{1,18})-(?P<last>\d{0,18})|-(?P<suffix>\d{1,18}))", re.IGNORECASE)
_MEDIA_RANGE = re.compile(r"[\w!#$&^.+*-]+/[\w!#$&^.+*-]+", re.ASCII)
_AT_ONCE = (b"", b"*/*", b"application/json")
"""Values of ``Accept`` that need no look: nearly all requests have one of them."""


def check_json(headers: Mapping[bytes, bytes]) -> None:
    """A problem 406 if the caller takes no JSON."""
    accept = headers.get(b"accept")
    if accept is None or accept in _AT_ONCE:
        return
    if not any(acceptable(accept.decode("latin-1"), media) for media in JSON):
        raise _not_acceptable(JSON[0])


def fitting(stream: Stream, headers: Mapping[bytes, bytes]) -> Stream:
    """The stream, or another of its representations, as a whole or the one range of it that was asked for.

    Problems: 406 if no representation is acceptable, 416 for a range that begins behind the end. Several ranges at
    once, and ranges that cannot be read, are answered with everything (RFC 9110, 14.2).
    """
    accept = headers.get(b"accept", b"").decode("latin-1")
    offered = (stream, *stream.others)
    chosen = next((one for one in offered if acceptable(accept, one.media_type)), None)
    if chosen is None:
        raise _not_acceptable(" or ".join(one.media_type for one in offered))
    if chosen.part is None or chosen.length is None:
        return chosen
    wanted = _ONE_RANGE.fullmatch(headers.get(b"range", b"").decode("latin-1").strip())
    if wanted is None or b"if-range" in headers:  # there is no validator that an If-Range could match
        return msgspec.structs.replace(chosen, headers=(*chosen.headers, ("accept-ranges", "bytes")))
    return _part(chosen, *_bounds(wanted, chosen.length), chosen.length)


def _bounds(wanted: re.Match[str], length: int) -> tuple[int, int]:
    """First and last byte; an empty pair of bounds is ordered the wrong way round."""
    if wanted["suffix"]:
        return max(0, length - int(wanted["suffix"])), length - 1 if int(wanted["suffix"]) else -1
    return int(wanted["first"]), min(int(wanted["last"]), length - 1) if wanted["last"] else length - 1


def _part(stream: Stream, first: int, last: int, length: int) -> Stream:
    if first > last:
        headers = {"Content-Range": f"bytes */{length}"}
        raise Problem(416, "Range cannot be satisfied", f"the content has {length} bytes, 0 to {length - 1}", headers)
    assert stream.part is not None
    told = ("content-range", f"bytes {first}-{last}/{length}")
    size = last - first + 1
    return msgspec.structs.replace(
        stream, chunks=stream.part(first, last), length=size, status=206, headers=(*stream.headers, told)
    )


def acceptable(accept: str, media: str) -> bool:
    """Whether an ``Accept`` allows a media type; of several ranges that fit, the most specific counts.

    One without any range that can be read says nothing, and allows everything.
    """
    entries = [[part.strip().lower() for part in entry.split(";")] for entry in accept.split(",")]
    readable = [entry for entry in entries if _MEDIA_RANGE.fullmatch(entry[0])]
    if not readable:
        return True
    kind = media.partition(";")[0].strip().lower()
    found: tuple[int, float] = (0, 0.0)
    for name, *parameters in readable:
        specific = {kind: 3, f"{kind.partition('/')[0]}/*": 2, "*/*": 1}.get(name, 0)
        if specific > found[0]:
            found = specific, _quality(parameters)
    return found[1] > 0


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _not_acceptable(offered: str) -> Problem:
    return Problem(406, "Accept cannot be satisfied", f"{offered} is offered")
