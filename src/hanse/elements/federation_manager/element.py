"""The federation manager of an operator (ETSI GR MEC 035, 6.2; variant: a manager per system)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from hanse.elements.federation_manager.partners import SIGN_OF_LIFE, Partners
from hanse.elements.federation_manager.records import Records
from hanse.elements.federation_manager.systems import Systems
from hanse.kit.contract.call import current_call
from hanse.kit.contract.declare import Api
from hanse.kit.problems import bad_request, forbidden
from hanse.kit.store import Store, Transaction
from hanse.kit.values import Absent
from hanse.refpoints.mff_fed.federation import Federation, FederationAnswer, FederationTerms, OfferedSystem
from hanse.refpoints.mfm_fed.members import Member, MemberQuery, Membership, Partner, SystemResources
from hanse.refpoints.mfm_fed.system_info import FederationEnablement


class FederationManager(Membership, Federation):
    """Forms the federation, keeps its members and agreements, and looks members up for its orchestrators."""

    def __init__(
        self,
        operator: str,
        url: str,
        *,
        store: Store,
        partners: Sequence[str],
        peer: Callable[[str], Federation],
        period: float = SIGN_OF_LIFE,
    ) -> None:
        self._operator = operator
        self._store = store
        self._records = Records(store)
        self._partners = Partners(operator, partners, store, self._records, peer, period)
        self._systems = Systems(url, store, self._records, self._partners.systems)

    def apis(self) -> dict[type[Api], Api]:
        """Which part provides which API."""
        return {FederationEnablement: self._systems, Membership: self, Federation: self}

    async def start_up(self) -> None:
        """Begin to form federations."""
        await self._partners.start_up()

    async def shut_down(self) -> None:
        """Stop what runs by itself."""
        await self._partners.shut_down()

    async def register_resources(self, system_id: str, resources: SystemResources) -> None:
        """Replace what the caller's system has registered."""

        def decide(tx: Transaction) -> None:
            record = tx.get(self._records.systems, system_id)
            if record.owner != current_call().caller.name:
                raise forbidden("Not yours", "only the orchestrator that registered a system may change it")
            tx.put(self._records.systems, system_id, msgspec.structs.replace(record, resources=resources))

        await self._store.commit(decide)

    async def find_members(self, query: MemberQuery) -> list[Member]:
        """Ask every partner now (6.3.2)."""
        return await self._partners.members(query)

    async def list_partners(self) -> list[Partner]:
        """The partners and how it stands with each."""
        return self._partners.states()

    async def close_agreement(self, partner: str) -> None:
        """End the agreement with a partner."""
        await self._partners.close(partner)

    async def open_agreement(self, partner: str) -> None:
        """Begin the agreement with a partner anew."""
        await self._partners.open(partner)

    async def form(self, terms: FederationTerms) -> FederationAnswer:
        """A partner forms the federation, or says that it stands."""
        partner = current_call().tenant
        if terms.operator != partner:
            raise bad_request("Invalid attribute operator", "it must be the name under which you are known here")
        await self._partners.formed_there(partner)
        agreement = self._partners.agreement(partner)
        return FederationAnswer(operator=self._operator, open=not agreement.closed_here)

    async def end(self) -> None:
        """A partner ends the agreement."""
        await self._partners.ended_there(current_call().tenant)

    async def offered_systems(self, query: MemberQuery) -> list[OfferedSystem]:
        """Systems registered here that offer one of the services, or all if none is named."""
        return [
            OfferedSystem(
                system_id=str(record.info.system_id),
                system_name=record.info.system_name,
                system_provider=record.info.system_provider,
            )
            for record in self._records.systems.values()
            if isinstance(query.ser_name, Absent)
            or any(service.ser_name in query.ser_name for service in record.resources.services)
        ]
