"""Knot DNS of Debian, started by whoever needs it: a zone, perhaps with mod-geoip, perhaps with updates by key."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hanse.kit.problems import Problem

_CONFIGURATION = """
server:
    rundir: {directory}
    listen: {address}@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    edns-client-subnet: on
log:
  - target: stderr
    any: error
database:
    storage: {directory}/db
{more}
zone:
  - domain: {zone}
    storage: {directory}
    file: zone
    zonefile-load: whole
{in_zone}
"""
_ZONE = """$ORIGIN {zone}.
$TTL {ttl}
@ SOA ns hostmaster 1 3600 600 86400 5
@ NS ns
ns A 127.0.0.1
"""


def installed() -> str | None:
    """The program, if there is one."""
    return shutil.which("knotd") or shutil.which("knotd", path="/usr/sbin:/usr/local/sbin")


def geoip_missing() -> str | None:
    """Why subnets cannot be compared with Knot's; ``None`` if they can."""
    if not any(Path("/usr/lib").glob("*/knot/modules*/geoip.so")):
        return "Knot with mod-geoip is not installed (Debian: knot, knot-module-geoip)"
    return None if installed() else "Knot is not installed (Debian: knot)"


@contextmanager
def serving(
    directory: Path, address: str, port: int, zone: str, more: str = "", in_zone: str = "", ttl: int = 30
) -> Iterator[subprocess.Popen[bytes]]:
    """Knot with one worker, until left. ``more`` and ``in_zone`` are lines for its configuration."""
    (directory / "db").mkdir(parents=True)
    (directory / "zone").write_text(_ZONE.format(zone=zone, ttl=ttl))
    text = _CONFIGURATION.format(directory=directory, address=address, port=port, zone=zone, more=more, in_zone=in_zone)
    (directory / "knot.conf").write_text(text)
    program = installed()
    assert program is not None
    process = subprocess.Popen([program, "-c", str(directory / "knot.conf")])
    try:
        _await(process, address, port)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], address: str, port: int, patience: float = 30.0) -> None:
    import dns.exception
    import dns.message
    import dns.query

    deadline = time.monotonic() + patience
    while process.poll() is None and time.monotonic() < deadline:
        try:
            dns.query.udp(dns.message.make_query("version.invalid", "A"), address, timeout=0.2, port=port)
            return
        except (dns.exception.DNSException, OSError):
            time.sleep(0.05)
    raise Problem(500, "Knot did not start", "what it said of the reason is above")
