"""What a record must be that this server can answer with."""

from __future__ import annotations

from hanse.drivers.names_embedded.clients import networks
from hanse.kit.domain_names import read_domain_name
from hanse.refpoints.mp2 import NameRecord, check_values


def check(record: NameRecord) -> bytes:
    """The name of a record (on the wire, lower case); 400 names the attribute that cannot be answered with."""
    name = read_domain_name(record.name, "name")
    check_values(record)
    if isinstance(record.canonical, str):
        read_domain_name(record.canonical, "canonical")
    networks(record.clients)
    return name.to_digestable()
