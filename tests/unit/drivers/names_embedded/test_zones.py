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
        (record("v.mec.example", address="127.3.0"), "address is not an IP address"),
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
