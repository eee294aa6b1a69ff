"""Sockets follow what applications listen on: none is kept that is not needed, taken from others, or told of twice."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec
import pytest

from hanse.drivers.dataplane_userspace import UserspaceDataPlane, following
from hanse.drivers.dataplane_userspace.heard import heard
from hanse.kit.problems import Problem
from hanse.refpoints.mp2 import Action, FilterType, Forwarding, TrafficMatch
from tests.bounds import SOON

_BLOCK = f"127.{128 + os.getpid() % 64}.{os.getpid() // 64 % 256}"
PLANE, VIRTUAL, APP, OTHER_VIRTUAL = (f"{_BLOCK}.{n}" for n in (41, 42, 43, 44))
PORT = 18080


@pytest.fixture
async def plane() -> AsyncIterator[UserspaceDataPlane]:
    plane = UserspaceDataPlane(PLANE)
    await plane.start()
    yield plane
    await plane.close()


def rule(rule_id: str = "r", virtual: str = VIRTUAL, to: str = APP, **attributes: object) -> Forwarding:
    """Whatever is dialled at the virtual address goes to the same port of the application."""
    match = TrafficMatch(dst_address=(virtual,), **attributes)  # type: ignore[arg-type]
    return Forwarding(
        rule_id=rule_id,
        owner="app",
        priority=1,
        filter_type=FilterType.FLOW,
        matches=(match,),
        action=Action.FORWARD_DECAPSULATED,
        to_address=to,
    )


def listens(plane: UserspaceDataPlane) -> Sequence[tuple[str, str, int]]:
    return plane._listeners.addresses()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_it_listens_where_its_application_does_already(plane: UserspaceDataPlane) -> None:
    with socket.create_server((APP, PORT)):
        await plane.install("r", rule())
        assert listens(plane) == [("tcp", VIRTUAL, PORT)]


async def test_ports_come_and_go_with_those_of_the_application(plane: UserspaceDataPlane) -> None:
    await plane.install("r", rule())
    assert listens(plane) == []
    with socket.create_server((APP, PORT)), socket.socket(type=socket.SOCK_DGRAM) as words:
        words.bind((APP, PORT + 1))
        await until(lambda: listens(plane) == [("tcp", VIRTUAL, PORT), ("udp", VIRTUAL, PORT + 1)])
    await until(lambda: listens(plane) == [])


async def test_a_port_is_not_given_up_for_one_look_at_which_it_was_not_heard_of(
    plane: UserspaceDataPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[bool] = []

    def heard_every_other_time(at: object, apart_from: object) -> dict[tuple[str, str], list[int]]:
        looks.append(not looks or not looks[-1])
        return {("tcp", APP): [PORT]} if looks[-1] else {}

    monkeypatch.setattr(following, "heard", heard_every_other_time)
    monkeypatch.setattr(following, "EVERY", 0.01)
    await plane.install("r", rule())
    inodes = plane._listeners.inodes()
    await until(lambda: len(looks) > 9)
    assert plane._listeners.inodes() == inodes, "its socket is the same, not another"


async def test_a_withdrawn_or_replaced_rule_leaves_no_socket_and_no_work(plane: UserspaceDataPlane) -> None:
    with socket.create_server((APP, PORT)):
        await plane.install("r", rule())
        await plane.install("s", rule("s", OTHER_VIRTUAL))
        await plane.withdraw("s")
        assert listens(plane) == [("tcp", VIRTUAL, PORT)]
        assert _looking()
        await plane.install("r", rule(dst_port=(str(PORT + 5),), protocol=("tcp",)))
        assert listens(plane) == [("tcp", VIRTUAL, PORT + 5)]
        assert not _looking(), "nobody looks where no rule follows"
        await plane.install("r", rule())
        assert listens(plane) == [("tcp", VIRTUAL, PORT)]
        await plane.withdraw("r")
        assert listens(plane) == []
        assert not _looking()


def _looking() -> bool:
    return any("_look_again" in repr(task.get_coro()) for task in asyncio.all_tasks() if not task.done())


async def test_rules_that_lead_to_each_other_do_not_keep_each_other_listening(plane: UserspaceDataPlane) -> None:
    await plane.install("there", rule("there", VIRTUAL, OTHER_VIRTUAL))
    await plane.install("back", rule("back", OTHER_VIRTUAL, VIRTUAL))
    with socket.create_server((VIRTUAL, PORT)):
        await until(lambda: listens(plane) == [("tcp", OTHER_VIRTUAL, PORT)])
    await until(lambda: listens(plane) == [])


async def test_hosts_that_share_an_address_both_listen_at_its_ports_and_no_other_does(
    plane: UserspaceDataPlane,
) -> None:
    other, stranger = UserspaceDataPlane(f"{_BLOCK}.45"), UserspaceDataPlane(f"{_BLOCK}.46")
    shared = msgspec.structs.replace(rule(), shared=True)
    with socket.create_server((APP, PORT)):
        for each in (plane, other):
            await each.install("r", shared)
            assert listens(each) == [("tcp", VIRTUAL, PORT)]
        await stranger.install("r", rule())
        assert listens(stranger) == []
        for each in (other, stranger):
            await each.close()


async def test_a_port_that_somebody_else_has_is_left_to_them_told_once_and_taken_when_it_is_free(
    plane: UserspaceDataPlane, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "EVERY", 0.01)
    with socket.create_server((APP, PORT)):
        with socket.create_server((VIRTUAL, PORT)), caplog.at_level(logging.WARNING, "hanse.data_plane"):
            await plane.install("r", rule())
            await asyncio.sleep(0.3)
            assert listens(plane) == []
            said = [record.getMessage() for record in caplog.records]
            assert len(said) == 1
            assert f"rule r does not listen on tcp {VIRTUAL}:{PORT}" in said[0]
        await until(lambda: listens(plane) == [("tcp", VIRTUAL, PORT)])


async def test_a_kernel_that_does_not_tell_who_listens_is_no_ground_for_such_rules(
    plane: UserspaceDataPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(at: object, apart_from: object) -> dict[tuple[str, str], list[int]]:
        raise OSError(93, "Protocol not supported")

    monkeypatch.setattr(following, "heard", silent)
    with pytest.raises(Problem, match=r"400 dstPort is missing or too wide.*Protocol not supported.*name ports"):
        await plane.install("r", rule())
    assert listens(plane) == []
    assert await plane.forwardings() == []


async def test_a_kernel_that_is_silent_for_once_loses_no_port(
    plane: UserspaceDataPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "EVERY", 0.01)
    asked = 0

    def silent_at_first(at: list[str], apart_from: frozenset[int]) -> dict[tuple[str, str], list[int]]:
        nonlocal asked
        asked += 1
        if 1 < asked < 5:
            raise OSError(105, "No buffer space available")
        return heard(at, apart_from)

    monkeypatch.setattr(following, "heard", silent_at_first)
    await plane.install("r", rule())
    with socket.create_server((APP, PORT)):
        await until(lambda: listens(plane) == [("tcp", VIRTUAL, PORT)])
    assert asked >= 5


async def test_looking_takes_little_of_a_processor_however_many_sockets_there_are(plane: UserspaceDataPlane) -> None:
    others = [socket.create_server((f"{_BLOCK}.{50 + n // 100}", 20_000 + n % 100)) for n in range(1000)]
    await plane.install("r", rule())
    began, used = time.perf_counter(), time.process_time()
    await asyncio.sleep(2)
    share = (time.process_time() - used) / (time.perf_counter() - began)
    for other in others:
        other.close()
    assert share < 0.1, "a look takes about 2 µs a socket, four times a second"
