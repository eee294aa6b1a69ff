"""What an element was told is kept is kept; what it was told is refused never was."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import hanse
from hanse.kit.problems import Problem
from hanse.kit.store import Shelf, Store, Transaction
from hanse.kit.store_file import Rows
from hanse.kit.values import Value
from tests.bounds import SOON


class Account(Value):
    balance: int
    owner: str = "nobody"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store(path)
    yield store
    store.close()


@pytest.fixture
def accounts(store: Store) -> Shelf[Account]:
    return store.shelf("bank_account", Account)


def put(shelf: Shelf[Account], key: str, balance: int) -> Callable[[Transaction], None]:
    return lambda tx: tx.put(shelf, key, Account(balance=balance))


def added(shelf: Shelf[Account], key: str, amount: int) -> Callable[[Transaction], int]:
    def decide(tx: Transaction) -> int:
        found = tx.find(shelf, key)
        balance = (found.balance if found else 0) + amount
        tx.put(shelf, key, Account(balance=balance))
        return balance

    return decide


class Disk:
    """Stands before the store's own writing: counts transactions, holds them up, lets them fail."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.write, self.groups, self.full = store._file.write, 0, False
        self.open = threading.Event()
        self.open.set()
        monkeypatch.setattr(store._file, "write", self._rows)

    def _rows(self, rows: Rows) -> None:
        self.groups += 1
        assert self.open.wait(20)
        if self.full:
            raise OSError(28, "No space left on device")
        self.write(rows)


@pytest.fixture
def disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(store, monkeypatch)


class TestDecisions:
    async def test_what_is_committed_can_be_read(self, store: Store, accounts: Shelf[Account]) -> None:
        assert await store.commit(added(accounts, "a", 5)) == 5
        assert accounts.get("a") == Account(balance=5)
        assert ("a" in accounts, "b" in accounts, len(accounts), accounts.find("b")) == (True, False, 1, None)
        await store.commit(lambda tx: tx.delete(accounts, "a"))
        await store.commit(lambda tx: tx.delete(accounts, "a"))
        assert accounts.values() == []

    async def test_what_is_not_there_is_a_404_that_names_it(self, store: Store, accounts: Shelf[Account]) -> None:
        looks: list[Callable[[], Account]] = [lambda: accounts.get("x"), lambda: Transaction().get(accounts, "x")]
        for look in looks:
            with pytest.raises(Problem) as missing:
                look()
            assert (missing.value.status, missing.value.title) == (404, "No such bank account")

    async def test_no_decision_misses_an_earlier_one(self, store: Store, accounts: Shelf[Account]) -> None:
        results = await asyncio.gather(*(store.commit(added(accounts, "a", 1)) for _ in range(200)))
        assert sorted(results) == list(range(1, 201))
        assert accounts.get("a").balance == 200

    async def test_readers_see_only_what_is_on_disk(self, store: Store, accounts: Shelf[Account], disk: Disk) -> None:
        disk.open.clear()
        first = asyncio.create_task(store.commit(added(accounts, "a", 5)))
        await asyncio.sleep(0.02)
        seen: list[Any] = []
        second = asyncio.create_task(store.commit(lambda tx: seen.append([a.balance for a in tx.values(accounts)])))
        await asyncio.sleep(0.02)
        assert (seen, accounts.find("a"), len(accounts)) == ([[5]], None, 0)
        disk.open.set()
        await asyncio.gather(first, second)
        assert accounts.get("a").balance == 5

    async def test_a_decision_that_raises_changes_nothing(self, store: Store, accounts: Shelf[Account]) -> None:
        ran: list[str] = []

        def decide(tx: Transaction) -> None:
            tx.put(accounts, "a", Account(balance=1))
            tx.after.append(lambda: ran.append("after"))
            raise Problem(409, "Changed its mind")

        with pytest.raises(Problem, match="Changed its mind"):
            await store.commit(decide)
        assert (accounts.values(), ran) == ([], [])
        assert await store.commit(added(accounts, "a", 2)) == 2

    async def test_a_decision_sees_its_own_changes(self, store: Store, accounts: Shelf[Account]) -> None:
        await store.commit(put(accounts, "a", 1))

        def decide(tx: Transaction) -> list[int]:
            tx.put(accounts, "b", Account(balance=2))
            tx.put(accounts, "a", Account(balance=3))
            tx.put(accounts, "c", Account(balance=4))
            tx.delete(accounts, "c")
            return [a.balance for a in tx.values(accounts)]

        assert await store.commit(decide) == [3, 2]
        assert [a.balance for a in accounts.values()] == [3, 2]

    async def test_many_at_once_share_the_disks_time(self, store: Store, accounts: Shelf[Account], disk: Disk) -> None:
        await asyncio.gather(*(store.commit(put(accounts, str(n), n)) for n in range(300)))
        assert len(accounts) == 300
        assert disk.groups <= 10

    async def test_what_follows_a_commit_happens_once_it_is_on_disk(
        self, store: Store, accounts: Shelf[Account]
    ) -> None:
        seen: list[int] = []

        def decide(tx: Transaction) -> None:
            tx.put(accounts, "a", Account(balance=1))
            tx.after.append(lambda: seen.append(accounts.get("a").balance))
            tx.after.append(lambda: 1 // 0)  # type: ignore[arg-type]
            tx.after.append(lambda: seen.append(2))

        await store.commit(decide)
        assert seen == [1, 2]

    async def test_a_caller_that_goes_away_takes_nothing_with_it(
        self, store: Store, accounts: Shelf[Account], disk: Disk
    ) -> None:
        followed = asyncio.Event()

        def decide(tx: Transaction) -> None:
            tx.put(accounts, "a", Account(balance=1))
            tx.after.append(followed.set)

        disk.open.clear()
        task = asyncio.create_task(store.commit(decide))
        await asyncio.sleep(0.02)
        task.cancel()
        disk.open.set()
        await asyncio.wait_for(followed.wait(), SOON)
        assert accounts.get("a").balance == 1


class TestFailingDisk:
    async def test_a_full_disk_is_507_and_nothing_has_changed(
        self, store: Store, accounts: Shelf[Account], disk: Disk
    ) -> None:
        await store.commit(put(accounts, "a", 1))
        disk.full = True
        ran: list[str] = []

        def decide(tx: Transaction) -> None:
            tx.put(accounts, "a", Account(balance=2))
            tx.after.append(lambda: ran.append("after"))

        with pytest.raises(Problem) as full:
            await store.commit(decide)
        assert full.value.status == 507
        assert "No space left" in full.value.detail
        assert (accounts.get("a").balance, ran) == (1, [])
        disk.full = False
        assert await store.commit(added(accounts, "a", 5)) == 6

    async def test_what_was_decided_on_a_lost_change_is_lost_too_and_nothing_else(
        self, store: Store, accounts: Shelf[Account], disk: Disk
    ) -> None:
        await store.commit(put(accounts, "a", 1))
        disk.full = True
        disk.open.clear()
        lost = [asyncio.create_task(store.commit(added(accounts, "a", 1))) for _ in range(1)]
        await asyncio.sleep(0.02)
        lost += [asyncio.create_task(store.commit(added(accounts, "a", 1))) for _ in range(5)]
        await asyncio.sleep(0.02)
        disk.open.set()
        problems = await asyncio.gather(*lost, return_exceptions=True)
        disk.full = False
        assert [getattr(p, "status", p) for p in problems] == [507] * 6
        assert await store.commit(added(accounts, "a", 1)) == 2

    async def test_nobody_is_told_of_a_change_that_the_disk_may_yet_refuse(
        self, store: Store, accounts: Shelf[Account], disk: Disk
    ) -> None:
        disk.full = True
        disk.open.clear()
        lost = asyncio.create_task(store.commit(put(accounts, "a", 1)))
        await asyncio.sleep(0.02)
        told = asyncio.create_task(store.commit(lambda tx: tx.get(accounts, "a").balance))
        await asyncio.sleep(0.02)
        assert not told.done()
        disk.open.set()
        answers = await asyncio.gather(lost, told, return_exceptions=True)
        assert [getattr(answer, "status", answer) for answer in answers] == [507, 507]

    async def test_what_changes_nothing_is_answered_when_the_disk_fills_after_all_that_it_saw(
        self, store: Store, accounts: Shelf[Account], disk: Disk
    ) -> None:
        disk.open.clear()
        kept = asyncio.create_task(store.commit(put(accounts, "a", 1)))
        await asyncio.sleep(0.02)
        told = asyncio.create_task(store.commit(lambda tx: tx.get(accounts, "a").balance))
        await asyncio.sleep(0.02)
        disk.open.set()
        await kept
        disk.full = True
        assert (await asyncio.wait_for(told, SOON), disk.groups) == (1, 1)
        assert await store.commit(lambda tx: tx.get(accounts, "a").balance) == 1

    async def test_one_failure_does_not_drag_on_under_load(
        self, store: Store, accounts: Shelf[Account], disk: Disk
    ) -> None:
        kept = lost = 0

        async def one() -> None:
            nonlocal kept, lost
            for _ in range(20):
                try:
                    await store.commit(added(accounts, "a", 1))
                    kept += 1
                except Problem:
                    lost += 1
                    disk.full = False
                if kept == 30 and not lost:
                    disk.full = True

        await asyncio.gather(*(one() for _ in range(8)))
        assert accounts.get("a").balance == kept
        assert 1 <= lost <= 24
        assert kept + lost == 160

    async def test_an_error_without_words_does_not_stop_the_store(
        self, store: Store, accounts: Shelf[Account], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def wordless(rows: Rows) -> None:
            raise OSError

        with monkeypatch.context() as patch:
            patch.setattr(store._file, "write", wordless)
            with pytest.raises(Problem) as refused:
                await asyncio.wait_for(store.commit(put(accounts, "a", 1)), SOON)
            assert refused.value.detail == "OSError"
        await store.commit(put(accounts, "a", 1))

    async def test_sqlites_own_refusal_is_507(self, store: Store, accounts: Shelf[Account], path: Path) -> None:
        with sqlite3.connect(path) as other:
            other.execute(
                "CREATE TRIGGER full BEFORE INSERT ON bank_account BEGIN SELECT RAISE(FAIL, 'disk full'); END"
            )
        with pytest.raises(Problem, match="disk full") as refused:
            await store.commit(put(accounts, "a", 1))
        assert refused.value.status == 507
        assert len(accounts) == 0

    async def test_a_closed_store_refuses_instead_of_waiting(self, path: Path) -> None:
        store = Store(path)
        shelf = store.shelf("account", Account)
        store.close()
        store.close()
        with pytest.raises(Problem, match="closed"):
            await asyncio.wait_for(store.commit(put(shelf, "a", 1)), SOON)


class TestReopening:
    async def test_a_thousand_random_changes_are_there_after_a_restart(self, path: Path) -> None:
        generator = random.Random(3)
        model: dict[str, Account] = {}
        store = Store(path)
        shelf = store.shelf("account", Account)
        pending = []
        for number in range(1000):
            key = f"k{generator.randrange(40)}"
            if generator.random() < 0.3:
                model.pop(key, None)
                pending.append(store.commit(lambda tx, key=key: tx.delete(shelf, key)))  # type: ignore[misc]
            else:
                model[key] = Account(balance=number, owner="Ü" * generator.randrange(3))
                pending.append(store.commit(lambda tx, k=key, v=model[key]: tx.put(shelf, k, v)))  # type: ignore[misc]
            if len(pending) > generator.randrange(50):
                await asyncio.gather(*pending)
                pending = []
        await asyncio.gather(*pending)
        assert shelf._durable == model
        assert shelf._staged == {}
        store.close()
        again = Store(path)
        assert again.shelf("account", Account)._durable == model
        again.close()

    def test_a_store_in_memory_forgets(self) -> None:
        first, second = Store(), Store()
        asyncio.run(first.commit(put(first.shelf("account", Account), "a", 1)))
        assert len(second.shelf("account", Account)) == 0
        first.close()
        second.close()

    async def test_a_record_of_another_version_is_named(
        self, store: Store, accounts: Shelf[Account], path: Path
    ) -> None:
        await store.commit(put(accounts, "a", 1))
        with sqlite3.connect(path) as other:
            other.execute("""UPDATE bank_account SET body = '{"balance": "much"}'""")
        with pytest.raises(Problem) as strange:
            Store(path).shelf("bank_account", Account)
        assert strange.value.title == "Record a of bank_account"

    def test_a_shelf_is_asked_for_once(self, store: Store, accounts: Shelf[Account]) -> None:
        with pytest.raises(ValueError, match="there already"):
            store.shelf("bank_account", Account)


CRASH = """
import asyncio, sys
from pathlib import Path
from hanse.kit.store import Store
from hanse.kit.values import Value
class Account(Value):
    balance: int
async def main():
    store = Store(Path(sys.argv[1]))
    shelf, log = store.shelf("account", Account), store.shelf("entry", Account)
    def decide(tx, n):
        tx.put(shelf, "a", Account(balance=n))
        tx.put(log, str(n), Account(balance=n))
    for n in range(1, 10):
        await store.commit(lambda tx: decide(tx, n))
        print(n, flush=True)
asyncio.run(main())
"""


class Entry(Value):
    balance: int


@pytest.mark.parametrize(("failpoint", "kept"), [("before@1", 0), ("after@1", 1), ("before@4", 3), ("after@4", 4)])
def test_a_power_cut_leaves_whole_decisions(path: Path, failpoint: str, kept: int) -> None:
    moment, _, count = failpoint.partition("@")
    environment = os.environ | {
        "HANSE_FAILPOINT": f"store.commit:{moment}@{count}",
        "PYTHONPATH": str(Path(hanse.__file__).parents[1]),
    }
    ended = subprocess.run([sys.executable, "-c", CRASH, str(path)], env=environment, capture_output=True, timeout=100)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    store = Store(path)
    account, log = store.shelf("account", Entry), store.shelf("entry", Entry)
    told = [int(line) for line in ended.stdout.split()]
    assert told == list(range(1, int(count)))
    assert [e.balance for e in log.values()] == list(range(1, kept + 1))
    assert [a.balance for a in account.values()] == ([kept] if kept else [])
    store.close()
