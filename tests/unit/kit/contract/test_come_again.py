"""Who is refused for a while learns when to come again (RFC 6585, 4; ETSI GS MEC 009 V3.1.1, annex E)."""

from __future__ import annotations

import pytest

from hanse.kit.contract.answer import problem_answer
from hanse.kit.contract.declare import Tagged
from hanse.kit.problems import Problem
from tests.unit.kit.contract.harbour import Harbour, Port, Quay, Ship, dialogue, listening, request


def after(problem: Problem) -> list[bytes]:
    return [value for name, value in problem_answer(problem)[1] if name == b"retry-after"]


@pytest.mark.parametrize("status", [429, 503])
def test_what_passes_by_itself_always_says_when_to_come_again(status: int) -> None:
    assert after(Problem(status, "Ice in the harbour")) == [b"1"]
    assert after(Problem(status, "Ice in the harbour", "", {"Retry-After": "90"})) == [b"90"]


@pytest.mark.parametrize("status", [400, 403, 404, 409, 500, 502, 504])
def test_what_does_not_pass_by_itself_bids_nobody_come_again(status: int) -> None:
    assert after(Problem(status, "Ice in the harbour")) == []


class Frozen(Quay):
    """A quay whose own provider cannot be reached, as an element hears it: the headers are lost on the way."""

    async def look(self, name: str) -> Tagged[Ship]:
        raise Problem.decode(503, b'{"title": "Ice in the harbour"}')


async def test_a_failure_that_an_element_passes_on_says_so_too() -> None:
    port = Port(quay=Frozen())
    async with listening(port.server) as listener, dialogue(listener.port) as line:
        await line.send(request("GET", Harbour.api_bases[0] + "/ships/Adler"))
        told = await line.reply()
    assert (told.status, told.headers["retry-after"]) == (503, "1")
