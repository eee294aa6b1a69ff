"""Federation manager: forms federations and knows their members (ETSI GR MEC 035, 6.2; ETSI GS MEC 040)."""

from hanse.elements.federation_manager.element import FederationManager

__all__ = ["FederationManager"]
