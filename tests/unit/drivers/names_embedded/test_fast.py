"""The short way answers as the judge says, at once after a change, and within its bounds."""

from __future__ import annotations

import struct

import dns.message
import pytest

from benchmarks.dns_judge import judge
from benchmarks.dns_queries import opt, question, subnet
from hanse.drivers.names_embedded.fast import FastAnswers
from hanse.drivers.names_embedded.zones import Zones
from hanse.refpoints.mp2 import NameRecord


class Server:
    """Zones and the short way, as the driver joins them."""

    def __init__(self, most: int = 1000) -> None:
        self.zones = Zones(["mec.example"], lambda name: self.fast.forget(name))
        self.fast = FastAnswers(self.zones, most)

    def publish(self, address: str, *clients: str, record_id: str = "r", name: str = "v.mec.example") -> None:
        record = NameRecord(record_id=record_id, owner="a", name=name, address=address, clients=clients)
        self.zones.put(record)

    def ask(self, client: str = "127.9.0.1", extra: bytes = b"", name: bytes = b"v.mec.example") -> list[str] | None:
        wire = struct.pack("!6H", 77, 0x0100, 1, 0, 0, bool(extra)) + question(name, 1) + extra
        answer = self.fast.answer(wire, client)
        if answer is None:
            return None
        return [rdata.to_text() for rrset in dns.message.from_wire(answer).answer for rdata in rrset]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_fifty_thousand_queries_get_the_answer_that_the_judge_works_out() -> None:
    count, short = judge(50_000)
    assert short > count / 5, "the short way must have been judged too"


def test_a_changed_record_is_answered_at_once_to_those_who_asked_before() -> None:
    server = Server()
    server.publish("127.3.0.1")
    assert [server.ask(), server.ask()] == [["127.3.0.1"]] * 2
    server.publish("127.3.0.2")
    assert server.ask() == ["127.3.0.2"]
    server.zones.remove("r")
    assert server.ask() == []


def test_a_record_for_one_device_changes_what_that_device_hears_and_nobody_else() -> None:
    server = Server()
    server.publish("127.3.0.1")
    assert [server.ask("127.9.0.1"), server.ask("127.9.0.2")] == [["127.3.0.1"]] * 2
    server.publish("127.3.0.2", "127.9.0.2", record_id="mine")
    for _ in range(2):
        assert [server.ask("127.9.0.1"), server.ask("127.9.0.2")] == [["127.3.0.1"], ["127.3.0.2"]]


def test_the_subnet_in_the_query_counts_and_not_who_asks_for_it() -> None:
    server = Server()
    server.publish("127.3.0.1", "10.1.0.0/16")
    server.publish("127.3.0.2", "10.2.0.0/16", record_id="s")
    for _ in range(2):
        assert server.ask(extra=opt(subnet(1, 24, b"\x0a\x01\x07"))) == ["127.3.0.1"]
        assert server.ask(extra=opt(subnet(1, 24, b"\x0a\x02\x07"))) == ["127.3.0.2"]
        assert server.ask("10.2.0.9", extra=opt(subnet(1, 0, b""))) == ["127.3.0.2"]
        assert server.ask("10.1.0.9", extra=opt(subnet(1, 0, b""))) == ["127.3.0.1"]


def test_each_asker_gets_its_own_identifier_and_spelling_from_the_ready_answer() -> None:
    server = Server()
    server.publish("127.3.0.1")
    for identifier, name in ((1, b"v.mec.example"), (2, b"v.mec.example"), (3, b"V.mEc.example")):
        wire = struct.pack("!6H", identifier, 0, 1, 0, 0, 0) + question(name, 1)
        answer = server.fast.answer(wire, "127.9.0.1")
        assert answer
        assert (answer[:2], answer[12 : len(wire)]) == (wire[:2], wire[12:])
    assert server.fast.made == 2


def test_names_that_do_not_exist_push_no_ready_answer_out() -> None:
    server = Server(most=10)
    server.publish("127.3.0.1")
    server.ask()
    for number in range(50):
        assert server.ask(name=b"none%d.mec.example" % number) == []
    made = server.fast.made
    assert server.ask() == ["127.3.0.1"]
    assert server.fast.made == made


def test_more_ready_answers_than_there_is_room_for_are_made_anew_and_stay_right() -> None:
    server = Server(most=10)
    for number in range(30):
        server.publish(f"127.3.0.{number}", record_id=str(number), name=f"v{number}.mec.example")
    for number in [*range(30), *range(30)]:
        assert server.ask(name=b"v%d.mec.example" % number) == [f"127.3.0.{number}"]


def test_a_name_lent_to_some_devices_is_left_to_the_world_for_others() -> None:
    server = Server()
    server.publish("127.3.0.1", "127.9.0.1", name="www.example.org")
    assert server.ask("127.9.0.1", name=b"www.example.org") == ["127.3.0.1"]
    assert server.ask("127.9.0.2", name=b"www.example.org") is None
