"""Clients that were generated register their services, though they write ``null`` where they have nothing to say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hanse.kit.contract.decode import decode_body
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT, Absent, Value
from hanse.refpoints.mp1.services import SecurityInfo, ServiceInfo

TRANSPORT: dict[str, Any] = {"id": "t", "name": "REST", "type": "REST_HTTP", "protocol": "HTTP", "version": "2.0"}
TRANSPORT |= {"endpoint": {"uris": ["http://127.0.0.1:8080/"]}, "security": None}
SERVICE = {"serName": "demo", "version": "1", "state": "ACTIVE", "serializer": "JSON", "transportInfo": TRANSPORT}


class Papers(Value):
    seal: str | Absent = ABSENT


class Barrel(Value):
    mark: str
    papers: Papers


class Cargo(Value):
    barrels: tuple[Barrel, ...] = ()
    papers: Papers | Absent = ABSENT
    notes: Any = None


def test_a_client_in_go_registers_a_service_without_security() -> None:
    """As clients do that were generated from ETSI's own description: what is left out of a pointer is null."""
    service = decode_body(json.dumps(SERVICE | {"_links": None}).encode(), ServiceInfo)
    assert service.transport_info.security == SecurityInfo()
    assert service.links is ABSENT


def test_nothing_is_nothing_however_deep_it_stands_and_what_is_not_ours_stays() -> None:
    sent = {"barrels": [{"mark": "a", "papers": None}, {"mark": "b", "papers": {"seal": "wax"}}], "notes": {"x": None}}
    cargo = decode_body(json.dumps(sent).encode(), Cargo)
    assert [barrel.papers for barrel in cargo.barrels] == [Papers(), Papers(seal="wax")]
    assert cargo.notes == {"x": None}


@pytest.mark.parametrize(
    ("sent", "title"),
    [
        ({"barrels": [{"mark": None, "papers": None}]}, "barrels[0].mark"),
        ({"barrels": [{"mark": "a"}]}, "barrels[0].papers"),
        ({"barrels": [None]}, "barrels[0]"),
        ({"barrels": None}, "barrels"),
        ({"papers": None}, "papers"),
        ({"barrels": [{"mark": "a", "papers": None}], "papers": 1}, "papers"),
    ],
)
def test_what_must_say_something_is_refused_by_its_name(sent: dict[str, Any], title: str) -> None:
    with pytest.raises(Problem) as caught:
        decode_body(json.dumps(sent).encode(), Cargo)
    assert caught.value.status == 400
    assert caught.value.title.endswith(f"attribute {title}")


def test_a_body_that_is_null_is_no_empty_one() -> None:
    for shape in (Papers, Cargo):
        with pytest.raises(Problem, match="Invalid body"):
            decode_body(b"null", shape)
