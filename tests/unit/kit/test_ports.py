"""An operator whose port is taken is told by whom."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hanse.kit.ports import bind, describe_holder, find_holder, listen_on
from hanse.kit.problems import Problem

HOLD = """
import socket, sys
s = socket.socket(type=int(sys.argv[2])); s.bind((sys.argv[1], 0))
if s.type == socket.SOCK_STREAM: s.listen()
print(s.getsockname()[1], flush=True); sys.stdin.read()
"""


class _Other:
    """Another process that holds a port until its standard input ends."""

    def __init__(self, address: str, kind: int = socket.SOCK_STREAM) -> None:
        command = [sys.executable, "-c", HOLD, address, str(int(kind))]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())

    def __enter__(self) -> _Other:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate("")


def _name_of(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


def test_the_pid_and_name_of_the_process_to_stop_are_told() -> None:
    with _Other("127.61.1.1") as other:
        said = describe_holder("127.61.1.1", other.port)
        pid = other.process.pid
        assert said == f"port {other.port} on 127.61.1.1 is taken by pid {pid} ({_name_of(pid)})"


def test_a_holder_of_every_address_is_found_too() -> None:
    with _Other("0.0.0.0") as other:
        holder = find_holder("127.61.1.1", other.port)
        assert holder
        assert holder.pid == other.process.pid


def test_whoever_wants_every_address_learns_who_holds_one_of_them() -> None:
    with _Other("127.61.1.1") as other:
        holder = find_holder("0.0.0.0", other.port)
        assert holder
        assert holder.pid == other.process.pid
        assert find_holder("0.0.0.0", other.port, "udp") is None


def test_a_socket_of_one_interface_is_not_reached_by_another() -> None:
    with bind("0.0.0.0", 0, device="lo") as sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\0") == b"lo"
    with pytest.raises(OSError, match="No such device"):
        bind("0.0.0.0", 0, device="none-such")


def test_a_holder_of_a_udp_port_is_found_only_as_such() -> None:
    with _Other("127.61.1.1", socket.SOCK_DGRAM) as other:
        holder = find_holder("127.61.1.1", other.port, "udp")
        assert holder
        assert holder.pid == other.process.pid
        assert find_holder("127.61.1.1", other.port, "tcp") is None


def test_a_listener_on_every_ipv6_address_holds_the_ipv4_port() -> None:
    try:
        sock = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    except (OSError, ValueError) as lack:
        pytest.skip(f"no dual-stack IPv6 here: {lack}")
    with sock:
        holder = find_holder("127.61.1.1", sock.getsockname()[1])
        assert holder
        assert holder.pid == os.getpid()


def test_the_listener_is_named_and_not_a_connection_that_it_accepted() -> None:
    with socket.create_server(("127.61.1.2", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.61.1.2", port)), listener.accept()[0]:
            holder = find_holder("127.61.1.2", port)
            assert holder
            assert holder.pid == os.getpid()


def test_a_holder_that_may_not_be_seen_is_not_invented(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    row = "0: 0100027F:20FB 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4711 1"
    (tmp_path / "net" / "tcp").write_text(f"header\n{row}\n")
    (tmp_path / "812").mkdir()
    assert find_holder("127.2.0.1", 8443, proc=tmp_path) is None
    assert describe_holder("127.2.0.1", 8443, proc=tmp_path).endswith("taken by a process that this user may not see")


def test_the_holder_is_found_by_the_inode_of_its_socket(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    row = "0: 0100027F:20FB 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4711 1"
    (tmp_path / "net" / "tcp").write_text(f"header\n{row}\n")
    (tmp_path / "812" / "fd").mkdir(parents=True)
    (tmp_path / "812" / "fd" / "3").symlink_to("socket:[4711]")
    (tmp_path / "812" / "comm").write_text("nginx\n")
    if sys.byteorder == "little":
        assert describe_holder("127.2.0.1", 8443, proc=tmp_path) == "port 8443 on 127.2.0.1 is taken by pid 812 (nginx)"


def test_a_free_port_has_no_holder() -> None:
    with socket.create_server(("127.61.1.3", 0)) as listener:
        port = listener.getsockname()[1]
    assert find_holder("127.61.1.3", port) is None


def test_a_port_that_is_taken_is_not_bound_twice() -> None:
    with socket.create_server(("127.61.1.4", 0)) as listener, pytest.raises(OSError, match="in use"):
        bind("127.61.1.4", listener.getsockname()[1])


def test_a_bound_socket_never_blocks_the_event_loop() -> None:
    with bind("127.61.1.5", 0, socket.SOCK_DGRAM) as sock:
        assert not sock.getblocking()


def test_who_cannot_listen_learns_who_does_and_what_to_change() -> None:
    with listen_on("127.61.1.6", 0) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.61.1.6", port)), pytest.raises(Problem) as caught:
            listen_on("127.61.1.6", port)
    assert (caught.value.status, caught.value.title) == (409, f"Cannot listen on 127.61.1.6:{port}")
    assert f"is taken by pid {os.getpid()}" in caught.value.detail
    assert "set another port" in caught.value.detail


def test_what_speaks_ipv6_can_be_listened_for_and_dialled() -> None:
    with listen_on("::1", 0) as listener, socket.create_connection(("::1", listener.getsockname()[1])) as dialled:
        assert dialled.getpeername()[:2] == listener.getsockname()[:2]
