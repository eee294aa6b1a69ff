"""Policies of the operator for its system: the orchestrator knows which targets there are, and tells every host (Mm3).

A policy that an administrator has set stands over one of the configuration for the same name, until it is removed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Collection, Mapping

from hanse.elements.meo.hosts import Host
from hanse.elements.meo.records import Records
from hanse.elements.meo.targets import check_known, present, running
from hanse.kit.background import Background
from hanse.kit.contract.call import continuing, new_trace
from hanse.kit.problems import Problem
from hanse.kit.store import Store
from hanse.refpoints.mm1.steering import SteeringPolicies, SteeringPolicy, check_policy

log = logging.getLogger("hanse.meo")

RENEWAL = 30.0
"""Seconds after which hosts are compared anew, even if nothing changed here."""
PAUSE = 1.0
"""Seconds until a host that did not answer is asked again."""


class SystemSteering(SteeringPolicies):
    """Keeps policies, and every host at what they say now. ``devices`` are those of the operator, by name."""

    def __init__(
        self,
        store: Store,
        records: Records,
        hosts: Mapping[str, Host],
        devices: Collection[str],
        configured: Mapping[str, SteeringPolicy],
    ) -> None:
        self._store = store
        self._records = records
        self._hosts = hosts
        self._devices = devices
        self._configured = dict(configured)
        self._check_configured()
        self._lock = asyncio.Lock()
        self._dirty = asyncio.Event()
        self._background = Background()

    async def set_policy(self, name: str, policy: SteeringPolicy) -> None:
        """Lead devices by it; refused by one host, it is taken back from all, and the one before stands."""
        self._check(name, policy)
        async with self._lock:
            refused = await self._offer(present(policy, self._hosts, running(self._records.instances.values())))
            if refused is not None:
                await self._bring_all()
                raise refused
            await self._store.commit(lambda tx: tx.put(self._records.policies, name, policy))

    async def remove_policy(self, name: str) -> None:
        """Lead by the configuration again, or by nothing."""
        async with self._lock:
            await self._store.commit(lambda tx: tx.delete(self._records.policies, name))
            await self._bring_all()

    async def list_policies(self) -> list[SteeringPolicy]:
        """All in force, as they were given."""
        kept = {policy.name: policy for policy in self._records.policies.values()}
        return [policy for _, policy in sorted({**self._configured, **kept}.items())]

    def moved(self) -> None:
        """An instance was started, stopped or moved: other targets may be there now."""
        self._dirty.set()

    async def start_up(self) -> None:
        """Begin to keep the hosts at what is in force."""
        self._dirty.set()
        self._background.start(self._keep())

    async def shut_down(self) -> None:
        """Stop keeping them; they go on with what they were told."""
        await self._background.stop()

    def _check(self, name: str, policy: SteeringPolicy) -> None:
        check_policy(name, policy)
        check_known(policy, self._hosts, self._devices)

    def _check_configured(self) -> None:
        for name, policy in self._configured.items():
            try:
                self._check(name, policy)
            except Problem as problem:
                raise Problem(400, f'steering."{name}": {problem.title}', problem.detail) from None

    async def _keep(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RENEWAL):
                    await self._dirty.wait()
            self._dirty.clear()
            with continuing(new_trace()):
                async with self._lock:
                    done = await self._bring_all()
            if not done:
                self._dirty.set()
                await asyncio.sleep(PAUSE)

    async def _offer(self, policy: SteeringPolicy) -> Problem | None:
        """Tell every host; the refusal of one, if any. Who does not answer is told later."""
        told = await asyncio.gather(*(self._set(host, policy) for host in self._hosts.values()))
        refusals = [problem for problem in told if problem is not None and problem.status < 500]
        if any(problem is not None and problem.status >= 500 for problem in told):
            self._dirty.set()
        return refusals[0] if refusals else None

    async def _bring_all(self) -> bool:
        """Bring every host to what is in force; whether all did answer."""
        there = running(self._records.instances.values())
        wanted = {policy.name: present(policy, self._hosts, there) for policy in await self.list_policies()}
        told = await asyncio.gather(*(self._bring(host, wanted) for host in self._hosts.values()))
        if not all(told):
            self._dirty.set()
        return all(told)

    async def _bring(self, host: Host, wanted: Mapping[str, SteeringPolicy]) -> bool:
        try:
            there = {policy.name: policy for policy in await host.steering.list_policies()}
            for name in there.keys() - wanted.keys():
                await host.steering.remove_policy(name)
        except Problem as problem:
            log.info("policies of %s cannot be compared: %s", host.name, problem)
            return False
        told = [await self._set(host, policy) for name, policy in wanted.items() if there.get(name) != policy]
        return not any(problem is not None and problem.status >= 500 for problem in told)

    async def _set(self, host: Host, policy: SteeringPolicy) -> Problem | None:
        try:
            await host.steering.set_policy(policy.name, policy)
        except Problem as problem:
            log.info("%s does not take the policy for %s: %s", host.name, policy.name, problem)
            return Problem(problem.status, f"{host.name}: {problem.title}", problem.detail)
        return None
