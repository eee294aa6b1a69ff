"""A process is never taken for another one, dead or alive."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from hanse.drivers.compute_process import processes
from hanse.drivers.compute_process.processes import (
    Identity,
    _home,
    alive,
    boot,
    children,
    descriptor_of,
    identify,
    kill,
    notify,
    patience,
    remains,
    stat,
)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "600"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def zombie(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)


def test_a_running_process_is_alive(sleeper: subprocess.Popen[bytes]) -> None:
    assert alive(identify(sleeper.pid))
    assert sleeper.pid in children(os.getpid())


def test_a_zombie_does_not_look_alive(sleeper: subprocess.Popen[bytes]) -> None:
    identity = identify(sleeper.pid)
    zombie(sleeper)
    assert stat(sleeper.pid) is not None
    assert not alive(identity)
    assert descriptor_of(identity) is None
    assert not notify(identity, signal.SIGTERM)


def test_a_process_with_a_recycled_pid_does_not_look_alive(sleeper: subprocess.Popen[bytes]) -> None:
    now = identify(sleeper.pid)
    for other in (now._replace(started=now.started - 1), now._replace(boot="an earlier boot")):
        assert not alive(other)
        assert not notify(other, signal.SIGKILL)
    assert sleeper.poll() is None


def test_a_process_that_is_gone_is_no_error(sleeper: subprocess.Popen[bytes]) -> None:
    identity = identify(sleeper.pid)
    sleeper.kill()
    sleeper.wait()
    kill(sleeper.pid)
    assert stat(sleeper.pid) is None
    assert identify(sleeper.pid).started == 0
    assert not notify(identity, signal.SIGTERM)


def test_a_command_name_with_parentheses_and_spaces_is_read_right() -> None:
    name = "a) Z 1 ("
    code = f"open('/proc/self/comm', 'w').write({name!r}); print(flush=True); input()"
    with subprocess.Popen(["python3", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        found = stat(process.pid)
        process.communicate(b"\n")
    assert found is not None
    assert found.lives
    assert found.parent == os.getpid()


def test_the_remains_of_a_workload_are_its_session_and_its_home(sleeper: subprocess.Popen[bytes]) -> None:
    leader = identify(sleeper.pid)
    with subprocess.Popen(["sleep", "600"], env={"HOME": "/the/home"}) as daemon:
        left = remains(leader, "/the/home")
        daemon.kill()
    assert sorted(left) == sorted([sleeper.pid, daemon.pid])


def test_a_daemon_that_has_just_begun_its_program_has_its_home() -> None:
    for _ in range(20):
        with subprocess.Popen(["sleep", "600"], env={"HOME": "/the/home"}) as daemon:
            found = _home(daemon.pid, patience())  # the kernel has not shown its environment yet, nearly always
            daemon.kill()
        assert found == "/the/home"


class Clock:
    """Time that passes by sleeping alone."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_processes_that_never_show_an_environment_hold_up_a_look_only_once(
    sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An app may throw away the pages of its own, in as many processes as it likes."""
    clock, leader = Clock(), identify(sleeper.pid)
    monkeypatch.setattr(processes, "time", clock)
    monkeypatch.setattr(processes, "_has_environment", lambda _pid: True)
    bare = [subprocess.Popen(["sleep", "600"], env={}) for _ in range(5)]
    try:
        assert remains(leader, "/the/home") == [sleeper.pid]
    finally:
        for process in bare:
            process.kill()
            process.wait()
    assert 101.0 <= clock.now < 101.1


def test_nothing_of_another_boot_or_of_a_recycled_session_is_killed(sleeper: subprocess.Popen[bytes]) -> None:
    leader = identify(sleeper.pid)
    assert remains(leader._replace(boot="an earlier boot"), "/the/home") == []
    assert remains(leader._replace(started=leader.started - 1), "/the/home") == []


def test_a_boot_has_an_identifier() -> None:
    assert Identity(1, 1, boot()).boot == boot() != ""
