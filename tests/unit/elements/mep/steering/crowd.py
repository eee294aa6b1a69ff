"""Many apps on one platform, and peers that count what they are asked."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from hanse.elements.mep.app_rules.rules import dns_rule, traffic_rule
from hanse.elements.mep.records import AppRecord, Records
from hanse.kit.store import Store, Transaction
from hanse.refpoints.mm5.platform import AppConfiguration, AppPhase
from hanse.refpoints.mp2 import Forwarding, NameRecord, NameRecords, RefusedRules, RuleChanges
from tests.unit.elements.mep.parts import Bench, Names, Plane, configuration

RULES = 10
"""Of each app."""


class CountingPlane(Plane):
    """Notes in ``asked`` what it is asked for, apart from the changes themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    async def forwardings(self) -> list[Forwarding]:
        self.asked.append("all")
        return await super().forwardings()

    async def forwardings_of(self, owner: str) -> list[Forwarding]:
        self.asked.append(owner)
        return [rule for rule in self.rules.values() if rule.owner == owner]

    async def change(self, changes: RuleChanges) -> RefusedRules:
        self.asked.append("change")
        return await super().change(changes)


class CountingNames(Names):
    """Likewise."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    async def records(self) -> list[NameRecord]:
        self.asked.append("all")
        return await super().records()

    async def records_of(self, owner: str) -> list[NameRecord]:
        self.asked.append(owner)
        return [record for record in self.known.values() if record.owner == owner]

    async def publish(self, record_id: str, record: NameRecord) -> None:
        self.asked.append("publish")
        await super().publish(record_id, record)

    async def publish_all(self, owner: str, records: NameRecords) -> None:
        self.asked.append("publish_all")
        await super().publish_all(owner, records)


def crowd(store: Store | None = None) -> tuple[Bench, CountingPlane, CountingNames]:
    """A platform between such peers."""
    plane, names = CountingPlane(), CountingNames()
    return Bench(store=store or Store(), plane=plane, names=names), plane, names


def one_of_many(number: int, package: str = "") -> AppConfiguration:
    """An app with ten rules at an address of its own and one name; its package is its own too, if none is given."""
    app, address = configuration(f"app{number}"), f"127.9.{1 + number // 250}.{1 + number % 250}"
    given, name = app.traffic_rules[0], replace(app.dns_rules[0], domain_name=f"a{number}.example.com")
    rules = tuple(
        replace(
            given,
            traffic_rule_id=f"r{port}",
            traffic_filter=(replace(given.traffic_filter[0], dst_address=(address,), dst_port=(str(1000 + port),)),),
        )
        for port in range(RULES)
    )
    return replace(app, app_d_id=package or f"package{number}", traffic_rules=rules, dns_rules=(name,))


def active(app: AppConfiguration) -> AppRecord:
    """As a platform keeps it from its activation on."""
    return AppRecord(
        configuration=app,
        phase=AppPhase.READY,
        traffic_rules=tuple(traffic_rule(rule) for rule in app.traffic_rules),
        dns_rules=tuple(dns_rule(rule) for rule in app.dns_rules),
        active=True,
    )


async def keep(store: Store, records: Records, apps: Iterable[AppRecord]) -> None:
    """Write them all at once."""

    def decide(tx: Transaction) -> None:
        for app in apps:
            tx.put(records.apps, app.app_instance_id, app)

    await store.commit(decide)


async def bring_up(bench: Bench, apps: int, package: str = "") -> None:
    """So many active apps, all of them carried out."""
    records = [active(one_of_many(number, package)) for number in range(apps)]
    await keep(bench.store, bench.platform.records, records)
    await bench.platform.steering.restore()
