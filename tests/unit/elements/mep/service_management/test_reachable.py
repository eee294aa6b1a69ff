"""An app cannot have the platform carry calls to where the app itself may not go, whatever it says of its service."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from hanse.elements.mep.records import ServiceRecord
from hanse.elements.mep.service_management.transports import PLATFORM_TRANSPORT, check_reachable, resolved
from hanse.kit.problems import Problem
from hanse.kit.receivers import Receivers
from hanse.kit.values import ABSENT
from hanse.refpoints.mp1.services import Address, EndPointInfo, LocalityType
from tests.unit.elements.mep.parts import URL, Bench, configuration, service, transport

OWN = "127.9.0.100"
REACH = Receivers(allowed=("192.0.2.7", "*.apps.example.com"), inside=frozenset({("127.9.0.1", 8443), (OWN, 10053)}))
URIS, ADDRESSES = "transportInfo.endpoint.uris", "transportInfo.endpoint.addresses"


def at(**endpoint: Any) -> ServiceRecord:
    """A service for all hosts at an endpoint."""
    told = replace(service("speech"), transport_info=replace(transport(), endpoint=EndPointInfo(**endpoint)))
    return ServiceRecord(service=told, app_instance_id="one")


@pytest.mark.parametrize(
    "endpoint",
    [
        {"uris": (f"http://{OWN}:8080/api",)},
        {"uris": (f"https://{OWN}/", "http://192.0.2.7/")},
        {"uris": ("http://one.apps.example.com/",)},
        {"uris": ("mqtt://127.9.0.1:1883",)},  # never carried
        {"addresses": (Address(host=OWN, port=1883), Address(host="192.0.2.7", port=1))},
        {"fqdn": ("anything.example",)},
        {"alternative": {"bus": "x"}},
    ],
)
def test_an_app_offers_what_it_has_itself_or_the_operator_allows(endpoint: dict[str, Any]) -> None:
    check_reachable(at(**endpoint), OWN, REACH)


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.9.0.1:8443/mm5/v1",
        "HTTP://127.9.0.1:8443/",
        "http://[::ffff:127.9.0.1]:8443/",
        f"http://{OWN}:10053/",
        "http://127.9.0.101:8080/",  # another app's
        "http://169.254.169.254/latest/meta-data",
        "http://localhost:8443/",
        "http://127.1:8443/",
        "http://2130706433/",
        "http://apps.example.com.evil.example/",
    ],
)
def test_a_service_for_other_hosts_is_nowhere_else(uri: str) -> None:
    for known in (at(uris=(uri,)), at(uris=(f"http://{OWN}/", uri))):
        with pytest.raises(Problem, match=URIS) as caught:
            check_reachable(known, OWN, REACH)
        assert caught.value.status == 403
        assert OWN in caught.value.detail


@pytest.mark.parametrize("uri", [f"http://user:x@{OWN}/", "http:///x", "http://[::1/", f"http://{OWN}\\@127.9.0.1/"])
def test_a_uri_that_may_be_read_in_two_ways_is_malformed(uri: str) -> None:
    with pytest.raises(Problem, match=URIS) as caught:
        check_reachable(at(uris=(uri,)), OWN, REACH)
    assert caught.value.status == 400


def test_addresses_are_looked_at_as_uris_are() -> None:
    with pytest.raises(Problem, match=ADDRESSES):
        check_reachable(at(addresses=(Address(host="127.9.0.1", port=8443),)), OWN, REACH)


def test_a_service_of_this_host_alone_may_be_anywhere_for_nothing_is_carried_to_it() -> None:
    record = at(uris=("https://backend.example/",))
    local = replace(record.service, scope_of_locality=LocalityType.MEC_HOST, consumed_local_only=True)
    check_reachable(replace(record, service=local), OWN, REACH)
    for wider in (replace(local, consumed_local_only=False), replace(local, scope_of_locality=LocalityType.MEC_SYSTEM)):
        with pytest.raises(Problem, match=URIS):
            check_reachable(replace(record, service=wider), OWN, REACH)


def test_a_service_with_the_platforms_own_transport_is_the_app_itself() -> None:
    chosen = replace(service("speech"), transport_info=ABSENT, transport_id=PLATFORM_TRANSPORT, ser_instance_id="s-1")
    told = replace(chosen, transport_info=resolved(URL, chosen, "s-1"))
    platform = Receivers(inside=frozenset({("127.9.0.1", 8443)}))
    check_reachable(ServiceRecord(service=told, app_instance_id="one", carried=True), OWN, platform)
    with pytest.raises(Problem, match=URIS):
        check_reachable(ServiceRecord(service=told, app_instance_id="one"), OWN, platform)


async def test_who_runs_the_platform_may_plant_a_service_that_is_elsewhere_and_an_app_may_not_register_it(
    bench: Bench,
) -> None:
    bench.platform.services._reach = Receivers()
    await bench.platform.configuration.configure("one", configuration("one", "speech"))
    elsewhere = at(uris=("https://backend.example/",)).service
    with pytest.raises(Problem, match=URIS):
        await bench.platform.services.register_service("one", elsewhere)
    await bench.platform.services.plant_service("one", elsewhere, "planted")
    planted = (await bench.platform.services.read_app_service("one", "planted")).value
    assert planted.transport_info == elsewhere.transport_info
    assert (await bench.platform.services.replace_service("one", "planted", planted)).value == planted
