"""What a record must be that this server can answer with."""

from __future__ import annotations

from ipaddress import ip_address

import dns.exception
import dns.name

from hanse.drivers.names_embedded.clients import networks
from hanse.kit.problems import bad_request
from hanse.refpoints.mp2 import NameRecord, check_values


def check(record: NameRecord) -> bytes:
    """The name of a record (on the wire, lower case); 400 names the attribute that cannot be answered with."""
    name = read_name(record.name, "name")
    check_values(record)
    if isinstance(record.canonical, str):
        read_name(record.canonical, "canonical")
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


def read_name(text: str, field: str) -> dns.name.Name:
    """An absolute name, with or without its final dot; 400 names ``field`` if it is none, or has a wildcard.

    Names beyond ASCII have several spellings on the wire (RFC 5891), of which the writer must choose.
    """
    if not text.isascii():
        raise bad_request(f"{field} is not ASCII", f"write the form that begins with xn-- (RFC 5891); got {text!r}")
    try:
        name = dns.name.from_text(text)
    except (dns.exception.DNSException, ValueError) as error:
        raise bad_request(f"{field} is not a domain name", f"write a name like video.example; {error}") from None
    if name.is_wild() or name == dns.name.root:
        raise bad_request(f"{field} is not a full domain name", f"write one name like video.example; got {text!r}")
    return name
