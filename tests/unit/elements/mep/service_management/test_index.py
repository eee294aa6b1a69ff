"""The index answers as a scan over all services would, and never with what was true before a change."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as some

from hanse.elements.mep.service_management import domain
from hanse.elements.mep.service_management.index import ServiceIndex
from hanse.kit.values import ABSENT
from hanse.model.descriptor.services import CategoryRef
from hanse.refpoints.mp1.services import LocalityType, ServiceInfo, ServiceQuery, ServiceState

IDS, NAMES, CATEGORIES = "123456", "ab", "xy"
SCOPES = (LocalityType.MEC_HOST, LocalityType.MEC_SYSTEM, LocalityType.ZONE)


def service(identifier: str, name: str, state: ServiceState = ServiceState.ACTIVE, **more: Any) -> ServiceInfo:
    return ServiceInfo(ser_instance_id=identifier, ser_name=name, version="1", state=state, serializer="JSON", **more)


def category(identifier: str) -> CategoryRef:
    return CategoryRef(href="https://example.com/c", id=identifier, name=identifier, version="1")


SERVICES = some.builds(
    service,
    some.sampled_from(IDS),
    some.sampled_from(NAMES),
    some.sampled_from(ServiceState),
    ser_category=some.one_of(some.just(ABSENT), some.sampled_from(CATEGORIES).map(category)),
    scope_of_locality=some.sampled_from(SCOPES),
    consumed_local_only=some.booleans(),
    is_local=some.one_of(some.just(ABSENT), some.booleans()),
)
PUTS = some.tuples(SERVICES, some.integers(0, 2))
CHANGES = some.lists(some.one_of(PUTS, some.sampled_from(IDS)), max_size=25)
NAMING: Any = some.one_of(
    some.just({}),
    some.lists(some.sampled_from(NAMES), min_size=1, max_size=3).map(lambda names: {"ser_name": tuple(names)}),
    some.lists(some.sampled_from(IDS), min_size=1, max_size=3).map(lambda ids: {"ser_instance_id": tuple(ids)}),
    some.sampled_from(CATEGORIES).map(lambda identifier: {"ser_category_id": identifier}),
)
NARROWING: Any = some.fixed_dictionaries(
    {},
    optional={
        "scope_of_locality": some.sampled_from(SCOPES),
        "consumed_local_only": some.booleans(),
        "is_local": some.booleans(),
    },
)
QUERIES = some.tuples(NAMING, NARROWING).map(lambda both: ServiceQuery(**both[0], **both[1]))

Known = dict[str, tuple[ServiceInfo, int]]


def changed(index: ServiceIndex, known: Known, change: tuple[ServiceInfo, int] | str) -> None:
    """Do it to both; a service does not move to another host."""
    if isinstance(change, str):
        index.remove(change)
        known.pop(change, None)
        return
    wanted, rank = change
    identifier = str(wanted.ser_instance_id)
    rank = known[identifier][1] if identifier in known else rank
    index.put(wanted, rank)
    known[identifier] = wanted, rank


def scanned(known: Known, query: ServiceQuery) -> Known:
    """What a scan over all services finds."""
    return {
        identifier: (found, rank)
        for identifier, (found, rank) in known.items()
        if found.state is not ServiceState.SUSPENDED and domain.matches(found, query)
    }


@settings(max_examples=400, deadline=None, derandomize=True)
@given(changes=CHANGES, queries=some.lists(QUERIES, min_size=1, max_size=4))
def test_after_any_changes_any_query_is_answered_as_a_scan_would(changes: list[Any], queries: list[Any]) -> None:
    index, known = ServiceIndex(), Known()
    for change in changes:
        changed(index, known, change)
        for query in queries:
            answer, wanted = index.answer(query), scanned(known, query)
            assert {str(s.ser_instance_id): s for s in answer} == {i: s for i, (s, _) in wanted.items()}
            assert len(answer) == len(wanted)
            ranks = [wanted[str(s.ser_instance_id)][1] for s in answer]
            assert ranks == sorted(ranks)
            assert answer.json == msgspec.json.encode(list(answer))
    assert {identifier: index.find(identifier) for identifier in known} == {i: s for i, (s, _) in known.items()}


@settings(max_examples=100, deadline=None, derandomize=True)
@given(changes=CHANGES)
def test_nothing_is_kept_of_services_that_are_gone(changes: list[Any]) -> None:
    index, known = ServiceIndex(), Known()
    for change in changes:
        changed(index, known, change)
    for identifier in list(known):
        index.remove(identifier)
    assert index._known == {}
    assert index._shelves == {}


def test_a_service_that_changes_keeps_its_place_so_that_pages_neither_repeat_nor_miss_any() -> None:
    index, query = ServiceIndex(), ServiceQuery(ser_name=("a",))
    for identifier in IDS:
        index.put(service(identifier, "a"))
    before = [s.ser_instance_id for s in index.answer(query)]
    index.put(service("2", "a", ServiceState.INACTIVE))
    assert [s.ser_instance_id for s in index.answer(query)] == before
    assert index.answer(query)[1].state is ServiceState.INACTIVE


def test_who_reads_pages_has_a_service_where_it_first_came_whatever_changes_of_it() -> None:
    index, query = ServiceIndex(), ServiceQuery()
    index.put(service("far", "a"), 2)
    for identifier in "zya":
        index.put(service(identifier, "a"))
    index.put(service("z", "a", scope_of_locality=LocalityType.ZONE))
    index.put(service("y", "a", ServiceState.SUSPENDED))
    index.put(service("y", "b", consumed_local_only=False))
    answer = index.answer(query)
    assert answer.place is not None
    assert [s.ser_instance_id for s in sorted(answer, key=answer.place)] == ["z", "y", "a", "far"]
    index.remove("z")
    assert len(sorted(answer, key=answer.place)) == 4, "what went since is of no account"
    index.put(service("z", "a"))
    now = index.answer(query)
    assert now.place is not None
    assert [s.ser_instance_id for s in sorted(now, key=now.place)] == ["y", "a", "z", "far"]


def test_a_suspended_service_is_not_discoverable_but_there() -> None:
    index = ServiceIndex()
    index.put(service("1", "a"))
    index.put(service("1", "a", ServiceState.SUSPENDED))
    assert index.answer(ServiceQuery()) == []
    assert index.answer(ServiceQuery()).json == b"[]"
    known = index.find("1")
    assert known is not None
    assert known.state is ServiceState.SUSPENDED


def test_managers_and_neighbours_hear_of_changes_of_this_host_only() -> None:
    told: list[str] = []
    index = ServiceIndex(lambda: told.append("changed"))
    index.put(service("1", "a"))
    index.put(service("2", "a"), 1)
    index.remove("2")
    index.remove("nobody")
    assert len(told) == 1
    index.remove("1")
    assert len(told) == 2
