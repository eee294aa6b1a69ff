"""Which of the services that were found elsewhere a platform goes on remembering; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hanse.elements.mep.records import RemoteService

REMOTE_KEPT = 10_000
"""Services elsewhere that a platform remembers; beyond them the oldest go, which a new look-up brings back."""


def room_for(known: int, seen: Mapping[str, RemoteService]) -> bool:
    """Whether so many services and those of a look-up may all be remembered: then only their places matter."""
    return known + len(seen) <= REMOTE_KEPT


def forgettable(known: Iterable[RemoteService], seen: Mapping[str, RemoteService]) -> list[str]:
    """The ids of those of ``known``, oldest first, that a look-up makes superfluous which found ``seen``, by their ids.

    It tells all services of a name that the nearest platform has. So others of that name, system and zone are gone;
    those of other zones are not: they may be the nearest ones for other devices.
    """
    answered = {place_of(service) for service in seen.values()}
    others = {identifier: service for service in known if (identifier := _identifier(service)) not in seen}
    gone = [identifier for identifier, service in others.items() if place_of(service) in answered]
    kept = [identifier for identifier, service in others.items() if place_of(service) not in answered]
    return gone + kept[: max(0, len(kept) + len(seen) - REMOTE_KEPT)]


def _identifier(remote: RemoteService) -> str:
    return str(remote.service.ser_instance_id)


def place_of(remote: RemoteService) -> tuple[str, str, str]:
    """What a look-up tells all of: the services of a name, system and zone."""
    return remote.service.ser_name, remote.system, remote.zone
