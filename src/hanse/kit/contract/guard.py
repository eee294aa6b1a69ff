"""The one guard: it authorises every call, in every wiring, by the table of reference points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hanse.kit.contract.call import Caller
from hanse.kit.contract.declare import Api
from hanse.kit.contract.reference import ReferencePoint
from hanse.kit.problems import Problem, forbidden

PARTNER = "partner"
"""The one role in which another operator calls; a caller in any other is of the operator that it calls."""


class Guard:
    """Knows for each operation of each provider which roles may call it, and what must be the caller's own."""

    def __init__(self, points: Sequence[ReferencePoint]) -> None:
        self._table: dict[tuple[type[Api], str, str], dict[str, tuple[str, str]]] = {}
        for point in points:
            for offer in point.offers:
                for operation in offer.only or tuple(offer.api.operations):
                    users = self._table.setdefault((offer.api, offer.provider, operation), {})
                    named = offer.api.operations[operation].path_parameters
                    for user in offer.users:
                        own = offer.own.get(user, "")
                        users.setdefault(user, (point.name, own if own in named else ""))

    def admit(
        self,
        api: type[Api],
        provider: str,
        operation: str,
        caller: Caller,
        arguments: Mapping[str, Any],
        operator: str,
    ) -> str:
        """The name of the reference point on which ``caller`` may make this call on ``operator``; else a problem 403.

        What a role may do it may do at its own operator alone, however the call came: the wire, which tells operators
        apart by their authorities, is not there between elements of one process.
        """
        users = self._table.get((api, provider, operation), {})
        entry = users.get(caller.role)
        if entry is None:
            raise forbidden("Not allowed", f"{caller.role} may not call {operation} of {provider}")
        if not _belongs(caller, operator):
            raise forbidden("Not allowed", f"{caller.role} of another operator may not call {operation} of {provider}")
        point, own = entry
        if own and arguments.get(own) != caller.subject:
            raise self.not_own(own, str(arguments.get(own)))
        return point

    def not_own(self, parameter: str, value: str) -> Problem:  # noqa: ARG002 (for who tells more)
        """The refusal of a call on what is another's or nobody's: 403 for both, so that nobody learns what there is."""
        return forbidden("Not yours", f"{parameter} must be the caller's own")

    def users(self, api: type[Api], provider: str, operation: str) -> dict[str, str]:
        """The roles that may make a call, each with its reference point."""
        return {role: point for role, (point, _) in self._table.get((api, provider, operation), {}).items()}


def _belongs(caller: Caller, operator: str) -> bool:
    """Whether a caller is of the operator that its role says: a partner is another, and speaks for itself."""
    if caller.role == PARTNER:
        return caller.operator == caller.subject != operator
    return caller.operator == operator
