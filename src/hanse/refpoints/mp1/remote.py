"""Mp1, consumption through the platform: how an app calls a service that another platform offers.

ETSI GR MEC 035, 6.5.2, step 9: the consumer speaks to its own platform, which carries the call over Mpp-fed. The
standard gives no path for it; the consumer learns ours as the ``uris`` of the service that it found.
"""

from __future__ import annotations

from hanse.kit.contract.declare import Api, Stream, anything
from hanse.kit.contract.exchange import Exchange


class RemoteServices(Api, bases=("/mec_remote_services/v1",)):
    """Services of other systems, called through the app's own platform."""

    @anything("/services/{service_id}/{rest*}", refuses=(401, 403, 404, 502, 503, 504))
    async def consume(self, service_id: str, rest: str, exchange: Exchange) -> Stream:
        """Carry any request to the service and its answer back."""
