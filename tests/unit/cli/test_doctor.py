"""The doctor says of a thing that it works only when it has worked."""

from __future__ import annotations

import pytest

from hanse.cli import doctor
from hanse.cli.doctor import Finding
from hanse.drivers.dataplane_userspace import UserspaceDataPlane
from hanse.drivers.names_embedded import EmbeddedNames

ELSEWHERE = "192.0.2.1"
"""An address that no machine has (RFC 5737)."""


async def test_a_data_plane_that_cannot_listen_is_not_said_to_work() -> None:
    good, *_ = await doctor._data_plane(UserspaceDataPlane("127.0.0.1"))
    bad, *lacks = await doctor._data_plane(UserspaceDataPlane(ELSEWHERE))
    assert (good.works, bad.works) == (True, False)
    assert any(ELSEWHERE in lack.detail for lack in lacks)


async def test_the_name_server_is_asked_and_its_answer_shown() -> None:
    found = await doctor._names("127.0.0.1")
    assert found.works
    assert "doctor.hanse.test" in found.detail


async def test_a_name_server_that_cannot_listen_is_not_said_to_work() -> None:
    found = await doctor._names(ELSEWHERE)
    assert not found.works
    assert ELSEWHERE in found.detail


async def test_a_name_server_that_keeps_silent_is_not_said_to_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ANSWER_PATIENCE", 0.2)
    monkeypatch.setattr(EmbeddedNames, "reply", lambda *_: None)
    found = await doctor._names("127.0.0.1")
    assert not found.works


async def test_everything_that_an_operator_needs_was_tried() -> None:
    findings: list[Finding] = await doctor.examine()
    names = {finding.what for finding in findings}
    assert {"process driver", "user-space data plane", "embedded name server"} <= names
