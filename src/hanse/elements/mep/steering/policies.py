"""The operator's policies on a platform: kept, and carried out by the name server of the host (Mm5, Mp2)."""

from __future__ import annotations

from hanse.elements.mep.records import Records
from hanse.elements.mep.steering.devices import Devices
from hanse.elements.mep.steering.led import records_of
from hanse.elements.mep.steering.steering import Steering
from hanse.kit.problems import bad_request
from hanse.kit.store import Store, Transaction
from hanse.refpoints.mm1.steering import SteeringPolicies, SteeringPolicy, check_policy
from hanse.refpoints.mp2 import BY_CLIENT, NameServer


class Policies(SteeringPolicies):
    """Takes a policy only if the name server of the host can carry it out."""

    def __init__(
        self, store: Store, records: Records, steering: Steering, name_server: NameServer, devices: Devices
    ) -> None:
        self._store = store
        self._records = records
        self._steering = steering
        self._name_server = name_server
        self._devices = devices

    async def set_policy(self, name: str, policy: SteeringPolicy) -> None:
        """Keep it, and answer by it from now on; a device that remembers an answer follows within its time to live."""
        check_policy(name, policy)
        await self._refuse_lacking(policy)

        def decide(tx: Transaction) -> None:
            if tx.find(self._records.policies, name) != policy:
                tx.put(self._records.policies, name, policy)

        await self._store.commit(decide)
        await self._steering.lead(name)

    async def remove_policy(self, name: str) -> None:
        """Let the rules of apps answer again, if there are any for the name."""
        await self._store.commit(lambda tx: tx.delete(self._records.policies, name))
        await self._steering.lead(name)

    async def list_policies(self) -> list[SteeringPolicy]:
        """All that are kept."""
        return sorted(self._records.policies.values(), key=lambda policy: policy.name)

    async def _refuse_lacking(self, policy: SteeringPolicy) -> None:
        if not any(record.clients for record in records_of(policy, self._devices)):
            return
        reason = (await self._name_server.capabilities()).lacks.get(BY_CLIENT)
        if reason is not None:
            raise bad_request(f"The policy for {policy.name} leads devices to different targets", reason)
