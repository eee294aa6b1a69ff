"""Operations are begun once and by one rule, and those that go on outlast any forgetting of old ones."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hanse.kit.outbox import Outbox
from hanse.kit.problems import Problem
from hanse.kit.procedures import DurableProcedures, Start, Steps
from hanse.kit.store import Store
from hanse.refpoints.mm1.lifecycle import (
    InstantiateAppRequest,
    InstantiationState,
    LcmOperation,
    OperateAppRequest,
    OperationalState,
    OperationState,
)
from hanse.refpoints.mm1.occurrence import Occurrence, begun, entered
from hanse.refpoints.mm1.operations import Operations


class Element:
    """An element with operations; their procedures are begun, and wait to be carried out."""

    def __init__(self, directory: Path) -> None:
        self.store = Store()
        self.shelf = self.store.shelf("app_lcm_op_occ", Occurrence)
        self.outbox, procedures = Outbox(self.store), DurableProcedures(directory / "procedures.db", "mepm.harbour")
        for version in (3, 2):
            procedures.register("mepm.harbour.instantiate", never, version=version)
        self.operations = Operations("mepm.harbour", self.shelf, self.outbox, procedures)

    @property
    def starts(self) -> list[Start]:
        return [msgspec.json.decode(body, type=Start) for body in self.outbox.waiting("procedure")]

    async def begin(
        self, identifier: str, request: Any = None, state: str = "NOT_INSTANTIATED", app: str = "a"
    ) -> None:
        request = request or InstantiateAppRequest()
        kind = LcmOperation.OPERATE if isinstance(request, OperateAppRequest) else LcmOperation.INSTANTIATE
        occurrence = begun(identifier, app, kind, request, "acme", "t" * 32)
        running = OperationalState.STARTED if state == "INSTANTIATED" else None
        await self.store.commit(
            lambda tx: self.operations.begin(tx, occurrence, request, InstantiationState(state), running)
        )

    async def end(self, identifier: str, ago: float) -> None:
        ended = entered(self.shelf.get(identifier), OperationState.COMPLETED)
        old = msgspec.structs.replace(ended, entered=time.time() - ago)
        await self.store.commit(lambda tx: tx.put(self.shelf, identifier, old))


async def never(_steps: Steps, _subject: str) -> None:
    raise AssertionError("nothing runs here")


@pytest.fixture
def element(tmp_path: Path) -> Element:
    return Element(tmp_path)


async def test_an_operation_and_its_procedure_begin_together_under_the_name_of_the_element(element: Element) -> None:
    await element.begin("one")
    assert element.shelf.get("one").live
    (start,) = element.starts
    assert (start.procedure_id, start.subject, start.name, start.version) == (
        "one",
        "one",
        "mepm.harbour.instantiate",
        3,
    )


async def test_what_may_not_begin_leaves_nothing(element: Element) -> None:
    await element.begin("one")
    for request, state in (
        (None, "NOT_INSTANTIATED"),
        (OperateAppRequest(change_state_to=OperationalState.STOPPED), "INSTANTIATED"),
    ):
        with pytest.raises(Problem, match="Another operation") as caught:
            await element.begin("two", request, state)
        assert caught.value.status == 409
    await element.end("one", 0)
    with pytest.raises(Problem, match="Instance is INSTANTIATED"):
        await element.begin("two", None, "INSTANTIATED")
    with pytest.raises(Problem, match="App is STARTED"):
        await element.begin("two", OperateAppRequest(change_state_to=OperationalState.STARTED), "INSTANTIATED")
    assert "two" not in element.shelf
    assert len(element.starts) == 1


async def test_old_ends_are_forgotten_and_neither_young_ones_nor_what_goes_on(element: Element) -> None:
    for name, ago in (("old", 100.0), ("young", 1.0)):
        await element.begin(name, app=name)
        await element.end(name, ago)
    await element.begin("going", app="going")
    before = time.time() - 50
    assert await element.store.commit(lambda tx: element.operations.forget_ended(tx, before)) == 1
    assert [o.id for o in element.shelf.values()] == ["young", "going"]
    assert await element.store.commit(lambda tx: element.operations.forget_ended(tx, time.time() + 1)) == 1
    assert [o.id for o in element.shelf.values()] == ["going"]


async def test_an_end_that_somebody_has_not_heard_of_is_kept_until_he_has(element: Element) -> None:
    await element.begin("told", app="a")
    await element.begin("untold", app="b")
    for name in ("told", "untold"):
        await element.end(name, 100)
    before = time.time() - 50
    assert await element.store.commit(lambda tx: element.operations.forget_ended(tx, before, {"untold"})) == 1
    assert [o.id for o in element.shelf.values()] == ["untold"]


async def test_with_an_instance_its_operations_are_forgotten_and_no_others(element: Element) -> None:
    await element.begin("one", app="a")
    await element.begin("two", app="b")
    await element.store.commit(lambda tx: element.operations.forget_of(tx, "a"))
    assert [o.id for o in element.shelf.values()] == ["two"]
