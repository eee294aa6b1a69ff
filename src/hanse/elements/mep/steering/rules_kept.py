"""Traffic rules, kept in the data plane (Mp2)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from hanse.elements.mep.steering.keeping import ByOwner, Refused, by_owner
from hanse.elements.mep.steering.shared_addresses import SharedAddresses
from hanse.kit.failpoints import effect
from hanse.refpoints.mp2 import DataPlane, Forwarding, RuleChanges


class RulesKept:
    """The rules of this host's apps, and of others to which it leads devices."""

    def __init__(self, data_plane: DataPlane, addresses: SharedAddresses) -> None:
        self._data_plane = data_plane
        self._addresses = addresses
        self._common: bool | None = None

    def known(self) -> set[str]:
        """Apps of this host, and those elsewhere that share an address."""
        return self._addresses.owners()

    def together(self, owners: Iterable[str]) -> Iterable[Collection[str]]:
        """Instances of one package one after the other."""
        return self._addresses.together(owners)

    async def present(self, owner: str | None = None) -> ByOwner[Forwarding]:
        """What the data plane has."""
        plane = self._data_plane
        listed = await (plane.forwardings() if owner is None else plane.forwardings_of(owner))
        return await by_owner((rule.owner, rule.rule_id, rule) for rule in listed)

    async def wanted(self, owners: Collection[str]) -> ByOwner[Forwarding]:
        """What it should have."""
        if self._common is None:
            self._common = (await self._data_plane.capabilities()).common
        wanted = self._addresses.wanted(owners, self._common)
        return {owner: {rule.rule_id: rule for rule in rules} for owner, rules in wanted.items()}

    @effect("mep.rules")
    async def change(self, present: ByOwner[Forwarding], wanted: ByOwner[Forwarding]) -> Sequence[Refused]:
        """One call for all that differs."""
        install, withdraw = list[Forwarding](), list[str]()
        for owner, rules in wanted.items():
            there = present.get(owner, {})
            withdraw += there.keys() - rules.keys()
            install += [rule for rule_id, rule in rules.items() if there.get(rule_id) != rule]
        if not install and not withdraw:
            return ()
        told = await self._data_plane.change(RuleChanges(install=tuple(install), withdraw=tuple(withdraw)))
        return [Refused(f"Traffic rule {each.rule_id}", each.problem()) for each in told.refused]
