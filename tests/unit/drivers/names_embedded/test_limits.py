"""A forged address gets less than was spent on forging it; a real device finds its way by TCP."""

from __future__ import annotations

import random
import struct

import dns.flags
import dns.message
import pytest

from benchmarks import dns_queries
from benchmarks.dns_queries import question
from hanse.drivers.names_embedded import EmbeddedNames, limits, messages
from hanse.drivers.names_embedded.limits import RateLimit, Verdict
from hanse.drivers.names_embedded.query import read

QUERY = struct.pack("!6H", 5, 0x0100, 1, 0, 0, 0) + question(b"v.mec.example", 255)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_beyond_the_rate_answers_are_cut_or_dropped_until_the_second_is_over() -> None:
    clock = Clock()
    limit = RateLimit(3, clock)
    verdicts = [limit.judge("127.9.0.1") for _ in range(7)]
    assert verdicts == [Verdict.SEND] * 3 + [Verdict.DROP, Verdict.CUT, Verdict.DROP, Verdict.CUT]
    assert limit.judge("127.9.0.2") is Verdict.SEND
    clock.now += 1.0
    assert limit.judge("127.9.0.1") is Verdict.SEND


def test_a_flood_from_many_forged_addresses_does_not_make_the_limit_of_one_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "MOST_CLIENTS", 3)
    limit = RateLimit(1, Clock())
    assert [limit.judge(f"127.9.0.{n}") for n in range(5)] == [Verdict.SEND] * 3 + [Verdict.CUT] * 2
    assert limit.judge("127.9.0.0") is Verdict.DROP


def test_no_rate_is_no_limit() -> None:
    limit = RateLimit(0)
    assert {limit.judge("127.9.0.1") for _ in range(1000)} == {Verdict.SEND}


def test_an_answer_beyond_the_rate_is_no_longer_than_its_query_and_says_to_use_tcp() -> None:
    names = EmbeddedNames("127.0.0.1", 0, zones=("mec.example",), rate=1)
    answers = [names._limited(QUERY, "127.9.0.1", True) for _ in range(3)]
    assert answers[1] is None
    assert isinstance(answers[2], bytes)
    told = dns.message.from_wire(answers[2])
    assert told.flags & dns.flags.TC
    assert (told.id, told.question[0].to_text()) == (5, "v.mec.example. IN ANY")
    assert len(answers[2]) <= len(QUERY)


def test_what_is_no_plain_question_gets_nothing_beyond_the_rate() -> None:
    for wire in (
        b"",
        QUERY[:11],
        QUERY[:14],
        QUERY[:-1],
        QUERY[:2] + b"\x80" + QUERY[3:],
        QUERY[:12] + b"\xc0\x0c\0\1\0\1",
    ):
        assert messages.cut(wire) is None


def test_a_plain_question_is_cut_as_any_other_is_and_at_less_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a flood most are plain: to refuse one must not cost what the complete way does."""
    chance = random.Random(6)
    wires = [dns_queries.query(chance) for _ in range(3000)]
    short = [messages.cut(wire) for wire in wires]
    monkeypatch.setattr(messages, "plain_query", lambda _wire: None)
    assert short == [messages.cut(wire) for wire in wires]
    monkeypatch.undo()
    monkeypatch.setattr(messages, "error", None)
    plain = [wire for wire in wires if read(wire)]
    assert len(plain) > 1000
    assert all(messages.cut(wire) for wire in plain)
