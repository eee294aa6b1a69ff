"""The index answers as a scan over all services would, and never with what was true before a change."""

from __future__ import annotations

import random

import msgspec

from hanse.elements.mep import domain
from hanse.elements.mep.index import ServiceIndex
from hanse.refpoints.mp1.services import ServiceInfo, ServiceQuery, ServiceState


def service(identifier: str, name: str, state: ServiceState = ServiceState.ACTIVE) -> ServiceInfo:
    return ServiceInfo(ser_instance_id=identifier, ser_name=name, version="1", state=state, serializer="JSON")


def answer(index: ServiceIndex, query: ServiceQuery) -> list[ServiceInfo]:
    return list(index.of_name(query) or [s for s in index.candidates(query) if domain.matches(s, query)])


def test_a_changed_service_is_told_as_it_is_now() -> None:
    index, query = ServiceIndex(), ServiceQuery(ser_name=("a",))
    index.put(service("1", "a"))
    assert answer(index, query) == [service("1", "a")]
    index.put(service("1", "a", ServiceState.INACTIVE))
    assert answer(index, query) == [service("1", "a", ServiceState.INACTIVE)]
    index.put(service("2", "a"))
    assert len(answer(index, query)) == 2
    index.put(service("1", "b"))
    assert answer(index, query) == [service("2", "a")]
    index.remove("2")
    assert answer(index, query) == []


def test_what_was_encoded_beforehand_is_what_would_be_encoded_now() -> None:
    index = ServiceIndex()
    for number in range(5):
        index.put(service(str(number), "a"))
    prepared = index.of_name(ServiceQuery(ser_name=("a",)))
    assert prepared is not None
    assert prepared.json == msgspec.json.encode(list(prepared))


def test_a_suspended_service_is_not_discoverable() -> None:
    index = ServiceIndex()
    index.put(service("1", "a", ServiceState.SUSPENDED))
    assert not index.of_name(ServiceQuery(ser_name=("a",)))
    assert list(index.candidates(ServiceQuery())) == []
    assert index.find("1") is not None


def test_a_narrower_query_is_not_answered_with_all_of_a_name() -> None:
    index = ServiceIndex()
    index.put(service("1", "a"))
    assert index.of_name(ServiceQuery(ser_name=("a",), consumed_local_only=False)) is None
    assert index.of_name(ServiceQuery(ser_name=("a", "b"))) is None


def test_after_any_changes_the_index_answers_as_a_scan_would() -> None:
    rng, index, known = random.Random(5), ServiceIndex(), dict[str, ServiceInfo]()
    for _ in range(2000):
        identifier, name = str(rng.randrange(30)), rng.choice("abcd")
        if rng.random() < 0.3:
            index.remove(identifier)
            known.pop(identifier, None)
        else:
            known[identifier] = service(identifier, name, rng.choice(list(ServiceState)))
            index.put(known[identifier])
        wanted = {i for i, s in known.items() if s.ser_name == name and s.state is not ServiceState.SUSPENDED}
        assert {str(s.ser_instance_id) for s in answer(index, ServiceQuery(ser_name=(name,)))} == wanted
