"""How a device finds an address: a real DNS query from the device's own address."""

from __future__ import annotations

from ipaddress import ip_address

import dns.asyncquery
import dns.exception
import dns.message
import dns.rcode
from dns.message import Message
from dns.rcode import Rcode
from dns.rdatatype import RdataType

from hanse.kit.problems import Problem, bad_request, forbidden, not_found, unreachable

_PAYLOAD = 1232


async def look_up(name: str, source: str, resolver: tuple[str, int], timeout: float) -> str:
    """The first IPv4 address of a name, asked of ``resolver`` (address, port) from ``source``.

    Each of two tries takes up to ``timeout`` seconds. An IPv4 address is its own answer.

    404: there is no such name, or it has no IPv4 address; 403: the resolver does not answer this device or not for this
    name; 503: it does not answer at all.
    """
    if _is_address(name):
        return name
    try:
        question = dns.message.make_query(name, RdataType.A, use_edns=0, payload=_PAYLOAD)
    except (dns.exception.DNSException, UnicodeError, ValueError) as error:
        raise bad_request("name is not a domain name", f"write a name like video.example; {error}") from None
    answer = await _ask(question, source, resolver, timeout)
    return _address_in(answer, name, resolver)


async def _ask(question: Message, source: str, resolver: tuple[str, int], timeout: float) -> Message:
    """Ask twice, for a datagram may be lost; over TCP if the answer does not fit one."""
    address, port = resolver
    reason = ""
    for _ in range(2):
        try:
            answer, _tcp = await dns.asyncquery.udp_with_fallback(
                question, address, timeout, port, source=source, ignore_unexpected=True
            )
        except (dns.exception.DNSException, OSError, EOFError) as error:
            reason = str(error)
        else:
            return answer
    raise unreachable(f"the resolver {address}:{port}", f"no answer to {source}: {reason}")


def _address_in(answer: Message, name: str, resolver: tuple[str, int]) -> str:
    code = answer.rcode()
    if code == Rcode.NXDOMAIN:
        raise not_found("name", f"{name} (says {resolver[0]}:{resolver[1]})")
    if code != Rcode.NOERROR:
        raise _refusal(code, name, resolver)
    found = [rdata.address for rrset in answer.answer if rrset.rdtype == RdataType.A for rdata in rrset]
    if not found:
        raise not_found("IPv4 address", f"of {name} (says {resolver[0]}:{resolver[1]})")
    return str(found[0])


def _refusal(code: Rcode, name: str, resolver: tuple[str, int]) -> Problem:
    who = f"the resolver {resolver[0]}:{resolver[1]}"
    if code == Rcode.REFUSED:
        return forbidden(f"{name} was not resolved", f"{who} refuses this name or this device")
    return unreachable(who, f"it answered {dns.rcode.to_text(code)} for {name}")


def _is_address(text: str) -> bool:
    try:
        return ip_address(text).version == 4
    except ValueError:
        return False
