"""What is found by an index is what a look at every value would have found, whatever is under way or was refused."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hanse.kit.problems import Problem
from hanse.kit.store import Index, Shelf, Store, Transaction
from hanse.kit.store_file import Rows
from hanse.kit.values import Value

COLOURS = ("red", "green", "blue")


class Car(Value):
    owner: str
    colours: tuple[str, ...] = ()
    price: int = 0


class Garage:
    """A shelf of cars with two indexes, on a disk that can be held up and be full."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path)
        self.cars: Shelf[Car] = self.store.shelf("car", Car)
        self.owned: Index[Car, Car] = Index(self.cars, lambda car: {car.owner: car})
        self.prices: Index[Car, int] = Index(self.cars, lambda car: dict.fromkeys(car.colours, car.price))
        self.write, self.full, self.open = self.store._file.write, False, threading.Event()
        self.open.set()
        self.store._file.write = self._rows  # type: ignore[method-assign]

    def _rows(self, rows: Rows) -> None:
        assert self.open.wait(10)
        if self.full:
            raise OSError(28, "No space left on device")
        self.write(rows)

    async def put(self, key: str, owner: str, *colours: str, price: int = 0) -> None:
        await self.store.commit(
            lambda tx: tx.put(self.cars, key, Car(owner=owner, colours=tuple(colours), price=price))
        )

    async def hold_up(self, *decisions: Any) -> list[asyncio.Task[Any]]:
        """Have decisions made, one after the other, none of which gets to the disk until it is open."""
        self.open.clear()
        tasks = []
        for decide in decisions:
            tasks.append(asyncio.create_task(self.store.commit(decide)))
            await asyncio.sleep(0.01)
        return tasks

    def searched(self, word: str, tx: Transaction | None = None) -> tuple[list[Car], list[int]]:
        """What a look at every value finds."""
        cars = list(tx.values(self.cars)) if tx else self.cars.values()
        return [car for car in cars if car.owner == word], [car.price for car in cars if word in car.colours]

    def found(self, word: str, tx: Transaction | None = None) -> tuple[list[Car], list[int]]:
        """What the indexes find."""
        if tx is None:
            assert self.owned.count(word) == len(self.owned.values(word))
            return self.owned.values(word), self.prices.values(word)
        assert tx.count(self.owned, word) == len(tx.under(self.owned, word))
        return tx.under(self.owned, word), tx.under(self.prices, word)


@pytest.fixture
def garage(tmp_path: Path) -> Iterator[Garage]:
    made = Garage(tmp_path / "store.db")
    yield made
    made.open.set()
    made.store.close()


async def test_a_value_is_found_by_each_of_its_words_and_no_more_once_it_changes(garage: Garage) -> None:
    await garage.put("a", "ann", "red", "blue", price=5)
    await garage.put("b", "ann", "red", price=7)
    assert garage.found("ann")[0] == [garage.cars.get("a"), garage.cars.get("b")]
    assert [garage.found(colour)[1] for colour in COLOURS] == [[5, 7], [], [5]]
    await garage.put("a", "bob", "green", price=6)
    assert (garage.owned.values("ann"), garage.owned.values("bob")) == ([garage.cars.get("b")], [garage.cars.get("a")])
    assert [garage.found(colour)[1] for colour in COLOURS] == [[7], [6], []]
    await garage.store.commit(lambda tx: tx.delete(garage.cars, "a"))
    await garage.store.commit(lambda tx: tx.delete(garage.cars, "a"))
    assert (garage.found("bob"), garage.owned.count("nobody")) == (([], []), 0)


async def test_a_value_that_changes_without_another_word_keeps_its_place(garage: Garage) -> None:
    for key in "abc":
        await garage.put(key, "ann", "red", price=ord(key))
    await garage.put("a", "ann", "red", price=1)
    assert garage.found("red")[1] == [1, ord("b"), ord("c")]


async def test_a_decision_finds_what_it_has_changed_itself(garage: Garage) -> None:
    await garage.put("a", "ann", "red")
    await garage.put("b", "ann", "red")

    def decide(tx: Transaction) -> tuple[int, int, int]:
        tx.put(garage.cars, "a", Car(owner="bob"))
        tx.delete(garage.cars, "b")
        tx.put(garage.cars, "c", Car(owner="ann"))
        tx.put(garage.cars, "d", Car(owner="ann"))
        tx.delete(garage.cars, "d")
        assert garage.found("ann", tx) == garage.searched("ann", tx)
        return tx.count(garage.owned, "ann"), tx.count(garage.owned, "bob"), len(tx.under(garage.prices, "red"))

    assert await garage.store.commit(decide) == (1, 1, 0)


async def test_what_is_not_on_disk_is_found_by_decisions_and_not_by_readers(garage: Garage) -> None:
    await garage.put("a", "ann", price=1)
    seen: list[Any] = []
    tasks = await garage.hold_up(
        lambda tx: tx.put(garage.cars, "b", Car(owner="ann", price=2)),
        lambda tx: tx.put(garage.cars, "a", Car(owner="bob", price=3)),
        lambda tx: seen.append([garage.found(owner, tx) for owner in ("ann", "bob")]),
    )
    assert [[car.price for car in cars] for cars, _ in seen[0]] == [[2], [3]]
    assert [car.price for car in garage.owned.values("ann")] == [1]
    assert garage.owned.values("bob") == []
    garage.open.set()
    await asyncio.gather(*tasks)
    assert [[car.price for car in garage.owned.values(owner)] for owner in ("ann", "bob")] == [[2], [3]]


async def test_one_that_comes_back_under_a_word_before_it_was_away_on_disk_is_found(garage: Garage) -> None:
    tasks = await garage.hold_up(
        lambda tx: tx.put(garage.cars, "a", Car(owner="ann")),
        lambda tx: tx.put(garage.cars, "a", Car(owner="bob")),
    )
    garage.open.set()
    await tasks[0]  # the second may be on its way still
    tasks += await garage.hold_up(lambda tx: tx.put(garage.cars, "a", Car(owner="ann")))
    counted = asyncio.create_task(garage.store.commit(lambda tx: tx.count(garage.owned, "ann")))
    await asyncio.sleep(0.01)
    garage.open.set()
    await asyncio.gather(*tasks)
    assert await counted == garage.owned.count("ann") == 1


async def test_what_the_disk_refuses_is_found_by_nobody(garage: Garage) -> None:
    await garage.put("a", "ann", "red", price=1)
    garage.full = True
    tasks = await garage.hold_up(
        lambda tx: tx.put(garage.cars, "a", Car(owner="bob")),
        lambda tx: tx.put(garage.cars, "b", Car(owner="ann", colours=("red",), price=2)),
        lambda tx: tx.delete(garage.cars, "a"),
    )
    garage.open.set()
    refused = await asyncio.gather(*tasks, return_exceptions=True)
    assert [getattr(each, "status", each) for each in refused] == [507] * 3
    garage.full = False
    assert (garage.found("ann"), garage.found("bob"), garage.found("red")[1]) == (garage.searched("ann"), ([], []), [1])
    assert await garage.store.commit(lambda tx: tx.count(garage.owned, "ann")) == 1
    assert garage.owned._coming == {}


async def test_a_decision_that_raises_leaves_nothing_to_be_found(garage: Garage) -> None:
    def decide(tx: Transaction) -> None:
        tx.put(garage.cars, "a", Car(owner="ann"))
        raise Problem(409, "No")

    with pytest.raises(Problem):
        await garage.store.commit(decide)
    assert garage.found("ann") == ([], [])
    assert await garage.store.commit(lambda tx: tx.count(garage.owned, "ann")) == 0


async def test_what_an_earlier_run_kept_is_found(tmp_path: Path) -> None:
    first = Garage(tmp_path / "store.db")
    for number in range(5):
        await first.put(f"k{number}", "ann" if number % 2 else "bob", "red", price=number)
    first.store.close()
    again = Garage(tmp_path / "store.db")
    assert again.found("ann") == first.found("ann") == again.searched("ann")
    assert again.found("red")[1] == [0, 1, 2, 3, 4]
    again.store.close()


@pytest.mark.parametrize("seed", range(4))
async def test_a_thousand_random_changes_are_found_as_if_every_value_had_been_looked_at(
    garage: Garage, seed: int
) -> None:
    generator, lost = random.Random(seed), 0

    def decide(tx: Transaction) -> None:
        for _ in range(generator.randrange(1, 4)):
            key = f"k{generator.randrange(12)}"
            if generator.random() < 0.3:
                tx.delete(garage.cars, key)
            else:
                colours = tuple(generator.sample(COLOURS, generator.randrange(3)))
                car = Car(owner=generator.choice(["ann", "bob"]), colours=colours, price=generator.randrange(10**6))
                tx.put(garage.cars, key, car)
            check(tx)

    def check(tx: Transaction | None) -> None:
        for word in ("ann", "bob", *COLOURS):
            found, searched = garage.found(word, tx), garage.searched(word, tx)
            assert [sorted(map(repr, each)) for each in found] == [sorted(map(repr, each)) for each in searched]

    for _ in range(40):
        garage.full = generator.random() < 0.2
        tasks = [asyncio.create_task(garage.store.commit(decide)) for _ in range(generator.randrange(1, 25))]
        done = await asyncio.gather(*tasks, return_exceptions=True)
        lost += sum(isinstance(each, Problem) for each in done)
        assert [each for each in done if each is not None and getattr(each, "status", 0) != 507] == []
        check(None)
    assert lost
    assert (garage.owned._coming, garage.prices._coming) == ({}, {})
