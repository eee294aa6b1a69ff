"""What neighbours announce is known as they last said it, and forgotten when they take it back."""

from __future__ import annotations

from msgspec.structs import replace

from hanse.elements.mep.records import NeighbourRecord
from hanse.elements.mep.steering.elsewhere import Elsewhere
from hanse.refpoints.mp2 import TrafficMatch
from tests.unit.elements.mep.steering.test_spots import shared

HERE = TrafficMatch(dst_address=("127.9.1.1",), dst_port=("80",))
THERE = TrafficMatch(dst_address=("127.9.1.2",))


def test_a_restarted_platform_knows_what_its_neighbours_announced_before() -> None:
    record = NeighbourRecord(host="airport", mark="m", services={}, rules=(shared("two", HERE),))
    known = Elsewhere([record], ours=lambda _: False)
    assert known.owners() == {"two"}
    assert known.package_of("two") == "theirs"
    assert [(instance.host, instance.rule) for instance in known.of_package("theirs")] == [("airport", record.rules[0])]
    assert list(known.met(HERE)) == list(record.rules)


def test_a_rule_that_moved_is_found_where_it_is_now_and_not_where_it_was() -> None:
    known = Elsewhere((), ours=lambda _: False)
    before, after = shared("two", HERE), shared("two", THERE)
    known.change("airport", (), [before])
    known.change("airport", [before], [after])
    assert list(known.met(HERE)) == []
    assert list(known.met(THERE)) == [after]
    assert [instance.rule for instance in known.of_package("theirs")] == [after]


def test_of_what_is_taken_back_nothing_stays_in_memory() -> None:
    known = Elsewhere((), ours=lambda _: False)
    rules = [shared("two", HERE, THERE), replace(shared("three", THERE), app_d_id="another")]
    known.change("airport", (), rules)
    known.change("airport", rules, ())
    assert (known.owners(), known.of_package("theirs"), known.package_of("three")) == (set(), [], "")
    assert [known._at, known._of_package, known._of_owner] == [{}, {}, {}]


def test_two_hosts_may_announce_the_same_rule_and_one_take_it_back() -> None:
    known = Elsewhere((), ours=lambda _: False)
    rule = shared("two", HERE)
    for host in ("airport", "station"):
        known.change(host, (), [rule])
    known.change("airport", [rule], ())
    assert [instance.host for instance in known.of_package("theirs")] == ["station"]


def test_rules_of_an_app_of_this_host_are_nobody_elses_to_announce() -> None:
    ours = {"two"}
    known = Elsewhere((), ours=ours.__contains__)
    known.change("airport", (), [shared("two", HERE)])
    assert (known.owners(), known.of_package("theirs"), known.package_of("two")) == (set(), [], "")
    assert list(known.met(HERE)) == []
    ours.clear()
    assert known.owners() == {"two"}
