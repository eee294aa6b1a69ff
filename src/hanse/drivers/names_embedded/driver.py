"""The name server of a host, in its own process: it answers for its records, and asks another server for the rest."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Sequence

import dns.flags
from dns.message import Message
from dns.name import Name
from dns.rcode import Rcode
from dns.rdatatype import RdataType

from hanse.drivers.names_embedded import messages
from hanse.drivers.names_embedded.answers import Answer
from hanse.drivers.names_embedded.chains import Recall, Wanted, follow
from hanse.drivers.names_embedded.fast import MOST_READY, FastAnswers
from hanse.drivers.names_embedded.forwarding import Forwarder, Overloaded
from hanse.drivers.names_embedded.limits import RateLimit, Verdict
from hanse.drivers.names_embedded.listening import listen
from hanse.drivers.names_embedded.messages import Asked
from hanse.drivers.names_embedded.serving import DatagramService
from hanse.drivers.names_embedded.streams import StreamService
from hanse.drivers.names_embedded.zones import Zones
from hanse.kit.failpoints import effect
from hanse.kit.problems import bad_request
from hanse.refpoints.mp2 import NameRecord, NameRecords, NameServer, NameServerCapabilities, check_owned

MOST_SECONDS = 4.0
"""Seconds after which an answer that takes several questions to others is given up."""

MOST_OF_A_CLIENT = 64
"""Questions of one client that others are asked at a time: a quarter of all, so that others have theirs answered."""

_WHOLE = 65535


class EmbeddedNames(NameServer):
    """An authoritative DNS server on UDP and TCP (port 0 takes a free port; ``port`` tells which, once started).

    ``zones`` are answered for as a whole; a record outside them is a zone of its own. Every other name is asked of
    ``forward`` (addresses, ports; the next where one fails), or refused if there is none. ``admits`` says which
    client addresses are answered, ``rate`` how many answers by UDP an address gets each second (0: no limit), ``ready``
    how many answers are kept.
    """

    def __init__(
        self,
        address: str,
        port: int,
        zones: Iterable[str] = (),
        forward: Sequence[tuple[str, int]] = (),
        admits: Callable[[str], bool] | None = None,
        rate: int = 0,
        ready: int = MOST_READY,
    ) -> None:
        self.address, self.port = address, port
        self._zones = Zones(zones, lambda name: self.fast.forget(name), address)
        self.fast = FastAnswers(self._zones, ready, recursive=bool(forward))
        self._forwarder = Forwarder(forward) if forward else None
        self._admits = admits
        self._rate = RateLimit(rate)
        self._asking = Counter[str]()
        self._datagrams = DatagramService(self._limited if rate else self.reply)
        self._streams = StreamService(self.reply)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; 409 tells who holds the port, 400 that the address is not there."""
        stream, datagram = await listen(self.address, self.port)
        self.port = stream.getsockname()[1]
        self._server = await asyncio.start_server(self._streams.serve, sock=stream)
        self._datagrams.open(datagram)

    async def close(self) -> None:
        """Answer nobody any more; the records stay, for another `start`."""
        self._datagrams.close()
        if self._server:
            self._server.close()
            self._streams.close()
        if self._forwarder:
            self._forwarder.close()

    @effect("names.publish")
    async def publish(self, record_id: str, record: NameRecord) -> None:
        """Answer with this record from now on; 400 names what cannot be read, and leaves everything as it was."""
        if record.record_id != record_id:
            raise bad_request("recordId differs", f"the address says {record_id}, the body {record.record_id}")
        self.put(record)

    def put(self, record: NameRecord) -> None:
        """As `publish`, at once: between two queries, a name has the old records or the new ones."""
        self._zones.put(record)

    @effect("names.retract")
    async def retract(self, record_id: str) -> None:
        """Stop answering with it."""
        self._zones.remove(record_id)

    @effect("names.publish_all")
    async def publish_all(self, owner: str, records: NameRecords) -> None:
        """Between two queries, an owner has the old records or the new ones; 400 as for `publish`."""
        check_owned(owner, records)
        self._zones.replace(owner, records.records)

    async def capabilities(self) -> NameServerCapabilities:
        """It can do all."""
        return NameServerCapabilities(kind="embedded")

    async def records(self) -> list[NameRecord]:
        """All records in force."""
        return self._zones.records()

    async def records_of(self, owner: str) -> list[NameRecord]:
        """Those of one owner, at a cost that others' do not add to."""
        return self._zones.records_of(owner)

    def _limited(self, wire: bytes, client: str, udp: bool) -> bytes | Coroutine[None, None, bytes | None] | None:
        """As `reply`, within the rate; what is beyond it is not even worked out."""
        verdict = self._rate.judge(client)
        if verdict is Verdict.DROP:
            return None
        return messages.cut(wire) if verdict is Verdict.CUT else self.reply(wire, client, udp)

    def reply(self, wire: bytes, client: str, udp: bool) -> bytes | Coroutine[None, None, bytes] | None:
        """What is said to a message of a client: at once, later, or nothing."""
        if udp and (self._admits is None or self._admits(client)):
            ready = self.fast.answer(wire, client)
            if ready is not None:
                return ready
        asked = messages.read(wire)
        if asked is None or isinstance(asked, bytes):
            return asked
        if self._admits and not self._admits(client):
            return messages.error(wire, Rcode.REFUSED)
        most = asked.udp_limit() if udp else _WHOLE
        found = self._find(asked, client, self._recall(asked))
        return self._fetched(asked, client, most, found) if isinstance(found, Wanted) else self._say(asked, found, most)

    def _recall(self, asked: Asked) -> Recall | None:
        """Others are asked, and what they said is told, only for those who want that (RD)."""
        return self._forwarder.recall if self._forwarder and messages.recursion_desired(asked) else None

    def _find(self, asked: Asked, client: str, recall: Recall | None) -> Answer | Wanted:
        question = asked.query.question[0]
        return follow(self._zones, question.name, question.rdtype, asked.client(client), recall)

    def _say(self, asked: Asked, answer: Answer, most: int) -> bytes:
        return messages.render(messages.say(asked, answer, dns.flags.RA if self._forwarder else 0), most)

    async def _fetched(self, asked: Asked, client: str, most: int, found: Answer | Wanted) -> bytes:
        """Others are asked until there is an answer; SERVFAIL if that takes too long, or the client asks too much."""
        forwarder, kind, told = self._forwarder, asked.query.question[0].rdtype, dict[Name, Message]()
        assert forwarder is not None
        self._asking[client] += 1

        def recall(name: Name, kind: RdataType) -> Message | None:
            return told.get(name) or forwarder.recall(name, kind)

        try:
            if self._asking[client] > MOST_OF_A_CLIENT:
                raise Overloaded
            async with asyncio.timeout(MOST_SECONDS):
                while isinstance(found, Wanted):
                    told[found.name] = await forwarder.ask(found.name, kind)
                    found = self._find(asked, client, recall)
        except (TimeoutError, Overloaded):
            found = Answer(Rcode.SERVFAIL, ours=False)
        finally:
            self._asking[client] -= 1
            self._asking += Counter()  # only those who are asking now
        return self._say(asked, found, most)
