"""An app goes where it may be and where there is room; a service is taken from the nearest platform."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hanse.elements.meo.domain import HostView, check_instantiate, nearest, place
from hanse.kit.problems import Problem
from hanse.kit.values import ABSENT
from hanse.model.place import Position
from hanse.refpoints.mm1.lifecycle import InstantiateAppRequest, LocationConstraints, MECHostInformation
from tests.unit.elements.meo.parts import offer, zone


def host(name: str, memory: int = 1000, cpu: int = 1000, **more: Any) -> HostView:
    plain = HostView(
        name=name, zone=zone(name, 54.0), country="DE", memory_free=memory, cpu_milli_free=cpu, workloads=0
    )
    return msgspec.structs.replace(plain, **more)


def square(south: float, west: float, size: float = 2.0) -> dict[str, Any]:
    north, east = south + size, west + size
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def inside(area: dict[str, Any]) -> LocationConstraints:
    return LocationConstraints(area=area)


def test_without_a_wish_the_host_with_most_room_left_is_taken() -> None:
    assert place([host("a", 10), host("b", 30), host("c", 20)], 5, 5, ABSENT) == "b"


def test_of_two_with_the_same_room_the_one_with_less_to_do() -> None:
    assert place([host("a"), host("b", workloads=1)], 5, 5, ABSENT) == "a"


def test_a_host_without_room_is_not_taken_however_good_it_is() -> None:
    assert place([host("a", 100, cpu=4), host("b", 50)], 50, 5, ABSENT) == "b"
    with pytest.raises(Problem, match="No host has room") as caught:
        place([host("a", 100), host("b", 50)], 101, 500, ABSENT)
    assert caught.value.status == 409
    assert "101 bytes and 0.5 cores" in caught.value.detail


def test_a_country_is_kept_to() -> None:
    view = [host("a", 100), host("b", 10, country="AT")]
    assert place(view, 5, 5, LocationConstraints(country_code="AT")) == "b"
    with pytest.raises(Problem, match="zone-a, zone-b") as caught:
        place(view, 5, 5, LocationConstraints(country_code="FR"))
    assert caught.value.title == "No host in that place"


def test_an_area_is_kept_to_even_if_there_is_more_room_outside() -> None:
    view = [host("a", 100, zone=zone("a", 48.0)), host("b", 10)]
    assert place(view, 5, 5, inside(square(53.0, 9.0))) == "b"
    assert place(view, 5, 5, inside(square(47.0, 9.0))) == "a"
    with pytest.raises(Problem, match="No host in that place"):
        place(view, 5, 5, inside(square(53.0, 12.0)))


def test_a_notch_in_an_area_is_outside_of_it() -> None:
    notched = [[9, 53], [11, 53], [11, 55], [10.5, 55], [10, 53.5], [9.5, 55], [9, 55], [9, 53]]
    with pytest.raises(Problem, match="No host in that place"):
        place([host("a")], 5, 5, inside({"type": "Polygon", "coordinates": [notched]}))


@pytest.mark.parametrize("where", [ABSENT, LocationConstraints(country_code="DE"), inside(square(53, 9))])
def test_a_sound_wish_passes(where: Any) -> None:
    check_instantiate(InstantiateAppRequest(location_constraints=where))


@pytest.mark.parametrize(
    ("request_", "title"),
    [
        (InstantiateAppRequest(selected_mec_host_info=(MECHostInformation(hostId={}),)), "selectedMECHostInfo"),
        (InstantiateAppRequest(virtual_compute_descriptor={}), "virtualComputeDescriptor not supported"),
        (InstantiateAppRequest(vim_connection_info={}), "vimConnectionInfo not supported"),
        (InstantiateAppRequest(location_constraints=LocationConstraints()), "Missing attribute countryCode"),
        (
            InstantiateAppRequest(location_constraints=LocationConstraints(civic_address_element=({},))),
            "civicAddressElement",
        ),
    ],
)
def test_what_is_not_done_is_refused_rather_than_ignored(request_: InstantiateAppRequest, title: str) -> None:
    with pytest.raises(Problem, match=title) as caught:
        check_instantiate(request_)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "area",
    [
        {},
        {"type": "Point", "coordinates": [1, 2]},
        {"type": "Polygon"},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[1, 2, 3]]},
        {"type": "Polygon", "coordinates": [[["a", "b"]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]},
    ],
)
def test_an_area_that_is_none_is_refused(area: dict[str, Any]) -> None:
    with pytest.raises(Problem, match="Invalid attribute area") as caught:
        check_instantiate(InstantiateAppRequest(location_constraints=inside(area)))
    assert caught.value.status == 400


def test_the_nearest_platform_serves_the_device() -> None:
    offers = [offer("far", 48.0), offer("near", 53.0), offer("farther", 10.0)]
    assert nearest(offers, Position(latitude=54.0, longitude=10.0)) == offers[1]
    assert nearest(offers, None) == offers[0]
    assert nearest([], None) is None
