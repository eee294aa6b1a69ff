"""The sockets that a name server listens on; what hinders them is told with its reason."""

from __future__ import annotations

import asyncio
import errno
import socket
from ipaddress import ip_address

from hanse.kit.ports import bind, describe_holder
from hanse.kit.problems import Problem, bad_request, conflict


async def listen(address: str, port: int) -> tuple[socket.socket, socket.socket]:
    """A TCP and a UDP socket on the same port (0: a free one).

    409 tells who holds the port; 400 that the address is not there, or is not one.
    """
    try:
        unspecified = ip_address(address).is_unspecified
    except ValueError:
        raise bad_request("names.address is no IP address", f"give one of this machine; got {address!r}") from None
    if unspecified:
        detail = "name one: an answer must come from the address that was asked, or nobody takes it (RFC 2181, 4)"
        raise bad_request(f"names.address is every address of this machine, {address}", detail)
    try:
        stream = bind(address, port)
    except OSError as error:
        raise await _explain(error, "tcp", address, port) from None
    try:
        return stream, bind(address, stream.getsockname()[1], socket.SOCK_DGRAM)
    except OSError as error:
        stream.close()
        raise await _explain(error, "udp", address, port) from None


async def _explain(error: OSError, protocol: str, address: str, port: int) -> Problem:
    where = f"{protocol} port {port} on {address}"
    if error.errno == errno.EADDRINUSE:
        holder = await asyncio.to_thread(describe_holder, address, port, protocol)
        return conflict(f"{where} is taken", f"{holder}; stop it or give the name server another port")
    return bad_request(f"{where} cannot be listened on", f"give an address of this machine; {error.strerror}")
