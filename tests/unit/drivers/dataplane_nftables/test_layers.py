"""Which map a filter goes to: no two of one map overlap, and the first by priority and rule id is asked first."""

from __future__ import annotations

import random
from copy import copy

from hanse.drivers.dataplane_nftables.boxes import Box
from hanse.drivers.dataplane_nftables.layers import Layers
from hanse.drivers.dataplane_nftables.rules import Piece


def piece(name: str, dst: tuple[int, int], priority: int = 5, src: tuple[int, int] = (0, 99)) -> Piece:
    return Piece(1, (priority, name, 0), False, (Box(4, src, dst, (6, 6)),))


def random_piece(chance: random.Random, n: int) -> Piece:
    low = chance.randrange(60)
    dst = (low, low) if chance.random() < 0.5 else (low, low + chance.randrange(20))
    source = chance.randrange(90)
    return piece(f"r{chance.randrange(10**6)}-{n}", dst, chance.randrange(3), (source, source + chance.randrange(40)))


def assert_in_order(layers: Layers) -> None:
    pieces = list(layers.pieces())
    for one in pieces:
        for other in pieces:
            if one.order < other.order and one.meets(other):
                assert layers.layer(one) < layers.layer(other), (one, other)


def test_whatever_comes_and_goes_overlapping_filters_are_asked_in_the_right_order() -> None:
    chance, layers = random.Random(11), Layers()
    here: list[Piece] = []
    for n in range(300):
        if here and chance.random() < 0.4:
            layers.remove(here.pop(chance.randrange(len(here))))
        else:
            here.append(random_piece(chance, n))
            layers.put(here[-1])
        if n % 20 == 0:
            assert_in_order(layers)
    assert_in_order(layers)
    assert set(layers.pieces()) == set(here)


def test_filters_that_do_not_meet_share_one_map() -> None:
    layers = Layers()
    found = [piece(f"r{n}", (n, n)) for n in range(1000)]
    for each in found:
        assert layers.put(each) == {each}
    assert {layers.layer(each).depth for each in found} == {0}


def test_a_filter_that_comes_first_pushes_those_after_it_and_says_so() -> None:
    layers = Layers()
    second, third, aside = piece("b", (0, 9)), piece("c", (9, 12)), piece("d", (30, 30))
    for each in (second, third, aside):
        layers.put(each)
    first = piece("a", (5, 5))
    assert layers.put(first) == {first, second, third}
    assert [layers.layer(p).depth for p in (first, second, third, aside)] == [0, 1, 2, 0]


def test_a_copy_may_change_without_the_original() -> None:
    layers = Layers()
    one, other = piece("a", (1, 1)), piece("b", (1, 5))
    layers.put(one)
    changed = copy(layers)
    changed.put(other)
    changed.remove(one)
    assert list(layers.pieces()) == [one]
    assert layers.put(piece("z", (1, 1))) != set()
    assert list(changed.pieces()) == [other]
