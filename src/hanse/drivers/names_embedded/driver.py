"""The name server of a host, in its own process: it answers for its records, and asks another server for the rest."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable, Iterable

import dns.asyncquery
import dns.exception
from dns.message import Message, QueryMessage
from dns.rcode import Rcode

from hanse.drivers.names_embedded import messages
from hanse.drivers.names_embedded.serving import DatagramService, StreamService
from hanse.drivers.names_embedded.zones import Zones
from hanse.kit.failpoints import effect
from hanse.kit.ports import bind, describe_holder
from hanse.kit.problems import Problem, bad_request, conflict
from hanse.refpoints.mp2 import NameRecord, NameServer

_FORWARD_SECONDS = 3.0
_MOST_FORWARDED = 256
_WHOLE = 65535


class EmbeddedNames(NameServer):
    """An authoritative DNS server on UDP and TCP (port 0 takes a free port; ``port`` tells which, once started).

    ``zones`` are answered for as a whole; a record outside them is a zone of its own. Every other name is asked of
    ``forward`` (address, port), or refused if there is none. ``admits`` says which client addresses are answered.
    """

    def __init__(
        self,
        address: str,
        port: int,
        zones: Iterable[str] = (),
        forward: tuple[str, int] | None = None,
        admits: Callable[[str], bool] | None = None,
    ) -> None:
        self.address, self.port = address, port
        self._zones = Zones(zones)
        self._forward, self._admits = forward, admits
        self._forwarded = 0
        self._datagrams = DatagramService(self._reply)
        self._streams = StreamService(self._reply)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; 409 tells who holds the port, 400 that the address is not there."""
        loop = asyncio.get_running_loop()
        stream, datagram = await self._bind()
        self.port = stream.getsockname()[1]
        self._server = await asyncio.start_server(self._streams.serve, sock=stream)
        await loop.create_datagram_endpoint(lambda: self._datagrams, sock=datagram)

    async def close(self) -> None:
        """Answer nobody any more; the records stay, for another `start`."""
        self._datagrams.close()
        if self._server:
            self._server.close()
            self._streams.close()

    @effect("names.publish")
    async def publish(self, record_id: str, record: NameRecord) -> None:
        """Answer with this record from now on; 400 names what cannot be read, and leaves everything as it was."""
        if record.record_id != record_id:
            raise bad_request("recordId differs", f"the address says {record_id}, the body {record.record_id}")
        self._zones.put(record)

    @effect("names.retract")
    async def retract(self, record_id: str) -> None:
        """Stop answering with it."""
        self._zones.remove(record_id)

    async def records(self) -> list[NameRecord]:
        """All records in force."""
        return self._zones.records()

    def _reply(self, wire: bytes, client: str, udp: bool) -> bytes | Awaitable[bytes] | None:
        query = messages.read(wire)
        if query is None or isinstance(query, bytes):
            return query
        if self._admits and not self._admits(client):
            return messages.error(wire, Rcode.REFUSED)
        most = messages.udp_limit(query) if udp else _WHOLE
        response = messages.respond(query, self._zones)
        if response is None:
            return self._elsewhere(query, most)
        return messages.render(response, most)

    def _elsewhere(self, query: QueryMessage, most: int) -> bytes | Awaitable[bytes]:
        """A name of others: ask the other server, if there is one and not too many questions wait for it."""
        if self._forward is None:
            return messages.render(messages.refuse(query, Rcode.REFUSED), most)
        if self._forwarded >= _MOST_FORWARDED:
            return messages.render(messages.refuse(query, Rcode.SERVFAIL), most)
        return self._ask(query, self._forward, most)

    async def _ask(self, query: QueryMessage, server: tuple[str, int], most: int) -> bytes:
        self._forwarded += 1
        try:
            response = messages.relay(query, await _asked(query, server))
        except (dns.exception.DNSException, OSError, EOFError):
            response = messages.refuse(query, Rcode.SERVFAIL)
        finally:
            self._forwarded -= 1
        return messages.render(response, most)

    async def _bind(self) -> tuple[socket.socket, socket.socket]:
        """A TCP and a UDP socket on the same port."""
        try:
            stream = bind(self.address, self.port)
        except OSError as error:
            raise await self._explain(error, "tcp") from None
        try:
            return stream, bind(self.address, stream.getsockname()[1], socket.SOCK_DGRAM)
        except OSError as error:
            stream.close()
            raise await self._explain(error, "udp") from None

    async def _explain(self, error: OSError, protocol: str) -> Problem:
        where = f"{protocol} port {self.port} on {self.address}"
        if error.errno == errno.EADDRINUSE:
            holder = await asyncio.to_thread(describe_holder, self.address, self.port, protocol)
            return conflict(f"{where} is taken", f"{holder}; stop it or give the name server another port")
        return bad_request(f"{where} cannot be listened on", f"give an address of this machine; {error.strerror}")


async def _asked(query: QueryMessage, server: tuple[str, int]) -> Message:
    """The answer of another server, over TCP if it does not fit a datagram."""
    address, port = server
    question = messages.onward(query)
    answer, _ = await dns.asyncquery.udp_with_fallback(
        question, address, _FORWARD_SECONDS, port, ignore_unexpected=True
    )
    return answer
