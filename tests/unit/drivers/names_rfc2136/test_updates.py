"""An update makes a name what the records say, as a whole, and nothing that plain DNS cannot do is promised."""

from __future__ import annotations

from pathlib import Path

import dns.name
import pytest

from hanse.drivers.names_rfc2136 import Key, UpdatedNames, journal
from hanse.drivers.names_rfc2136.updates import MOST_BYTES, check, sets, updates
from hanse.kit.problems import Problem
from hanse.refpoints.mp2 import NameRecord

ZONE = dns.name.from_text("mec.example")
NAME = dns.name.from_text("v.mec.example")
KEY = Key("hanse", "c2VjcmV0")


def record(record_id: str = "r", address: str = "127.3.0.1", order: int = 0, ttl: int = 30) -> NameRecord:
    return NameRecord(record_id=record_id, owner="a", name="v.mec.example", address=address, order=order, ttl=ttl)


def test_one_update_takes_all_old_addresses_away_and_adds_the_new_so_that_nobody_sees_a_mixture() -> None:
    [message] = updates(ZONE, {NAME.to_text(): [record(), record("s", "2001:db8::1")]}, KEY.ring())
    lines = [line.split()[2:] for rrset in message.update for line in rrset.to_text().splitlines()]
    text = "\n".join(rrset.to_text() for rrset in message.update)
    assert [rrset.deleting is not None for rrset in message.update] == [True, True, True, False, False]
    assert "127.3.0.1" in text
    assert "2001:db8::1" in text
    assert lines


def test_a_new_name_is_updated_only_if_nobody_has_it() -> None:
    [message] = updates(ZONE, {NAME.to_text(): [record()], "w.mec.example.": []}, KEY.ring(), {NAME.to_text()})
    assert {(rrset.name, rrset.rdtype.name) for rrset in message.prerequisite} == {
        (NAME, kind) for kind in ("A", "AAAA", "CNAME")
    }


def test_ten_thousand_names_go_in_few_updates_that_each_have_room() -> None:
    wanted = {
        f"{'x' * 60}.n{n}.mec.example.": [record(str(k), f"127.3.{k}.1") for k in range(n % 4)] for n in range(10_000)
    }
    messages = list(updates(ZONE, wanted, KEY.ring()))
    assert {rrset.name.to_text() for message in messages for rrset in message.update} == wanted.keys()
    assert len(messages) < 150
    assert all(len(message.to_wire()) < MOST_BYTES for message in messages)
    assert list(updates(ZONE, {}, KEY.ring())) == []


def test_records_of_the_first_policy_are_published_and_the_shortest_time_to_live_counts() -> None:
    found = sets(NAME, [record("b", "127.3.0.2", 1, 60), record("a", "127.3.0.1", 1, 9), record("c", "127.3.0.3", 2)])
    assert [(s.ttl, [r.to_text() for r in s]) for s in found] == [(9, ["127.3.0.1", "127.3.0.2"])]


def test_a_name_with_an_address_has_no_alias_beside_it() -> None:
    alias = NameRecord(record_id="x", owner="a", name="v.mec.example", canonical="w.mec.example")
    assert [s.to_text() for s in sets(NAME, [alias])] == ["v.mec.example. 30 IN CNAME w.mec.example."]
    assert [s.to_text() for s in sets(NAME, [alias, record()])] == ["v.mec.example. 30 IN A 127.3.0.1"]
    assert sets(NAME, []) == []


@pytest.mark.parametrize(
    ("attributes", "title"),
    [
        ({"clients": ("10.0.0.0/8",), "address": "127.3.0.1"}, "clients is not supported"),
        ({"name": "www.elsewhere.example", "address": "127.3.0.1"}, "name is outside the zone"),
        ({"name": "mec.example", "address": "127.3.0.1"}, "name is outside the zone"),
        ({"name": "*.mec.example", "address": "127.3.0.1"}, "name is outside the zone"),
        ({"name": "a..b", "address": "127.3.0.1"}, "name is not a domain name"),
        ({"name": "bücher.mec.example", "address": "127.3.0.1"}, "name is not ASCII"),
        ({"address": "127.3.0"}, "address is not an IP address"),
        ({"address": "fe80::1%eth0"}, "address is not an IP address"),
        ({"address": "127.3.0.1", "canonical": "w.mec.example"}, "address or canonical"),
        ({}, "address or canonical"),
        ({"canonical": "."}, "canonical is not a full domain name"),
        ({"address": "127.3.0.1", "ttl": -1}, "ttl is out of range"),
    ],
)
def test_what_plain_dns_cannot_publish_is_refused_by_name(attributes: dict[str, object], title: str) -> None:
    plain: dict[str, object] = {"record_id": "r", "owner": "a", "name": "v.mec.example"}
    with pytest.raises(Problem) as refused:
        check(NameRecord(**{**plain, **attributes}), ZONE)  # type: ignore[arg-type]
    assert (refused.value.status, refused.value.title) == (400, title)


@pytest.mark.parametrize(
    "key", [Key("hanse", "no base64!"), Key("hanse", "c2VjcmV0", "rot13"), Key("a..b", "c2VjcmV0")]
)
def test_a_key_that_cannot_be_used_is_refused_before_anything_starts(key: Key, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="TSIG key cannot be read"):
        UpdatedNames("127.0.0.1", 53, "mec.example", key, tmp_path / "published.json")


def test_what_was_published_is_read_back_and_a_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "state" / "published.json"
    assert journal.load(path) == journal.Published()
    kept = journal.Published(records=[record()], names=["v.mec.example."])
    journal.save(path, kept)
    assert journal.load(path) == kept
    path.write_text("{")
    with pytest.raises(Problem, match=r"published\.json cannot be read"):
        journal.load(path)
