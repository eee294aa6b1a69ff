"""Consuming a service of another system, platform to platform (ours; see docs/decisions/0006)."""

from __future__ import annotations

from hanse.kit.contract.declare import Api, Stream, anything
from hanse.kit.contract.exchange import Exchange


class ServiceConsumption(Api, bases=("/mpp_fed/v1",)):
    """Step 9 of ETSI GR MEC 035, 6.5.2: any request to a shared service, any answer back, as streams."""

    @anything("/services/{reference}/{rest*}", refuses=(401, 403, 404, 502, 503, 504))
    async def consume(self, reference: str, rest: str, exchange: Exchange) -> Stream:
        """Carry a request to the service that ``reference`` names, below its base, and its answer back."""
