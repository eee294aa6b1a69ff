"""Nobody from outside changes anything, or is refused anything, without a record of it, whatever it asks for."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from hanse.kit.contract.call import UNTRACED, continuing
from hanse.kit.contract.direct import direct
from hanse.kit.contract.transport import MemoryTransport
from hanse.kit.problems import Problem
from hanse.refpoints.mff_fed.federation import Federation
from tests.unit.kit.contract.harbour import APP, PILOT, Harbour, Port, Ship

QUIET = {"traceparent": f"00-{UNTRACED}-1234567890abcdef-01"}
ELEMENT = replace(PILOT, trusted=True)
SHIP = b'{"name": "Adler"}'


@pytest.mark.parametrize("border", [False, True])
@pytest.mark.parametrize(
    ("who", "method", "path", "body", "status"),
    [
        ("pilot", "POST", "/ships", SHIP, 201),
        ("pilot", "PUT", "/ships/Bunte", SHIP, 200),
        ("pilot", "DELETE", "/ships/Bunte", None, 204),
        ("pilot", "GET", "/ships/nowhere", None, 404),
        ("pilot", "GET", "/pilots/anna/secret", None, 418),  # passed on, which may do anything
        ("app", "GET", "/ships", None, 403),
        ("app", "GET", "/captains/bert/log", None, 403),
        ("thief", "DELETE", "/ships/Bunte", None, 403),
    ],
)
async def test_asking_for_silence_hides_no_change_and_no_refusal(
    who: str, method: str, path: str, body: bytes | None, status: int, border: bool
) -> None:
    port = Port(border=border)
    port.quay.ships["Bunte"] = Ship(name="Bunte")
    headers = QUIET | {"authorization": who} | ({"content-type": "application/json"} if body else {})
    reply = await MemoryTransport(port.server).send(method, f"/harbour/v1{path}", headers, body, 5.0)
    assert reply.status == status
    [message] = port.watch.messages
    assert (message.status, message.path) == (status, f"/harbour/v1{path}")
    assert message.trace != UNTRACED, "each is a procedure of its own"


async def test_who_only_looks_again_and_again_may_leave_no_records() -> None:
    port = Port()
    port.quay.ships["Bunte"] = Ship(name="Bunte")
    harbour = direct(Harbour, port.quay, port.gate, PILOT)
    with continuing(UNTRACED):
        for _ in range(3):
            assert (await harbour.look("Bunte")).value.name == "Bunte"
        assert await direct(Harbour, port.quay, port.gate, APP).log("anna") == "anna"
    assert port.watch.messages == []


async def test_elements_of_the_operator_may_repeat_what_fails_in_silence() -> None:
    port = Port()
    harbour = direct(Harbour, port.quay, port.gate, ELEMENT)
    with continuing(UNTRACED):
        await harbour.enter(Ship(name="Adler"))
        with pytest.raises(Problem):
            await harbour.look("nowhere")
    assert port.watch.messages == []


def test_the_one_change_that_may_pass_unseen_is_a_partners_sign_of_life() -> None:
    assert [name for name, operation in Federation.operations.items() if operation.routine] == ["form"]
