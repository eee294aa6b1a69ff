"""Consuming a service of another system, platform to platform (ours; see docs/decisions/0006)."""

from __future__ import annotations

from hanse.kit.contract.declare import Api, Stream, anything
from hanse.kit.contract.exchange import Exchange


def as_named(ser_instance_id: str, ser_name: str) -> str:
    """The reference, inside an operator, of a service for as long as it has this name: apps may rename theirs."""
    return f"{ser_instance_id};{ser_name}"


def id_and_name(reference: str) -> tuple[str, str]:
    """The service's id, and the name that it must have; an empty one if any will do."""
    identifier, _, name = reference.partition(";")
    return identifier, name


class ServiceConsumption(Api, bases=("/mpp_fed/v1",)):
    """Step 9 of ETSI GR MEC 035, 6.5.2: any request to a shared service, any answer back, as streams."""

    @anything("/services/{reference}/{rest*}", refuses=(401, 403, 404, 502, 503, 504))
    async def consume(self, reference: str, rest: str, exchange: Exchange) -> Stream:
        """Carry a request to the service that ``reference`` names, below its base, and its answer back."""
