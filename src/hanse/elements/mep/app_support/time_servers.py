"""Time servers: whom this machine's clock follows, by the files of its time service."""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from hanse.kit.values import ABSENT
from hanse.refpoints.mp1.timing import AuthenticationOption, NtpServer, NtpServerAddrType

FILES = (
    Path("/etc/chrony/chrony.conf"),
    Path("/etc/chrony.conf"),
    Path("/etc/ntpsec/ntp.conf"),
    Path("/etc/ntp.conf"),
    Path("/etc/systemd/timesyncd.conf"),
)
"""Of chrony, ntpsec, ntp and timesyncd; the first that is there is read."""
SHORTEST, LONGEST = 3, 17
DEFAULT_POLLING = (6, 10)
"""Exponents of 2 s, as chrony and ntp have them where a server has none of its own."""


def time_servers(files: Sequence[Path] = FILES) -> tuple[NtpServer, ...]:
    """The servers of the first file that can be read, in its order; none if there is no such file."""
    for file in files:
        try:
            return tuple(servers_in(file.read_text(errors="replace")))
        except OSError:
            continue
    return ()


def servers_in(text: str) -> Iterator[NtpServer]:
    """The servers that a configuration names: ``server NAME minpoll 4 …`` and ``pool``, or ``NTP=NAME NAME``."""
    priority = 0
    for line in text.splitlines():
        for address, options in _named(line.strip()):
            yield _server(address, options, priority)
            priority += 1


def _named(line: str) -> Iterator[tuple[str, list[str]]]:
    words = line.split()
    if len(words) > 1 and words[0] in ("server", "pool", "peer"):
        yield words[1], words[2:]
    elif found := re.fullmatch(r"NTP\s*=\s*(.+)", line):
        yield from ((address, []) for address in found[1].split())


def _server(address: str, options: list[str], priority: int) -> NtpServer:
    key = _number(options, "key", -1)
    proof = AuthenticationOption.SYMMETRIC_KEY if key >= 0 else AuthenticationOption.NONE
    if "autokey" in options:
        proof = AuthenticationOption.AUTO_KEY
    return NtpServer(
        ntp_server_addr_type=_type(address),
        ntp_server_addr=address,
        min_polling_interval=_bounded(_number(options, "minpoll", DEFAULT_POLLING[0])),
        max_polling_interval=_bounded(_number(options, "maxpoll", DEFAULT_POLLING[1])),
        local_priority=priority,
        authentication_option=proof,
        authentication_key_num=key if proof is AuthenticationOption.SYMMETRIC_KEY else ABSENT,
    )


def _type(address: str) -> NtpServerAddrType:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return NtpServerAddrType.DNS_NAME
    return NtpServerAddrType.IP_ADDRESS


def _number(options: list[str], name: str, otherwise: int) -> int:
    following = dict(itertools.pairwise(options)).get(name, "")
    return int(following) if re.fullmatch(r"-?\d{1,9}", following) else otherwise


def _bounded(exponent: int) -> int:
    return min(max(exponent, SHORTEST), LONGEST)
