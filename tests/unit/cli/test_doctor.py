"""The doctor says of a thing that it works only when it has worked."""

from __future__ import annotations

import pytest

from hanse.cli import doctor
from hanse.cli.doctor import Finding
from hanse.drivers.dataplane_nftables import NftablesDataPlane
from hanse.drivers.dataplane_nftables.trial import found_out
from hanse.drivers.dataplane_userspace import UserspaceDataPlane
from hanse.drivers.names_embedded import EmbeddedNames

ELSEWHERE = "192.0.2.1"
"""An address that no machine has (RFC 5737)."""


async def test_a_data_plane_that_cannot_listen_is_not_said_to_work() -> None:
    good, *lacks = await doctor._data_plane("a data plane", UserspaceDataPlane("127.0.0.1"), "good")
    bad, *none = await doctor._data_plane("a data plane", UserspaceDataPlane(ELSEWHERE), "good")
    assert (good.works, bad.works) == (True, False)
    assert ELSEWHERE in bad.detail
    assert lacks, "what it lacks is told"
    assert not none, "and not of one that cannot run at all"


async def test_the_kernels_data_plane_is_said_to_work_exactly_if_it_was_made_here() -> None:
    reason = (await found_out()).get("kernel", "")
    found, *_ = await doctor._data_plane("kernel data plane", NftablesDataPlane(doctor.NOWHERE), "good")
    assert (found.works, found.detail) == (not reason, reason or "good")


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
    assert {"process driver", "user-space data plane", "kernel data plane", "embedded name server"} <= names
