"""The sandbox: one MEC host in one process, for those who write applications; nothing of it is an operator's."""

from hanse.assembly.sandbox.host import Sandbox
from hanse.assembly.sandbox.options import Options
from hanse.assembly.sandbox.seed import Seed, read_seed

__all__ = ["Options", "Sandbox", "Seed", "read_seed"]
