"""A filter that an operator writes means those addresses and ports, or is refused with what would be right."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from hanse.kit.problems import Problem
from hanse.refpoints.mp2.ranges import address_range, port_range


def _has(text: str, address: str) -> bool:
    parsed = ip_address(address)
    return address_range(text, "srcAddress").has(parsed.version, int(parsed))


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("127.9.0.5", ["127.9.0.5"], ["127.9.0.4", "127.9.0.6", "::1"]),
        ("127.9.0.0/30", ["127.9.0.0", "127.9.0.3"], ["127.8.255.255", "127.9.0.4"]),
        ("127.9.0.1/30", ["127.9.0.0", "127.9.0.3"], ["127.9.0.4"]),
        ("127.9.0.5-127.9.0.7", ["127.9.0.5", "127.9.0.7"], ["127.9.0.4", "127.9.0.8"]),
        ("2001:db8::/32", ["2001:db8::1"], ["2001:db9::1", "127.9.0.5"]),
    ],
)
def test_exactly_the_written_addresses_are_meant(text: str, inside: list[str], outside: list[str]) -> None:
    assert all(_has(text, address) for address in inside)
    assert not any(_has(text, address) for address in outside)


@pytest.mark.parametrize(
    "text", ["", "host", "127.9.0.300", "127.9.0.9-127.9.0.5", "127.9.0.1-::1", "127.9.0.1/33", "127.9.0.1-", "1-2-3"]
)
def test_what_is_no_address_is_refused_by_the_name_of_its_field(text: str) -> None:
    with pytest.raises(Problem, match=r"400 srcAddress.*write 127\.9\.0\.5"):
        address_range(text, "srcAddress")


def test_ports_are_single_or_ranges() -> None:
    assert port_range("80", "dstPort").size == 1
    assert port_range("8000-8010", "dstPort").size == 11
    assert port_range("8000-8010", "dstPort").has(8010)
    assert not port_range("8000-8010", "dstPort").has(8011)


@pytest.mark.parametrize("text", ["", "http", "0", "65536", "90-80", "-80", "80-", "٨٠", "1" * 5000])
def test_what_is_no_port_is_refused_by_the_name_of_its_field(text: str) -> None:
    with pytest.raises(Problem, match=r"400 dstPort.*write 80 or 8000-8010"):
        port_range(text, "dstPort")
