"""A device gets the host that the policy names for it, and a resolver learns for whom else the answer is good."""

from __future__ import annotations

import random

import pytest

from hanse.drivers.names_embedded.choices import Choices
from hanse.drivers.names_embedded.clients import NOBODY, Client, device, networks, subnet
from hanse.kit.problems import Problem
from hanse.refpoints.mp2 import NameRecord


def record(address: str, *clients: str, order: int = 0) -> NameRecord:
    return NameRecord(
        record_id=f"{address} {order}", owner="a", name="v.example", address=address, clients=clients, order=order
    )


def choices(*records: NameRecord) -> Choices:
    found = Choices()
    for each in records:
        found.put(each)
    return found


def given(found: Choices, client: str) -> list[str]:
    chosen = found.of(device(client))
    return chosen.addresses(1) if chosen else []


def test_a_device_is_led_by_its_own_record_before_that_of_its_network_and_that_of_all() -> None:
    found = choices(record("127.3.0.1"), record("127.3.0.2", "10.1.0.0/16"), record("127.3.0.3", "10.1.2.3"))
    assert given(found, "10.1.2.3") == ["127.3.0.3"]
    assert given(found, "10.1.2.4") == ["127.3.0.2"]
    assert given(found, "10.2.0.1") == ["127.3.0.1"]


def test_a_policy_of_lower_order_comes_before_a_closer_network() -> None:
    found = choices(record("127.3.0.1", "10.1.2.3", order=2), record("127.3.0.2", "10.0.0.0/8", order=1))
    assert given(found, "10.1.2.3") == ["127.3.0.2"]
    found.remove(record("127.3.0.2", "10.0.0.0/8", order=1))
    assert given(found, "10.1.2.3") == ["127.3.0.1"]


def test_a_policy_that_is_for_others_passes_a_device_on_to_the_next() -> None:
    found = choices(record("127.3.0.1", "10.1.0.0/16", order=0), record("127.3.0.9", order=5))
    assert given(found, "10.2.0.1") == ["127.3.0.9"]


def test_several_records_of_one_policy_are_given_together_in_the_order_of_their_ids() -> None:
    found = choices(record("127.3.0.2", "10.0.0.0/8"), record("127.3.0.1", "10.0.0.0/8", "11.0.0.0/8"))
    assert given(found, "10.9.9.9") == ["127.3.0.1", "127.3.0.2"]
    assert given(found, "11.9.9.9") == ["127.3.0.1"]


def test_nothing_is_left_of_records_that_were_taken_away() -> None:
    all_of_them = [record("127.3.0.1", "10.1.0.0/16", "2001:db8::/32"), record("127.3.0.2"), record("::1", order=3)]
    found = choices(*all_of_them)
    for each in all_of_them:
        found.remove(each)
    assert (bool(found), found.same_for_all, found.of(device("10.1.0.1"))) == (False, True, None)


def test_a_device_of_one_family_is_never_mistaken_for_one_of_the_other() -> None:
    found = choices(record("127.3.0.1", "::/0"))
    assert given(found, "10.1.0.1") == []
    assert given(found, "2001:db8::1") == ["127.3.0.1"]


@pytest.mark.parametrize("seed", range(20))
def test_an_answer_is_good_for_all_clients_within_its_scope(seed: int) -> None:
    chance = random.Random(seed)
    lengths = (4, 8, 12, 15, 16, 20, 24, 32)
    found = choices(
        *(
            record(f"127.3.0.{n}", str_network(chance, chance.choice(lengths)), order=chance.randrange(2))
            for n in range(12)
        )
    )
    for _ in range(200):
        known = chance.choice((0, 8, 16, 24, 32))
        client = Client(32, chance.randrange(1 << 12) << 20 >> (32 - known) << (32 - known) if known else 0, known)
        scope = found.scope(client)
        if scope > known:
            continue  # says itself that a longer prefix is needed
        for _ in range(20):
            neighbour = client.value >> (32 - scope) << (32 - scope) if scope else 0
            neighbour |= chance.getrandbits(32) >> scope
            assert found.of(Client(32, neighbour, 32)) is found.of(client)


def str_network(chance: random.Random, length: int) -> str:
    value = chance.randrange(1 << 12) << 20 >> (32 - length) << (32 - length)
    return f"{'.'.join(str(b) for b in value.to_bytes(4))}/{length}"


def test_a_name_that_is_the_same_for_all_is_good_for_the_whole_world() -> None:
    assert choices(record("127.3.0.1")).scope(device("10.1.2.3")) == 0


def test_a_resolver_that_tells_too_little_hears_how_much_more_would_help() -> None:
    found = choices(record("127.3.0.1", "10.1.2.0/24"))
    known = subnet(1, 16, b"\x0a\x01")
    assert known
    assert found.scope(known) == 24
    assert found.of(known) is None


@pytest.mark.parametrize(
    ("family", "length", "octets"),
    [(3, 8, b"\x0a"), (0, 0, b""), (1, 33, b"\x0a\0\0\0\0"), (1, 8, b""), (1, 8, b"\x0a\x01"), (1, 12, b"\x0a\x1f")],
    ids=["family", "family 0", "too long", "too few", "too many", "bits beyond"],
)
def test_a_client_subnet_that_the_rfc_forbids_is_none(family: int, length: int, octets: bytes) -> None:
    assert subnet(family, length, octets) is None


@pytest.mark.parametrize("text", ["10.1.0.1/16", "ten", "10.1.0.0/33", "10.1", ""])
def test_a_client_that_cannot_be_read_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Problem, match=r"10\.1\.0\.0/16"):
        networks([text])


def test_an_address_that_is_none_is_nobody() -> None:
    assert device("nonsense") is NOBODY
