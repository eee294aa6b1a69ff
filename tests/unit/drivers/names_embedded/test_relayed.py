"""Names of others are told as they are, and names of ours as ours, whichever leads to which."""

from __future__ import annotations

import dns.edns
import dns.flags
import dns.message
import dns.name
import pytest
from dns.message import QueryMessage
from dns.rcode import Rcode
from dns.rdatatype import RdataType

from benchmarks.dns_queries import opt, question, subnet
from hanse.drivers.names_embedded import EmbeddedNames
from hanse.refpoints.mp2 import NameRecord
from tests.unit.drivers.names_embedded.upstream import Upstream, answer, ask, near, texts, told

NAME = dns.name.from_text("www.far.example")


async def test_a_name_of_others_comes_back_in_the_case_that_it_was_asked_in(upstream: Upstream) -> None:
    upstream.reply = told
    names = near(upstream.address)
    for asked in ("wWw.FaR.example.", "www.far.EXAMPLE.", "WWW.FAR.EXAMPLE."):
        reply = await ask(names, dns.message.make_query(asked, "A"))
        assert (reply.question[0].name.to_text(), reply.answer[0].name.to_text()) == (asked, asked)


async def test_nothing_of_a_device_is_told_to_others(upstream: Upstream) -> None:
    upstream.reply = told
    wire = b"\0\7\1\0\0\1\0\0\0\0\0\1" + question(b"www.far.example", 1) + opt(subnet(1, 24, b"\x0a\1\2"))
    reply = await ask(near(upstream.address), wire)
    [option] = reply.options
    assert isinstance(option, dns.edns.ECSOption)
    assert (option.address, option.srclen, option.scopelen) == ("10.1.2.0", 24, 0)
    [sent] = upstream.queries
    assert (sent.options, sent.edns) == ((), 0)


async def test_the_answer_of_others_to_a_name_that_some_devices_get_from_us_is_good_for_the_asker_alone(
    upstream: Upstream,
) -> None:
    upstream.reply = told
    names = near(upstream.address)
    ours = NameRecord(record_id="r", owner="a", name=str(NAME), address="127.3.0.9", clients=("10.1.0.0/16",))
    names.put(ours)
    head = b"\0\7\1\0\0\1\0\0\0\0\0\1" + question(b"www.far.example", 1)
    for octets, address, scope in ((b"\x0a\1\2", "127.3.0.9", 16), (b"\x0a\2\2", "127.3.0.1", 15)):
        reply = await ask(names, head + opt(subnet(1, 24, octets)))
        [option] = reply.options
        assert isinstance(option, dns.edns.ECSOption)
        assert (texts(reply), option.scopelen >= scope) == ([address], True)


async def test_nobody_hears_that_it_may_remember_longer_than_the_bounds(upstream: Upstream) -> None:
    names = near(upstream.address)
    upstream.reply = lambda query: [answer(query, f"{query.question[0].name} 999999 A 127.3.0.1").to_wire()]
    assert (await ask(names, dns.message.make_query(NAME, "A"))).answer[0].ttl == 86400
    soa = "far.example. 9000 SOA a. b. 1 2 3 4 20"
    upstream.reply = lambda query: [answer(query, code=Rcode.NXDOMAIN, authority=soa).to_wire()]
    reply = await ask(names, dns.message.make_query("none.far.example", "A"))
    assert (reply.rcode(), reply.authority[0].ttl) == (Rcode.NXDOMAIN, 20)


async def test_a_name_of_others_that_stands_for_one_of_ours_leads_where_ours_leads(upstream: Upstream) -> None:
    def alias(query: QueryMessage) -> list[bytes]:
        owner = query.question[0].name
        return [answer(query, f"{owner} 60 CNAME v.mec.example.", "v.mec.example. 60 A 127.6.6.6").to_wire()]

    upstream.reply = alias
    names = near(upstream.address)
    names.put(NameRecord(record_id="r", owner="a", name="v.mec.example", address="127.3.0.1", clients=("127.9.0.1",)))
    for _ in range(2):
        reply = await ask(names, dns.message.make_query(NAME, "A"))
        assert texts(reply) == ["v.mec.example.", "127.3.0.1"]
        assert not reply.flags & dns.flags.AA
    other = await ask(names, dns.message.make_query(NAME, "A"), "127.9.0.2")
    assert (texts(other), [each.rdtype for each in other.authority]) == (["v.mec.example."], [RdataType.SOA])
    names.put(NameRecord(record_id="s", owner="a", name="w.mec.example", canonical=str(NAME)))
    assert texts(await ask(names, dns.message.make_query("w.mec.example", "A")))[-1] == "127.3.0.1"
    assert len(upstream.queries) == 1


async def test_names_of_ours_and_of_others_that_stand_for_each_other_end_in_a_failure(upstream: Upstream) -> None:
    upstream.reply = lambda query: [answer(query, f"{query.question[0].name} 60 CNAME v.mec.example.").to_wire()]
    names = near(upstream.address)
    names.put(NameRecord(record_id="r", owner="a", name="v.mec.example", canonical=str(NAME)))
    for name in ("v.mec.example", NAME):
        assert (await ask(names, dns.message.make_query(name, "A"))).rcode() == Rcode.SERVFAIL
    assert len(upstream.queries) == 2


@pytest.mark.parametrize("kind", ["A", "SOA", "TYPE1000"], ids=["short way", "complete way", "unknown type"])
async def test_a_server_that_asks_others_says_so_in_every_answer(upstream: Upstream, kind: str) -> None:
    for forward, available in (((), 0), ((upstream.address,), dns.flags.RA)):
        names = near(*forward)
        for name in ("mec.example", "none.mec.example"):
            reply = await ask(names, dns.message.make_query(name, kind))
            assert reply.flags & dns.flags.RA == available


async def test_an_alias_to_a_name_of_others_is_answered_whole_and_remembered(upstream: Upstream) -> None:
    upstream.reply = lambda query: [answer(query, f"{query.question[0].name} 60 A 127.3.0.1").to_wire()]
    names = EmbeddedNames("127.0.0.1", 0, zones=("mec.example",), forward=[upstream.address])
    names.put(NameRecord(record_id="r", owner="a", name="v.mec.example", canonical="www.far.example"))
    for _ in range(2):
        later = names.reply(dns.message.make_query("v.mec.example", "A").to_wire(), "127.9.0.1", True)
        assert later is not None
        wire = later if isinstance(later, bytes) else await later
        assert texts(dns.message.from_wire(wire)) == ["www.far.example.", "127.3.0.1"]
    assert len(upstream.senders) == 1


async def test_one_who_wants_no_recursion_is_not_told_what_others_asked(upstream: Upstream) -> None:
    names = EmbeddedNames("127.0.0.1", 0, forward=[upstream.address])
    query = dns.message.make_query(NAME, "A", flags=0)
    reply = names.reply(query.to_wire(), "127.9.0.1", True)
    assert isinstance(reply, bytes)
    assert dns.message.from_wire(reply).rcode() == Rcode.REFUSED
    assert upstream.senders == []
