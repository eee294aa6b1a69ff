"""A created resource is found again by its Location, on the consumer's side of two platforms and a border."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from hanse.assembly.producers import Producer
from hanse.elements.mep.sharing.consumption import _here
from hanse.kit.contract.call import first_call, serving
from hanse.kit.contract.declare import Stream
from hanse.kit.contract.exchange import relocated


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


@pytest.mark.parametrize(
    ("base", "rest", "location", "told"),
    [
        ("http://127.0.0.9:8080/v1", "jobs", "/v1/jobs/7", "jobs/7"),
        ("http://127.0.0.9:8080/v1", "jobs/", "7", "jobs/7"),
        ("http://127.0.0.9:8080", "jobs", "/jobs/7", "jobs/7"),
        ("http://127.0.0.9:8080/v1", "jobs", "/internal/7", ""),
        ("http://127.0.0.9:8080/v1", "jobs", "../../etc", ""),
    ],
)
def test_a_location_is_told_below_the_service_and_never_beside_it(
    base: str, rest: str, location: str, told: str
) -> None:
    producer = Producer(base, lambda _host, _port: False)
    assert producer._below(rest, location) == told


@pytest.mark.parametrize("location", ["/mec_app_support/v2", "../../other", "a/../../b"])
def test_a_partner_cannot_lead_an_app_out_of_the_service(location: str) -> None:
    assert _here("s-1", location) == ""


def test_the_consumer_follows_a_location_through_its_own_platform() -> None:
    answer = Stream(_nothing(), status=201, headers=(("location", "jobs/7"), ("etag", '"1"')))
    told = relocated(answer, lambda location: _here("s-1", location))
    assert told.headers == (("location", "/mec_remote_services/v1/services/s-1/jobs/7"), ("etag", '"1"'))


def test_a_location_leads_below_the_prefix_by_which_the_platform_was_reached() -> None:
    with serving(replace(first_call(), base="/sandbox/mep/mec_remote_services/v1")):
        assert _here("s-1", "jobs/7") == "/sandbox/mep/mec_remote_services/v1/services/s-1/jobs/7"


def test_a_location_that_leads_elsewhere_is_left_out() -> None:
    answer = Stream(_nothing(), status=201, headers=(("location", "x"),))
    assert relocated(answer, lambda _location: "").headers == ()
