"""Which of the services that were found elsewhere a platform goes on remembering; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hanse.elements.mep.records import RemoteService

REMOTE_KEPT = 10_000
"""Services elsewhere that a platform remembers; beyond them the oldest go, which a new look-up brings back."""


def forgettable(known: Iterable[RemoteService], seen: Mapping[str, RemoteService]) -> list[str]:
    """The ids of those of ``known``, oldest first, that a look-up makes superfluous which found ``seen``, by their ids.

    It tells all services of a name that the nearest platform has. So others of that name, system and zone are gone;
    those of other zones are not: they may be the nearest ones for other devices.
    """
    answered = {_place(service) for service in seen.values()}
    others = {identifier: service for service in known if (identifier := _identifier(service)) not in seen}
    gone = [identifier for identifier, service in others.items() if _place(service) in answered]
    kept = [identifier for identifier, service in others.items() if _place(service) not in answered]
    return gone + kept[: max(0, len(kept) + len(seen) - REMOTE_KEPT)]


def _identifier(remote: RemoteService) -> str:
    return str(remote.service.ser_instance_id)


def _place(remote: RemoteService) -> tuple[str, str, str]:
    return remote.service.ser_name, remote.system, remote.zone
