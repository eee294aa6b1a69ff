"""Which updates make names what our records say (RFC 2136, 2.5). No socket here."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

import dns.exception
import dns.name
import dns.rrset
import dns.tsig
import dns.tsigkeyring
from dns.name import Name
from dns.update import UpdateMessage

from hanse.kit.domain_names import read_domain_name
from hanse.kit.problems import bad_request
from hanse.refpoints.mp2 import NameRecord, check_values

MOST_BYTES = 60_000
"""How long an update may become: a message by TCP has room for 65,535 bytes, of which the signature takes some."""

_MOST_OF_A_NAME, _MOST_OF_A_RECORD = 2 * 255 + 7 * 12, 28
_KINDS = ("A", "AAAA", "CNAME")

SAME_FOR_ALL = "an outside name server gives all clients the same answer; use the embedded one"
"""Why a record for some clients cannot be published there."""


class Key(NamedTuple):
    """A TSIG key: its name, its algorithm like ``hmac-sha256``, its secret in Base64."""

    name: str
    secret: str
    algorithm: str = "hmac-sha256"

    def ring(self) -> dns.tsig.Key:
        """For dnspython; 400 names what is wrong with the key."""
        try:
            base64.b64decode(self.secret, validate=True)
            key = dns.tsig.Key(self.name, self.secret, self.algorithm)
            if key.algorithm not in dns.tsig.mac_sizes:
                raise ValueError(f"{self.algorithm} is none that is known")
        except (binascii.Error, dns.exception.DNSException, ValueError) as error:
            detail = f"give its secret in Base64, an algorithm like hmac-sha256; {error}"
            raise bad_request("TSIG key cannot be read", detail) from None
        return key


def check(record: NameRecord, zone: Name) -> Name:
    """The name of a record that can be published; 400 names the attribute that cannot."""
    if record.clients:
        raise bad_request("clients is not supported", SAME_FOR_ALL)
    name = _name(record.name, "name")
    if not name.is_subdomain(zone) or name == zone or name.is_wild():
        raise bad_request("name is outside the zone", f"write a name below {zone.to_text(True)}; got {record.name}")
    check_values(record)
    if isinstance(record.canonical, str):
        _name(record.canonical, "canonical")
    return name


@lru_cache(maxsize=1 << 17)
def canonical(name: str) -> str:
    """The one spelling of a name that can be read: whole, in lower case, with its final dot."""
    return dns.name.from_text(name).canonicalize().to_text()


def by_name(names: Iterable[str], records: Iterable[NameRecord]) -> dict[str, list[NameRecord]]:
    """The records of each of these names (`canonical`), in their order."""
    found: dict[str, list[NameRecord]] = {name: [] for name in sorted(names)}
    for record in records:
        here = found.get(canonical(record.name))
        if here is not None:
            here.append(record)
    return found


def updates(
    zone: Name, wanted: Mapping[str, Sequence[NameRecord]], key: dns.tsig.Key, new: Set[str] = frozenset()
) -> Iterator[UpdateMessage]:
    """The signed updates after which each name has these records of ours, and no other address or alias.

    As few as have room for them: what is in one is done as a whole, or not at all (RFC 2136, 3.4). It is not done if a
    ``new`` name has an address or alias already (2.4.3): that is somebody else's.
    """
    message, size = UpdateMessage(zone, keyring=key), 0
    for text, records in wanted.items():
        name = dns.name.from_text(text)
        more = _MOST_OF_A_NAME + len(records) * _MOST_OF_A_RECORD
        if size and size + more > MOST_BYTES:
            yield message
            message, size = UpdateMessage(zone, keyring=key), 0
        size += more
        for kind in _KINDS:
            if text in new:
                message.absent(name, kind)
            message.delete(name, kind)
        for record_set in sets(name, records):
            message.add(name, record_set)
    if size:
        yield message


def sets(name: Name, records: Sequence[NameRecord]) -> list[dns.rrset.RRset]:
    """The record sets of a name: those of the lowest order; an alias only if it has no address."""
    first = min((r.order for r in records), default=0)
    used = sorted((r for r in records if r.order == first), key=lambda r: r.record_id)
    ttl = min((r.ttl for r in used), default=0)
    addresses = list(dict.fromkeys(r.address for r in used if isinstance(r.address, str)))
    if not addresses:
        alias = next((r.canonical for r in used if isinstance(r.canonical, str)), None)
        return [dns.rrset.from_text(name, ttl, "IN", "CNAME", _name(alias, "canonical").to_text())] if alias else []
    by_kind = {kind: [a for a in addresses if _kind(a) == kind] for kind in ("A", "AAAA")}
    return [dns.rrset.from_text_list(name, ttl, "IN", kind, some) for kind, some in by_kind.items() if some]


def _name(text: str, field: str) -> Name:
    """A wildcard may be the target of an alias; `check` refuses it as the name of a record."""
    return read_domain_name(text, field, wildcards=True)


def _kind(address: str) -> str:
    return "A" if ip_address(address).version == 4 else "AAAA"
