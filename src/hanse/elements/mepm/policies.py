"""Policies on their way from the orchestrator to the platform (Mm3, Mm5): only the platform keeps them."""

from __future__ import annotations

from hanse.kit.contract.call import current_call
from hanse.kit.contract.forward import forwarding
from hanse.refpoints.mm1.steering import SteeringPolicies


def handed_on(platform: SteeringPolicies) -> SteeringPolicies:
    """A provider whose calls go on to the platform of the host, for the same tenant."""
    return forwarding(SteeringPolicies, platform, lambda: current_call().tenant)
