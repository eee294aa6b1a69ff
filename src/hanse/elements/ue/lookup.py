"""How a device finds an address: a real DNS query from the device's own address."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from ipaddress import ip_address

import dns.exception
import dns.flags
import dns.message
import dns.rcode
from dns.message import Message
from dns.rcode import Rcode
from dns.rdatatype import RdataType

from hanse.kit.problems import Problem, bad_request, forbidden, not_found, unreachable

_PAYLOAD = 1232
_LENGTH = 2
_WHOLE = 65535

Attached = Callable[[socket.SocketKind], socket.socket]
"""Makes a non-blocking socket at the device's own address."""


async def look_up(name: str, attached: Attached, resolver: tuple[str, int], timeout: float) -> str:
    """The first IPv4 address of a name, asked of ``resolver`` (address, port) from sockets of the device.

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
    answer = await _ask(question, attached, resolver, timeout)
    return _address_in(answer, name, resolver)


async def _ask(question: Message, attached: Attached, resolver: tuple[str, int], timeout: float) -> Message:
    """Ask twice, for a datagram may be lost; over TCP if the answer does not fit one."""
    address, port = resolver
    reason = ""
    for _ in range(2):
        try:
            async with asyncio.timeout(timeout):
                answer = await _by_datagram(question, attached, resolver)
                return await _by_stream(question, attached, resolver) if answer.flags & dns.flags.TC else answer
        except (dns.exception.DNSException, OSError, EOFError) as error:
            reason = str(error) or "it is silent"
    raise unreachable(f"the resolver {address}:{port}", f"no answer: {reason}")


async def _by_datagram(question: Message, attached: Attached, resolver: tuple[str, int]) -> Message:
    """What is no answer to the question is passed over: it may be late, or forged."""
    loop = asyncio.get_running_loop()
    with attached(socket.SOCK_DGRAM) as sock:
        await loop.sock_connect(sock, resolver)  # only the resolver is heard from now on
        await loop.sock_sendall(sock, question.to_wire())
        while True:
            answer = dns.message.from_wire(await loop.sock_recv(sock, _WHOLE), raise_on_truncation=False)
            if question.is_response(answer):
                return answer


async def _by_stream(question: Message, attached: Attached, resolver: tuple[str, int]) -> Message:
    with attached(socket.SOCK_STREAM) as sock:
        await asyncio.get_running_loop().sock_connect(sock, resolver)
        reader, writer = await asyncio.open_connection(sock=sock)
        try:
            writer.write(question.to_wire(prepend_length=True))
            length = int.from_bytes(await reader.readexactly(_LENGTH))
            return dns.message.from_wire(await reader.readexactly(length))
        finally:
            writer.close()


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
