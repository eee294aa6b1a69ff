"""Unbound of Debian as the resolver of somebody else: it remembers answers and knows no device."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import pytest

_CONFIGURATION = """
server:
    directory: "{directory}"
    chroot: ""
    username: ""
    pidfile: ""
    use-syslog: no
    interface: {address}@{port}
    outgoing-interface: {address}
    access-control: 127.0.0.0/8 allow
    do-not-query-localhost: no
    do-ip6: no
    num-threads: 1
    module-config: "iterator"
remote-control:
    control-enable: no
forward-zone:
    name: "."
    forward-addr: {server}@{server_port}
"""


@contextmanager
def unbound(directory: Path, address: str, port: int, server: str, server_port: int) -> Iterator[None]:
    """Answers at an address until left, and asks ``server`` from there; skips the test where it is not installed."""
    program = shutil.which("unbound", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if program is None:
        pytest.skip("Unbound is not installed (Debian: unbound)")
    directory.mkdir()
    text = _CONFIGURATION.format(
        directory=directory, address=address, port=port, server=server, server_port=server_port
    )
    (directory / "unbound.conf").write_text(text)
    process = subprocess.Popen([program, "-d", "-p", "-c", str(directory / "unbound.conf")])
    try:
        _await(process, address, port)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=100)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], address: str, port: int) -> None:
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        try:
            dns.query.udp(dns.message.make_query("version.bind", "TXT", "CH"), address, timeout=0.3, port=port)
            return
        except (dns.exception.DNSException, OSError):
            time.sleep(0.05)
    raise AssertionError("Unbound did not start; what it said of the reason is above")
