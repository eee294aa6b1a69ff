"""A data plane in the kernel: each host's rules in a namespace of their own, changed atomically."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from ipaddress import ip_interface
from itertools import count

import msgspec

from hanse.drivers.dataplane_nftables import conntrack
from hanse.drivers.dataplane_nftables.changes import Changes
from hanse.drivers.dataplane_nftables.counting import read_counters
from hanse.drivers.dataplane_nftables.cutting import cut_changed
from hanse.drivers.dataplane_nftables.ground import Ground
from hanse.drivers.dataplane_nftables.gtp.bearer import Bearer, Bearers
from hanse.drivers.dataplane_nftables.gtp.ends import Tunnels
from hanse.drivers.dataplane_nftables.kernel import Kernel
from hanse.drivers.dataplane_nftables.rules import Rule, read_rule
from hanse.drivers.dataplane_nftables.site import Site
from hanse.drivers.dataplane_nftables.trial import OF_TUNNELS, found_out
from hanse.drivers.dataplane_nftables.ways import Surroundings
from hanse.kit.failpoints import effect
from hanse.kit.problems import Problem, bad_request
from hanse.refpoints.mp2 import DataPlane, DataPlaneCapabilities, Flow, Forwarding, RuleCounters, refuse_lacking

NO_TUNNELS = "no access network of this host is reached by GTP-U"


class NftablesDataPlane(DataPlane):
    """The data plane of a host whose devices, access networks and applications are joined by virtual Ethernet.

    What no rule takes goes nowhere: TCP is reset, all else is silent. A rule of type FLOW decides once, on the first
    packet of a flow; one of type PACKET on each packet by itself, but a flow turned to an application stays there.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.ground = Ground(site)
        self._kernel = Kernel(site)
        self._tunnels = Tunnels(site) if site.tunnelled else None
        self._changes = Changes(self._kernel, self.ground, self._tunnels.lead if self._tunnels else None)
        self._numbers = count(1)
        self._ready = False
        self._lacks: dict[str, str] | None = None

    async def start(self) -> None:
        """Make its namespaces, without rules; those that an earlier process left are removed. 400 if it cannot."""
        found = await self.capabilities()
        if not found.available:
            raise bad_request("The nftables data plane cannot run here", found.lacks["kernel"])
        try:
            await self.ground.make()
            await self._kernel.start()
            if self._tunnels:
                await self._tunnels.start()
        except BaseException:
            await self.close()
            raise
        self._ready = True

    async def close(self) -> None:
        """Remove its namespaces with all that is in them."""
        await self._changes.settled()
        if self._tunnels:
            await self._tunnels.close()
        await self.ground.clear()

    async def bear(self, bearers: Iterable[Bearer]) -> None:
        """These and no others are the bearers of devices from now on; rules that ask for bearers mean these.

        400: one cannot be, or no access network is reached by GTP-U; then all stays as it was.
        """
        if self._tunnels is None:
            raise bad_request("No bearers here", NO_TUNNELS)
        there = self._tunnels.numbered(bearers)
        around, before = self._around(there), self._tunnels.bearers
        self._tunnels.bearers = there  # rules that are put in meanwhile mean these, too
        try:
            await self._changes.renew(lambda rule: read_rule(rule.forwarding, rule.mark, around) if rule.asks else None)
        except BaseException:
            self._tunnels.bearers = before
            raise
        await self._tunnels.bear(there)

    async def tunnel_counts(self) -> dict[str, int]:
        """Packets that the end of tunnels carried, and by name what it did not carry, since it was started last."""
        return await self._tunnels.counts() if self._tunnels else {}

    async def capabilities(self) -> DataPlaneCapabilities:
        """What it can do here, found by trying it in a namespace that is removed again."""
        if self._lacks is None:
            found = await found_out()
            self._lacks = found if self._tunnels else {**dict.fromkeys(OF_TUNNELS, NO_TUNNELS), **found}
        return DataPlaneCapabilities(kind="nftables", available="kernel" not in self._lacks, lacks=self._lacks)

    @effect("data_plane.install")
    async def install(self, rule_id: str, forwarding: Forwarding) -> None:
        """Carry out a rule from now on.

        400: it cannot be read or carried out; either leaves everything as it was. Rules that are put in at the same
        time become one change. Flows of a rule that its new form would not carry to the same place are cut; all of
        them if it asks for more than addresses, protocol and ports.
        """
        self._refuse_unready()
        if forwarding.rule_id != rule_id:
            raise bad_request("ruleId differs", f"the address says {rule_id}, the body {forwarding.rule_id}")
        refuse_lacking(forwarding, (await self.capabilities()).lacks)
        around = self._around(self._tunnels.bearers if self._tunnels else Bearers())
        rule = read_rule(forwarding, self._number(rule_id), around)
        before = await self._changes.apply(rule_id, rule)
        if before is not None:
            await asyncio.to_thread(cut_changed, self.site.plane_space, before, rule)

    @effect("data_plane.withdraw")
    async def withdraw(self, rule_id: str) -> None:
        """Stop carrying out a rule and cut its flows; what their ends send next is reset or decided anew."""
        self._refuse_unready()
        before = await self._changes.apply(rule_id, None)
        if before is not None:
            await asyncio.to_thread(conntrack.cut, self.site.plane_space, before.mark)

    async def forwardings(self) -> list[Forwarding]:
        """All rules in force, the first priority first."""
        return [rule.forwarding for rule in self._in_order()]

    async def forwardings_of(self, owner: str) -> list[Forwarding]:
        """The rules of one application instance in force."""
        return [rule.forwarding for rule in self._in_order(owner)]

    async def counters(self) -> list[RuleCounters]:
        """Counters of every rule: bytes of packets with headers; ``refused`` are packets that a DROP rule took."""
        counted = read_counters(await self._kernel.listed())
        passing = Counter(tracked.mark for tracked in await self._open())
        return [counted.of(rule, passing[rule.mark]) for rule in self._in_order()]

    async def flows(self) -> list[Flow]:
        """The flows that pass now."""
        ids = {rule.mark: rule_id for rule_id, rule in self._changes.now.rules.items()}
        return [msgspec.structs.replace(t.flow, rule_id=ids[t.mark]) for t in await self._open() if t.mark in ids]

    def _refuse_unready(self) -> None:
        """Before `start` there may be namespaces of an earlier process; what is put into these is lost with them."""
        if not self._ready:
            raise Problem(503, "The data plane has not started", "ask again in a moment", {"Retry-After": "1"})

    async def _open(self) -> list[conntrack.Tracked]:
        return await asyncio.to_thread(conntrack.flows, self.site.plane_space)

    def _around(self, bearers: Bearers) -> Surroundings:
        site = self.site
        own = tuple(str(ip_interface(at).ip) for at in site.own)
        return Surroundings(site.interfaces, site.tunnelled, site.home_link, own, site.tunnel_ends, bearers)

    def _number(self, rule_id: str) -> int:
        """A rule that is changed keeps its number: flows and counters know it by that."""
        before = self._changes.now.rules.get(rule_id)
        return before.mark if before else next(self._numbers)

    def _in_order(self, owner: str | None = None) -> list[Rule]:
        """All rules, or those of one owner."""
        rules = self._changes.now.rules.values()
        found = (rule for rule in rules if owner is None or rule.forwarding.owner == owner)
        return sorted(found, key=lambda rule: rule.pieces[0].order)
