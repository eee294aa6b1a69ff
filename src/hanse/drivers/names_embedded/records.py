"""What a record must be that this server can answer with."""

from __future__ import annotations

from ipaddress import ip_address

from hanse.drivers.names_embedded.clients import networks
from hanse.kit.domain_names import read_domain_name
from hanse.kit.problems import bad_request
from hanse.refpoints.mp2 import NameRecord, check_values


def check(record: NameRecord) -> bytes:
    """The name of a record (on the wire, lower case); 400 names the attribute that cannot be answered with."""
    name = read_domain_name(record.name, "name")
    check_values(record)
    if isinstance(record.canonical, str):
        read_domain_name(record.canonical, "canonical")
    if isinstance(record.address, str):
        _check_address(record.address)
    networks(record.clients)
    return name.to_digestable()


def _check_address(address: str) -> None:
    try:
        right = "%" not in address and bool(ip_address(address))
    except ValueError:
        right = False
    if not right:
        raise bad_request("address is not an IP address", f"write IPv4 or IPv6; got {address!r}")
