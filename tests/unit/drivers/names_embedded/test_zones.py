"""A name that a rule published is answered, a name that is none is told apart from a name without that address."""

from __future__ import annotations

import dns.name
import pytest
from dns.rcode import Rcode
from dns.rdatatype import RdataType

from hanse.drivers.names_embedded import answers
from hanse.drivers.names_embedded.answers import Answer
from hanse.drivers.names_embedded.clients import device
from hanse.drivers.names_embedded.zones import Zones
from hanse.kit.problems import Problem
from hanse.refpoints.mp2 import NameRecord


def record(name: str, record_id: str = "r", address: str = "127.3.0.7", ttl: int = 30) -> NameRecord:
    return NameRecord(record_id=record_id, owner="a", name=name, address=address, ttl=ttl)


def alias(name: str, canonical: str, record_id: str = "r") -> NameRecord:
    return NameRecord(record_id=record_id, owner="a", name=name, canonical=canonical)


def find(zones: Zones, name: str, kind: RdataType = RdataType.A) -> Answer | None:
    return answers.find(zones, dns.name.from_text(name), kind, device("127.3.0.1"))


def code(zones: Zones, name: str) -> Rcode | None:
    answer = find(zones, name)
    return answer.code if answer else None


def test_inside_a_zone_a_missing_name_is_missing_and_outside_it_is_not_ours() -> None:
    zones = Zones(["mec.example"])
    assert code(zones, "no.mec.example") is Rcode.NXDOMAIN
    assert code(zones, "mec.example") is Rcode.NOERROR
    assert code(zones, "mec.example.org") is None
    assert code(zones, "example") is None


def test_a_name_above_a_record_exists_as_long_as_the_record_does() -> None:
    zones = Zones(["mec.example"])
    zones.put(record("a.b.mec.example", "1"))
    zones.put(record("c.b.mec.example", "2"))
    zones.remove("1")
    assert code(zones, "b.mec.example") is Rcode.NOERROR
    zones.remove("2")
    assert code(zones, "b.mec.example") is Rcode.NXDOMAIN


def test_a_name_outside_all_zones_is_ours_only_while_it_is_published() -> None:
    zones = Zones()
    zones.put(record("video.example"))
    assert code(zones, "VIDEO.example.") is Rcode.NOERROR
    assert code(zones, "www.video.example") is None
    zones.remove("r")
    assert code(zones, "video.example") is None


def test_a_moved_record_leaves_nothing_at_its_old_name() -> None:
    zones = Zones(["mec.example"])
    zones.put(record("old.mec.example"))
    zones.put(record("new.mec.example"))
    assert code(zones, "old.mec.example") is Rcode.NXDOMAIN
    assert [r.name for r in zones.records()] == ["new.mec.example"]


def test_a_shared_name_is_remembered_no_longer_than_its_shortest_record() -> None:
    zones = Zones(["mec.example"])
    zones.put(record("v.mec.example", "1", ttl=60))
    zones.put(record("v.mec.example", "2", "127.3.0.8", ttl=5))
    answer = find(zones, "v.mec.example")
    assert answer
    assert (answer.records[0].ttl, len(answer.records[0])) == (5, 2)


def test_the_serial_of_a_zone_grows_with_each_change() -> None:
    zones = Zones(["mec.example"])

    def serial() -> int:
        answer = find(zones, "mec.example", RdataType.SOA)
        assert answer
        return int(answer.records[-1][0].serial)

    first = serial()
    zones.put(record("v.mec.example"))
    second = serial()
    zones.remove("r")
    assert first < second < serial()


@pytest.mark.parametrize(
    ("wrong", "title"),
    [
        (record("a..b"), "name is not a domain name"),
        (record("x" * 64 + ".example"), "name is not a domain name"),
        (record("*.mec.example"), "name is not a full domain name"),
        (record(""), "name is not a full domain name"),
        (record("bücher.example"), "name is not ASCII"),
        (record("ns.mec.example"), "name is the name server's own"),
        (record("NS.MEC.example."), "name is the name server's own"),
        (alias("mec.example", "www.example.org"), "canonical is not possible here"),
        (alias("v.mec.example", "a..b"), "canonical is not a domain name"),
        (record("v.mec.example", address="127.3.0"), "address is not an IP address"),
        (record("v.mec.example", address="fe80::1%eth0"), "address is not an IP address"),
        (record(f"{'x.' * 127}example"), "name is not a domain name"),
        (record("v.mec.example", ttl=-1), "ttl is out of range"),
        (record("v.mec.example", ttl=2**31), "ttl is out of range"),
    ],
)
def test_a_record_that_cannot_be_answered_is_refused_and_replaces_nothing(wrong: NameRecord, title: str) -> None:
    zones = Zones(["mec.example"])
    zones.put(record("good.mec.example"))
    with pytest.raises(Problem) as refused:
        zones.put(wrong)
    assert (refused.value.status, refused.value.title) == (400, title)
    assert zones.records() == [record("good.mec.example")]


def test_a_zone_tells_who_serves_it_and_where_so_that_others_may_delegate_to_it() -> None:
    zones = Zones(["mec.example"], address="192.0.2.53")
    zones.put(record("mec.example"))
    answer = find(zones, "MEC.example", RdataType.NS)
    assert answer
    assert [r.to_text() for r in answer.records] == ["MEC.example. 300 IN NS ns.mec.example."]
    assert [r.to_text() for r in answer.additional] == ["ns.mec.example. 300 IN A 192.0.2.53"]
    server = find(zones, "ns.mec.example")
    assert server
    assert server.records == answer.additional
    soa = find(zones, "mec.example", RdataType.SOA)
    assert soa
    assert soa.records[0][0].to_text().startswith("ns.mec.example. hostmaster.mec.example. ")
    zones.replace("a", [])
    assert code(zones, "ns.mec.example") is Rcode.NOERROR
    assert zones.records() == []


def test_a_name_that_is_only_lent_has_no_server_below_it_that_would_hide_one_of_the_world() -> None:
    zones = Zones(["mec.example"])
    zones.put(record("www.example.org"))
    assert code(zones, "ns.www.example.org") is None
    answer = find(zones, "www.example.org", RdataType.NS)
    assert answer
    assert (answer.code, answer.records, len(answer.authority)) == (Rcode.NOERROR, (), 1)


def test_any_of_a_zone_without_address_is_its_soa_and_never_nothing() -> None:
    answer = find(Zones(["mec.example"]), "mec.example", RdataType.ANY)
    assert answer
    assert [r.rdtype for r in answer.records] == [RdataType.SOA]


@pytest.mark.parametrize("length", [1, 2, 5])
def test_names_that_stand_for_each_other_in_a_circle_are_told_once_each(length: int) -> None:
    zones = Zones(["mec.example"])
    for n in range(length):
        zones.put(alias(f"c{n}.mec.example", f"c{(n + 1) % length}.mec.example", str(n)))
    answer = find(zones, "c0.mec.example")
    assert answer
    assert [str(r.name) for r in answer.records] == [f"c{n}.mec.example." for n in range(length)]
    assert (answer.code, answer.alias) == (Rcode.NOERROR, None)


def test_a_chain_of_names_is_followed_to_its_end_and_what_is_too_long_asks_nobody_else() -> None:
    zones = Zones(["mec.example"])
    for n in range(20):
        zones.put(alias(f"c{n}.mec.example", f"c{n + 1}.mec.example", str(n)))
    zones.put(record("c20.mec.example", "end"))
    whole, part = find(zones, "c12.mec.example"), find(zones, "c0.mec.example")
    assert whole
    assert part
    assert (len(whole.records), whole.records[-1][0].to_text()) == (9, "127.3.0.7")
    assert (len(part.records), part.alias) == (9, None)


def test_a_zone_whose_name_leaves_no_room_for_its_server_is_refused() -> None:
    with pytest.raises(Problem, match="zone is too long"):
        Zones([".".join(["x" * 61] * 4)])
