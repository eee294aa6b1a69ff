"""A real operator whose providers only record that they were reached: real guard, table, authenticators and TLS."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from cryptography.hazmat.primitives.serialization import Encoding

from hanse.assembly.builders import Built
from hanse.assembly.catalogue import Element
from hanse.kit.certificates import Identity, client_context
from hanse.kit.contract.call import Caller
from hanse.kit.contract.client import Peer, Transport, client
from hanse.kit.contract.declare import Api, Operation, Stream
from hanse.kit.contract.direct import direct
from hanse.kit.contract.listen import Listener
from hanse.kit.contract.observe import Silence
from hanse.kit.contract.reference import ReferencePoint, offers_of
from hanse.kit.contract.transport import HttpTransport, MemoryTransport
from hanse.kit.problems import Problem
from hanse.refpoints.table import REFERENCE_POINTS
from tests.contract.samples import arguments_of

REACHED = 418
APP = "app-1"


@dataclass(frozen=True)
class Target:
    """An operation of an element, and the roles that the table lets use it."""

    api: type[Api]
    operation: Operation
    users: frozenset[str]


@dataclass
class RecordedOperator:
    """Elements of north with recording providers; ``seen`` has the operations that the last call reached."""

    built: Built
    bound: dict[str, Listener]
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for element in self.built.wiring.chosen:
            providers = {target.api: recording(target.api, self.seen) for target in targets(element.role)}
            self.built.wiring.provide(element, providers)

    def element(self, role: str) -> Element:
        """The element of north that has a role."""
        return next(e for e in self.built.wiring.chosen if e.role == role)

    def transport(self, how: str, provider: Element, identity: Identity | None) -> Transport:
        """A way to an element, on which a certificate is shown, or none."""
        wiring = self.built.wiring
        if how == "memory":
            der = identity.certificate.public_bytes(Encoding.DER) if identity else None
            return MemoryTransport(self.bound[provider.name].application, client_certificate=der)
        trust = [wiring.identities.authority_path]
        return HttpTransport(provider.url, client_context(trust, identity), name=provider.name, connections=4)

    def direct(self, target: Target, provider: Element, caller: Caller) -> Any:
        """The provider itself as a caller in the same process has it."""
        return direct(target.api, recording(target.api, self.seen), self.built.wiring.gate(provider), caller)

    async def outcome(self, target: Target, provider: Any) -> tuple[int, bool]:
        """The status of one call, and whether it reached the provider."""
        self.seen.clear()
        method = getattr(provider, target.operation.name)
        try:
            result = await method(**arguments_of(target.operation, {"app_instance_id": APP}))
            status = result.status if isinstance(result, Stream) else target.operation.success
        except Problem as problem:
            status = problem.status
        return status, self.seen == [target.operation.name]


def remote(target: Target, transport: Transport, provider: Element, token: str | None) -> Any:
    """The provider over HTTP, with a whole ``Authorization`` header or none."""
    caller = Caller(role="whoever", name="whoever", operator="north")
    peer = Peer(provider.name, transport, caller, "test", Silence(), authorize=_showing(token) if token else None)
    return client(target.api, peer)


def targets(role: str, points: Sequence[ReferencePoint] = REFERENCE_POINTS) -> list[Target]:
    """Every operation that an element of this role offers, once."""
    users: dict[tuple[type[Api], str], set[str]] = {}
    for _, offer in offers_of(points, role):
        for name in offer.only or offer.api.operations:
            users.setdefault((offer.api, name), set()).update(offer.users)
    return [Target(api, api.operations[name], frozenset(who)) for (api, name), who in users.items()]


def recording(api: type[Api], seen: list[str]) -> Api:
    """A provider of an API that notes each call and answers it with a problem that nobody else makes."""
    return cast(Api, type(f"Recorded{api.__name__}", (), dict(_methods(api, seen)))())


def _methods(api: type[Api], seen: list[str]) -> Iterator[tuple[str, Callable[..., Awaitable[Any]]]]:
    for name in api.operations:

        async def method(_self: object, *, _name: str = name, **_arguments: Any) -> Any:
            seen.append(_name)
            raise Problem(REACHED, "Reached", _name)

        yield name, method


def _showing(token: str) -> Callable[[bool], Awaitable[dict[str, str]]]:
    async def authorize(_renew: bool) -> dict[str, str]:
        return {"authorization": token}

    return authorize
