"""Compute driver (Mm7) without processes: an app is a few words that say how it behaves. For tests and trials."""

from hanse.drivers.compute_fake.driver import FakeCompute
from hanse.drivers.compute_fake.machine import Machine

__all__ = ["FakeCompute", "Machine"]
