"""The device: the user's end of a flow (UE, ETSI GS MEC 003, 7.1)."""

from hanse.elements.ue.device import Answer, Device
from hanse.elements.ue.network import HERE, Network

__all__ = ["HERE", "Answer", "Device", "Network"]
