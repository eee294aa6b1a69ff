"""A data plane without root: it listens where devices dial, decides by the rules, and relays to the applications."""

from __future__ import annotations

import asyncio
import socket
from types import MappingProxyType
from weakref import WeakValueDictionary

from hanse.drivers.dataplane_userspace.datagrams import DatagramListener, Entrance
from hanse.drivers.dataplane_userspace.endpoints import LACKS, Endpoint, is_loopback
from hanse.drivers.dataplane_userspace.flows import FlowTable
from hanse.drivers.dataplane_userspace.following import Following
from hanse.drivers.dataplane_userspace.listeners import Listeners
from hanse.drivers.dataplane_userspace.listening import listening
from hanse.drivers.dataplane_userspace.pipes import Pipes
from hanse.drivers.dataplane_userspace.relay import Relay
from hanse.drivers.dataplane_userspace.rules import Networks, read_rule
from hanse.drivers.dataplane_userspace.sockets import reset
from hanse.kit.failpoints import effect
from hanse.kit.ports import bind
from hanse.kit.problems import bad_request
from hanse.refpoints.mp2 import DataPlane, DataPlaneCapabilities, Flow, Forwarding, RuleCounters, refuse_lacking

MOST_FLOWS = 4096
"""Flows that pass at a time unless said otherwise; each takes two sockets."""


class UserspaceDataPlane(DataPlane):
    """The data plane of a host whose devices, applications and virtual addresses are in 127.0.0.0/8.

    ``address`` is its own: applications see it as their peer. A flow is decided once, when it begins: a byte stream
    cannot change its way. So FLOW and PACKET filters do the same here, and a rule put in later takes later flows only;
    one that copies sees what is said from then on, by FLOW of both ends. ``networks`` are access networks by name, with
    the addresses of their devices; on loopback nobody comes in elsewhere.
    """

    def __init__(self, address: str, most_flows: int = MOST_FLOWS, networks: Networks = MappingProxyType({})) -> None:
        self.address = address
        self._networks = networks
        self._table = FlowTable(most_flows)
        self._pipes = Pipes()
        self._listeners = Listeners(self._device_dials, self._device_sends)
        self._dialled: WeakValueDictionary[Endpoint, DatagramListener] = WeakValueDictionary()
        self._changing = asyncio.Lock()
        self._following = Following(self._listeners, self._table, self._changing)

    async def start(self) -> None:
        """Find out whether its own address is there; 400 if it is not one of 127.0.0.0/8."""
        if (reason := self._unavailable()) is not None:
            raise bad_request(f"{self.address} cannot be the data plane's address", reason)

    async def close(self) -> None:
        """Withdraw every rule; nothing listens and no flow passes afterwards."""
        for forwarding in await self.forwardings():
            await self.withdraw(forwarding.rule_id)
        self._table.taps.close()
        self._pipes.close()

    async def capabilities(self) -> DataPlaneCapabilities:
        """What it can do here, found by binding its own address."""
        reason = self._unavailable()
        lacks = LACKS if reason is None else {**LACKS, "address": reason}
        return DataPlaneCapabilities(kind="userspace", available=reason is None, lacks=lacks, common=True)

    @effect("data_plane.install")
    async def install(self, rule_id: str, forwarding: Forwarding) -> None:
        """Carry out a rule from now on.

        400: it cannot be read or carried out in user space; 409: a port that it needs is taken. Either leaves
        everything as it was. A flow of the rule that the new form would carry elsewhere, or not at all, is cut.
        """
        if forwarding.rule_id != rule_id:
            raise bad_request("ruleId differs", f"the address says {rule_id}, the body {forwarding.rule_id}")
        refuse_lacking(forwarding, LACKS)
        rule = read_rule(forwarding, self._networks)
        plan = listening(rule)
        async with self._changing:
            await self._listeners.hold(plan.fixed, shared=forwarding.shared)
            try:
                follower = await self._following.follower(rule_id, plan, shared=forwarding.shared)
            except BaseException:
                self._listeners.release(plan.fixed)
                raise
            before = self._table.get(rule_id)
            no_longer = before.listens if before else frozenset[Endpoint]()
            self._table.put(rule, plan.fixed | follower.held)
            await self._following.keep(follower)
            self._listeners.release(no_longer)
            await self._listeners.closed()

    @effect("data_plane.withdraw")
    async def withdraw(self, rule_id: str) -> None:
        """Stop carrying out a rule and cut its flows; other rules at the same address and port go on."""
        async with self._changing:
            installed = self._table.get(rule_id)
            if installed is None:
                return
            self._table.remove(rule_id)
            await self._following.forget(rule_id)
            self._listeners.release(installed.listens)
            await self._listeners.closed()

    async def forwardings(self) -> list[Forwarding]:
        """All rules in force, the first priority first."""
        return [installed.rule.forwarding for installed in self._table.rules()]

    async def forwardings_of(self, owner: str) -> list[Forwarding]:
        """The rules of one application instance in force."""
        return [installed.rule.forwarding for installed in self._table.rules_of(owner)]

    async def counters(self) -> list[RuleCounters]:
        """Counters of every rule; a flow that no rule took counts as refused at the first rule that listens there."""
        return [installed.counters() for installed in self._table.rules()]

    async def flows(self) -> list[Flow]:
        """The flows that pass now, those whose application is still being dialled included."""
        return self._table.flows()

    def _device_dials(self, dialled: Endpoint, device: socket.socket, source: tuple[str, int]) -> None:
        admission = self._table.admit(source, dialled)
        if admission is None:
            reset(device)
        else:
            Relay(device, admission, self.address, self._pipes, self._table.taps)

    def _device_sends(self, dialled: Endpoint) -> Entrance:
        """By a socket at its address or by one at every address: a flow is the same if one of these comes or goes."""
        listener = self._dialled.get(dialled) or DatagramListener(self._table, dialled, self.address)
        self._dialled[dialled] = listener
        return Entrance(listener)

    def _unavailable(self) -> str | None:
        """Why its own address cannot be used, or ``None``."""
        if not is_loopback(self.address):
            return f"write an address in 127.0.0.0/8; got {self.address!r}"
        try:
            bind(self.address, 0).close()
        except OSError as error:
            return str(error)
        return None
