"""A real outside server follows our records over restarts, and its refusal or silence is told with its name."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import dns.asyncquery
import dns.message
import pytest
from dns.rcode import Rcode
from dns.update import UpdateMessage

from hanse.drivers.names_rfc2136 import Key, UpdatedNames, driver
from hanse.kit.ports import bind
from hanse.kit.problems import Problem
from hanse.refpoints.mp2 import NameRecord, NameRecords
from tests.bounds import SOON
from tests.contract.outside import KEY, outside

ADDRESS = f"127.{128 + os.getpid() % 64}.{os.getpid() // 64 % 256}.57"
ZONE = "mec.example"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with bind(ADDRESS, 0) as free:
        port: int = free.getsockname()[1]
    with outside(tmp_path_factory.mktemp("knot"), ADDRESS, port, ZONE):
        yield port


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who tests the patience itself says how long it is."""
    monkeypatch.setattr(driver, "PATIENCE", SOON)


@pytest.fixture
async def names(port: int, tmp_path: Path) -> AsyncIterator[UpdatedNames]:
    names = UpdatedNames(ADDRESS, port, ZONE, KEY, tmp_path / "published.json")
    await names.start()
    yield names
    for record in await names.records():
        await names.retract(record.record_id)


def record(record_id: str = "r", name: str = "v.mec.example", address: str = "127.3.0.1") -> NameRecord:
    return NameRecord(record_id=record_id, owner="a", name=name, address=address)


async def found(port: int, name: str = "v.mec.example") -> list[str]:
    answer = await dns.asyncquery.udp(dns.message.make_query(name, "A"), ADDRESS, timeout=SOON, port=port)
    assert answer.rcode() in (Rcode.NOERROR, Rcode.NXDOMAIN)
    return sorted(rdata.to_text() for rrset in answer.answer for rdata in rrset)


async def test_a_restarted_driver_knows_its_records_and_brings_the_server_back_to_them(
    names: UpdatedNames, port: int, tmp_path: Path
) -> None:
    await names.publish("r", record())
    meddled = UpdateMessage(ZONE, keyring=KEY.ring())
    meddled.replace("v", 30, "A", "127.6.6.6")
    await dns.asyncquery.tcp(meddled, ADDRESS, SOON, port)
    assert await found(port) == ["127.6.6.6"]
    again = UpdatedNames(ADDRESS, port, ZONE, KEY, tmp_path / "published.json")
    await again.start()
    assert await again.records() == [record()]
    assert await found(port) == ["127.3.0.1"]


async def test_a_moved_record_leaves_nothing_at_its_old_name(names: UpdatedNames, port: int) -> None:
    await names.publish("r", record())
    await names.publish("r", record(name="w.mec.example"))
    assert (await found(port), await found(port, "w.mec.example")) == ([], ["127.3.0.1"])


async def test_many_names_of_an_owner_are_there_and_gone_together(names: UpdatedNames, port: int) -> None:
    many = tuple(record(str(n), f"n{n}.mec.example", f"127.3.{n // 256}.{n % 256}") for n in range(400))
    await names.publish_all("a", NameRecords(records=many))
    assert [await found(port, f"N{n}.mec.example") for n in (0, 150, 399)] == [
        ["127.3.0.0"],
        ["127.3.0.150"],
        ["127.3.1.143"],
    ]
    await names.publish_all("a", NameRecords(records=many[:1]))
    assert [await found(port, f"n{n}.mec.example") for n in (0, 150, 399)] == [["127.3.0.0"], [], []]


async def test_names_that_are_not_ours_are_left_alone(names: UpdatedNames, port: int) -> None:
    await names.publish("r", record())
    await names.retract("r")
    assert await found(port, "ns.mec.example") == ["127.0.0.1"]


async def test_a_name_that_the_operator_made_by_hand_is_never_taken_over(
    names: UpdatedNames, port: int, tmp_path: Path
) -> None:
    await names.publish("r", record())
    with pytest.raises(Problem, match=r"409.*did not take ns.mec.example.*not ours"):
        await names.publish("s", record("s", "NS.mec.example"))
    with pytest.raises(Problem, match=r"409.*ns.mec.example and 1 more.*one of them"):
        await names.publish_all(
            "a", NameRecords(records=(record(), record("s", "ns.mec.example"), record("t", "x.mec.example")))
        )
    assert await names.records() == [record()]
    again = UpdatedNames(ADDRESS, port, ZONE, KEY, tmp_path / "published.json")
    await again.start()
    assert (await found(port), await found(port, "x.mec.example")) == (["127.3.0.1"], [])
    assert await found(port, "ns.mec.example") == ["127.0.0.1"]


async def test_a_name_that_could_not_be_asked_for_while_the_server_was_away_is_not_taken_for_ours(
    names: UpdatedNames, port: int
) -> None:
    with bind(ADDRESS, 0) as free:
        nobody: int = free.getsockname()[1]
    names.port = nobody
    with pytest.raises(Problem, match=r"503.*did not take ns.mec.example"):
        await names.publish("s", record("s", "ns.mec.example"))
    names.port = port
    with pytest.raises(Problem, match="409"):
        await names.publish("s", record("s", "ns.mec.example"))
    assert await found(port, "ns.mec.example") == ["127.0.0.1"]


async def test_a_key_that_the_server_does_not_know_is_told_and_nothing_counts_as_published(
    port: int, tmp_path: Path
) -> None:
    names = UpdatedNames(ADDRESS, port, ZONE, Key("stranger", KEY.secret), tmp_path / "published.json")
    with pytest.raises(Problem, match=rf"{ADDRESS}, port {port}, did not take v.mec.example") as refused:
        await names.publish("r", record())
    assert refused.value.status == 503
    assert await names.records() == []
    with pytest.raises(Problem, match=r"did not take v.mec.example and 1 more"):
        await names.publish_all("a", NameRecords(records=(record(), record("s", "w.mec.example"))))


async def test_a_change_at_the_moment_of_a_crash_is_settled_at_the_next_start(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "published.json"
    names = UpdatedNames(ADDRESS, port, ZONE, KEY, file)
    lost = asyncio.Event()

    async def answer_lost(*args: object, **kwargs: object) -> object:
        await sent(*args, **kwargs)  # type: ignore[arg-type]
        lost.set()
        raise OSError("the connection was cut")

    sent = dns.asyncquery.tcp
    monkeypatch.setattr(dns.asyncquery, "tcp", answer_lost)
    with pytest.raises(Problem, match="the connection was cut"):
        await names.publish("r", record())
    monkeypatch.undo()
    assert lost.is_set()
    assert await found(port) == ["127.3.0.1"]
    again = UpdatedNames(ADDRESS, port, ZONE, KEY, file)
    await again.start()
    assert (await again.records(), await found(port)) == ([], [])


async def test_a_server_that_is_silent_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "PATIENCE", 0.2)
    with socket.create_server((ADDRESS, 0)) as silent:
        port = silent.getsockname()[1]
        names = UpdatedNames(ADDRESS, port, ZONE, KEY, tmp_path / "published.json")
        with pytest.raises(Problem, match="503"):
            await names.publish("r", record())
