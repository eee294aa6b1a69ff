"""The index of services, a host's own and its neighbours': by id and by name.

The answers to the commonest question are made beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from hanse.kit.contract.declare import Prepared
from hanse.kit.values import ABSENT
from hanse.refpoints.mp1.services import ServiceInfo, ServiceQuery, ServiceState

_encode = msgspec.json.Encoder().encode


class ServiceIndex:
    """Services as Mp1 shows them; what follows from a change is worked out once, not for each question.

    ``changed`` is called after each change of a service of this host.
    """

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._changed = changed
        self._by_id: dict[str, ServiceInfo] = {}
        self._by_name: dict[str, dict[str, ServiceInfo]] = {}
        self._prepared: dict[str, Prepared[ServiceInfo]] = {}
        self._elsewhere: set[str] = set()

    def find(self, service_id: str) -> ServiceInfo | None:
        """The service of that id."""
        return self._by_id.get(service_id)

    def candidates(self, query: ServiceQuery) -> Iterable[ServiceInfo]:
        """Services that may fit a query, by the narrowest of its names; suspended ones are not discoverable.

        Those of this host come first: who takes the first takes the nearest.
        """
        found = [s for s in self._named(query) if s.state is not ServiceState.SUSPENDED]
        if self._elsewhere:
            found.sort(key=lambda s: s.ser_instance_id in self._elsewhere)
        return found

    def of_name(self, query: ServiceQuery) -> Prepared[ServiceInfo] | None:
        """The whole answer, encoded already, to a query for one name and nothing else; ``None`` for any other."""
        names = query.ser_name
        if not isinstance(names, tuple) or len(names) != 1 or not _asks_for_name_only(query):
            return None
        name = names[0]
        prepared = self._prepared.get(name)
        if prepared is None and name in self._by_name:
            found = list(self.candidates(query))
            prepared = self._prepared[name] = Prepared(found, _encode(found))
        return prepared

    def put(self, service: ServiceInfo, *, elsewhere: bool = False) -> None:
        """A service has come or changed, of this host or (``elsewhere``) of a neighbour."""
        identifier = str(service.ser_instance_id)
        self._drop(identifier)
        self._by_id[identifier] = service
        self._prepared.pop(service.ser_name, None)
        self._by_name.setdefault(service.ser_name, {})[identifier] = service
        if elsewhere:
            self._elsewhere.add(identifier)
        else:
            self._changed()

    def remove(self, service_id: str) -> None:
        """A service has gone; an unknown one is no error."""
        self._drop(service_id)
        if service_id in self._elsewhere:
            self._elsewhere.remove(service_id)
        else:
            self._changed()

    def _drop(self, service_id: str) -> None:
        service = self._by_id.pop(service_id, None)
        if service is None:
            return
        self._prepared.pop(service.ser_name, None)
        named = self._by_name[service.ser_name]
        del named[service_id]
        if not named:
            del self._by_name[service.ser_name]

    def _named(self, query: ServiceQuery) -> Iterable[ServiceInfo]:
        if isinstance(query.ser_instance_id, tuple):
            return [self._by_id[i] for i in dict.fromkeys(query.ser_instance_id) if i in self._by_id]
        if isinstance(query.ser_name, tuple):
            return [s for name in dict.fromkeys(query.ser_name) for s in self._by_name.get(name, {}).values()]
        return self._by_id.values()


def _asks_for_name_only(query: ServiceQuery) -> bool:
    return (
        query.ser_instance_id is ABSENT
        and query.ser_category_id is ABSENT
        and query.scope_of_locality is ABSENT
        and query.consumed_local_only is ABSENT
        and query.is_local is ABSENT
    )
