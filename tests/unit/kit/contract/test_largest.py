"""An operation that takes more than others says so, and takes no more than that."""

from __future__ import annotations

import pytest

from hanse.kit.contract.body import BODY_LIMIT
from hanse.kit.contract.declare import Api, put
from hanse.kit.contract.gate import Gate
from hanse.kit.contract.guard import Guard
from hanse.kit.contract.observe import Silence
from hanse.kit.contract.reference import Offer, ReferencePoint
from hanse.kit.contract.serve import ApiServer
from hanse.kit.contract.transport import MemoryTransport
from tests.unit.kit.contract.harbour import by_header

MOST = 2 * BODY_LIMIT


class Stores(Api, bases=("/stores/v1",)):
    @put("/usual", success=204)
    async def usual(self, words: list[str]) -> None: ...

    @put("/large", success=204, largest=MOST)
    async def large(self, words: list[str]) -> None: ...


class Shed(Stores):
    async def usual(self, words: list[str]) -> None:
        return

    async def large(self, words: list[str]) -> None:
        return


@pytest.mark.parametrize("told", [True, False], ids=["with its length", "without"])
@pytest.mark.parametrize(("path", "most"), [("usual", BODY_LIMIT), ("large", MOST)])
async def test_a_body_is_taken_up_to_the_limit_of_its_operation(path: str, most: int, told: bool) -> None:
    guard = Guard([ReferencePoint("Sea", "x", "none", (Offer(Stores, "shed", ("pilot",)),))])
    server = ApiServer(by_header)
    server.mount(Shed(), Gate("shed", "shed.1", "north", guard, Silence()), [Stores])
    for size, status in ((most, 204), (most + 1, 413)):
        body = b'["' + b"x" * (size - 4) + b'"]'
        headers = {"authorization": "pilot", "content-type": "application/json"}
        headers |= {"content-length": str(size)} if told else {}
        reply = await MemoryTransport(server).send("PUT", f"/stores/v1/{path}", headers, body, 10.0)
        assert reply.status == status
