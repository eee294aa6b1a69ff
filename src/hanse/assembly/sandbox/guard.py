"""The guard of a sandbox: it tells what is not there from what is another's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hanse.kit.contract.guard import Guard
from hanse.kit.contract.reference import ReferencePoint
from hanse.kit.problems import Problem, not_found
from hanse.refpoints.mp1 import OWN


class SandboxGuard(Guard):
    """404 for an application instance that is not there, as test suites of the standard expect (MEC 011, 7.2.3.3.1).

    A platform of an operator says 403 to both, for the instances that it has are nobody else's business. Here all of
    them are the developer's own.
    """

    def __init__(self, points: Sequence[ReferencePoint], there: Callable[[str], bool]) -> None:
        super().__init__(points)
        self._there = there

    def not_own(self, parameter: str, value: str) -> Problem:
        """404 or 403."""
        if parameter in OWN.values() and not self._there(value):
            return not_found("application instance", value[:200])
        return super().not_own(parameter, value)
