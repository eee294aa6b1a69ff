"""The VIM runs apps in exactly the resources that they were given, and asking twice changes nothing."""

from __future__ import annotations

import asyncio

import pytest

from hanse.elements.vim import Vim
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.refpoints.mm6.workloads import Demand, Launch, Stopping
from hanse.refpoints.mm7 import Workload, WorkloadState
from tests.bounds import SOON
from tests.unit.elements.vim.conftest import Bench, image, stream

IMAGE, ARCHIVE = image("say=moin", "obey=0")


def demand(name: str = "one", memory: int = 400) -> Demand:
    return Demand(app_instance_id=name, image_id=IMAGE, memory=memory, cpu_milli=500)


@pytest.fixture
async def ready(vim: Vim) -> Vim:
    await vim.store_image(IMAGE, stream(ARCHIVE))
    return vim


async def test_asked_again_an_instance_keeps_the_resources_it_has(ready: Vim) -> None:
    first = await ready.allocate("one", demand())
    assert await ready.allocate("one", demand()) == first
    assert (await ready.capacity()).memory_used == 400
    assert (first.address, first.port) == ("127.9.0.1", 8080)


async def test_simultaneous_demands_never_get_more_than_there_is(ready: Vim) -> None:
    demands = [demand(f"app-{n}", memory=600) for n in range(5)]
    answers = await asyncio.gather(*(ready.allocate(d.app_instance_id, d) for d in demands), return_exceptions=True)
    refused = [a for a in answers if isinstance(a, Problem)]
    assert len(refused) == 4
    assert {problem.status for problem in refused} == {409}
    assert (await ready.capacity()).memory_used == 600


async def test_resources_come_back_when_an_instance_is_released(ready: Vim, bench: Bench) -> None:
    await ready.allocate("one", demand(memory=1000))
    await ready.start("one", Launch())
    await ready.release("one")
    await ready.release("one")
    assert bench.machine.apps == {}
    used = await ready.capacity()
    assert (used.memory_used, used.cpu_milli_used, used.workloads, used.addresses_used) == (0, 0, 0, 0)
    assert (await ready.allocate("two", demand("two", memory=1000))).address == "127.9.0.1"


async def test_an_orchestrator_learns_how_many_addresses_a_host_has_left(ready: Vim) -> None:
    before = await ready.capacity()
    await ready.allocate("one", demand())
    after = await ready.capacity()
    assert before.network == "IPv4"
    assert (after.addresses, after.addresses_used) == (before.addresses, before.addresses_used + 1)
    assert before.addresses > 0


async def test_an_instance_of_an_image_that_is_not_here_takes_nothing(vim: Vim) -> None:
    with pytest.raises(Problem, match="No such stored image") as caught:
        await vim.allocate("one", demand())
    assert caught.value.status == 404
    assert (await vim.capacity()).workloads == 0


async def test_an_app_is_started_with_its_limits_its_address_and_what_it_needs(ready: Vim, bench: Bench) -> None:
    await ready.allocate("one", demand())
    info = await ready.start("one", Launch(environment={"A": "b"}, files={"ca.pem": "pem"}))
    assert info.state is WorkloadState.RUNNING
    ran = bench.machine.apps["one"].workload
    assert (ran.command, ran.address, ran.environment) == (("say=moin", "obey=0"), "127.9.0.1", {"A": "b"})
    assert (ran.files, ran.limits.memory, ran.limits.cpu_milli) == ({"ca.pem": "pem"}, 400, 500)


async def test_started_again_a_running_app_is_left_alone(ready: Vim, bench: Bench) -> None:
    await ready.allocate("one", demand())
    await ready.start("one", Launch())
    pid = bench.machine.apps["one"].pid
    await ready.start("one", Launch())
    assert bench.machine.apps["one"].pid == pid


async def test_a_stopped_app_keeps_its_resources_and_can_be_started_again(ready: Vim) -> None:
    await ready.allocate("one", demand())
    await ready.start("one", Launch())
    stopped = await ready.stop("one", Stopping(grace=0.1))
    assert stopped.state is WorkloadState.EXITED
    assert stopped.output == "moin\n"
    assert (await ready.capacity()).workloads == 1
    assert (await ready.start("one", Launch())).state is WorkloadState.RUNNING


async def test_the_last_words_of_an_app_that_ended_are_told_and_bounded(ready: Vim, bench: Bench) -> None:
    await ready.allocate("one", demand())
    await ready.start("one", Launch())
    assert (await ready.workload("one")).output is ABSENT
    bench.machine.crash("one", code=3, words="x" * 5000 + "last")
    info = await ready.workload("one")
    assert info.exit is not ABSENT
    assert info.exit.exit_code == 3
    assert isinstance(info.output, str)
    assert len(info.output) == 2000
    assert info.output.endswith("last")


@pytest.mark.parametrize("operation", ["start", "stop", "workload"])
async def test_an_instance_without_resources_is_said_to_be_unknown(ready: Vim, operation: str) -> None:
    arguments = {"start": (Launch(),), "stop": (Stopping(),), "workload": ()}[operation]
    with pytest.raises(Problem) as caught:
        await getattr(ready, operation)("nobody", *arguments)
    assert caught.value.status == 404


async def test_after_a_restart_apps_run_on_and_strangers_are_removed(ready: Vim, bench: Bench) -> None:
    await ready.allocate("one", demand())
    await ready.start("one", Launch())
    driver = bench.driver()
    await driver.create(Workload(instance_id="stranger", image_id=IMAGE, command=("serve",), address="127.9.0.9"))
    await driver.start("stranger")
    pid = bench.machine.apps["one"].pid
    again = bench.vim()
    await again.start_up()
    await again.shut_down()
    assert list(bench.machine.apps) == ["one"]
    assert bench.machine.apps["one"].pid == pid
    assert (await again.allocate("one", demand())).address == "127.9.0.1"


async def test_a_crash_is_told_to_the_manager_even_if_it_was_away_and_an_ordered_stop_is_not(
    ready: Vim, bench: Bench
) -> None:
    await ready.start_up()
    bench.manager.away = 2
    for name in ("one", "two"):
        await ready.allocate(name, demand(name))
        await ready.start(name, Launch())
    await ready.stop("two", Stopping(grace=0.0))
    bench.machine.crash("one", code=3)
    async with asyncio.timeout(SOON):
        await bench.manager.news.wait()
    await ready.shut_down()
    assert [(info.app_instance_id, info.state) for info in bench.manager.told] == [("one", WorkloadState.EXITED)]


async def crashing(vim: Vim, bench: Bench, *names: str) -> None:
    """Instances that run and end by themselves, one after the other."""
    for name in names:
        await vim.allocate(name, demand(name))
        await vim.start(name, Launch())
    for name in names:
        bench.machine.crash(name, code=3)
        async with asyncio.timeout(SOON):
            while name not in bench.manager.asked:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_a_crash_is_told_although_the_manager_cannot_take_that_of_another_app_yet(
    ready: Vim, bench: Bench
) -> None:
    await ready.start_up()
    bench.manager.busy = {"one"}
    await crashing(ready, bench, "one", "two")
    async with asyncio.timeout(SOON):
        await bench.manager.news.wait()
    assert [info.app_instance_id for info in bench.manager.told] == ["two"]
    bench.manager.news.clear()
    bench.manager.busy.clear()
    async with asyncio.timeout(SOON):
        await bench.manager.news.wait()
    await ready.shut_down()
    assert [info.app_instance_id for info in bench.manager.told] == ["two", "one"]


async def test_an_app_that_runs_again_is_not_said_to_have_ended(ready: Vim, bench: Bench) -> None:
    await ready.start_up()
    bench.manager.busy = {"one"}
    await crashing(ready, bench, "one")
    await ready.start("one", Launch())
    bench.manager.busy.clear()
    await asyncio.sleep(0.5)
    await ready.shut_down()
    assert bench.manager.asked != []
    assert bench.manager.told == []


async def test_nothing_is_told_any_more_by_a_vim_that_was_shut_down(ready: Vim, bench: Bench) -> None:
    await ready.start_up()
    bench.manager.busy = {"one"}
    await crashing(ready, bench, "one")
    await ready.shut_down()
    tried = len(bench.manager.asked)
    await asyncio.sleep(0.5)
    assert len(bench.manager.asked) == tried > 0
