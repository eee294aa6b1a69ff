"""North with recording providers and real credentials of every kind, to ask who reaches what."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from hanse.assembly.catalogue import OF_HOST, OF_OPERATOR
from hanse.assembly.identities import Identities
from hanse.assembly.token_endpoint import TOKEN_PATH
from hanse.elements.mep import Platform
from hanse.kit.certificates import Identity
from hanse.kit.contract.client import Transport
from hanse.kit.contract.transport import HttpTransport
from hanse.kit.tokens import TokenIssuer
from hanse.refpoints.mm5.platform import AppConfiguration
from tests.bounds import SOON
from tests.contract.recorded import APP, REACHED, RecordedOperator, Target, remote, targets
from tests.contract.samples import sample
from tests.contract.wired import deployed, listening, put_together, secret_of, taken_apart

ROLES = (*OF_OPERATOR, *OF_HOST)
WIRES = ("memory", "socket")
NAMES = [*OF_OPERATOR, *(f"{role}.harbour" for role in OF_HOST)]
GONE = "app-gone"


@dataclass(frozen=True)
class World:
    """North with recording providers, and the identities of both operators."""

    north: RecordedOperator
    south: Identities
    issuer: Callable[..., TokenIssuer]

    def identity(self, role: str) -> Identity:
        """The certificate that north gives to one in this role."""
        identities = self.north.built.wiring.identities
        if role in ROLES:
            return identities.of_element(self.north.element(role))
        return identities.issue({"customer": "customer.acme"}.get(role, role))


@asynccontextmanager
async def begun(directory: Path) -> AsyncIterator[World]:
    """North, listening on addresses of its own; two apps are known to its platform, one is known no more."""
    with deployed(directory) as deployment:
        built = put_together(deployment, NAMES)
        platform, watch = built.part("mep.harbour"), built.watch(built.wiring.elements["border"])
        assert isinstance(platform, Platform)
        for app in (APP, "app-2", GONE):
            known = msgspec.structs.replace(sample(AppConfiguration), app_instance_id=app)
            await platform.configuration.configure(app, known)
        await platform.configuration.forget(GONE)
        await watch.look()
        north = RecordedOperator(built, {})
        north.bound.update(listening(built))
        for listener in north.bound.values():
            await listener.start()
        try:
            yield World(north, Identities(deployment.settings("south")), _issuers(north))
        finally:
            await taken_apart(built, north.bound)


def _issuers(north: RecordedOperator) -> Callable[..., TokenIssuer]:
    """The issuer of an element's tokens; with ``stranger`` one of that name with another key."""

    def issuer(role: str, *, stranger: bool = False, ago: float = 0.0) -> TokenIssuer:
        element, wiring = north.element(role), north.built.wiring
        name = wiring.settings.federation_url if role == "border" else element.url
        key = ec.generate_private_key(ec.SECP256R1()) if stranger else wiring.directory / f"{element.name}.tokens.pem"
        return TokenIssuer(key, issuer=name, clock=lambda: time.time() - ago)

    return issuer


@asynccontextmanager
async def reached(world: World, how: str, role: str, identity: Identity | None) -> AsyncIterator[Transport]:
    transport = world.north.transport(how, world.north.element(role), identity)
    try:
        yield transport
    finally:
        if isinstance(transport, HttpTransport):
            await transport.close()


async def granted(world: World, role: str, client: str) -> str:
    """A token as a client gets it from the element's own endpoint."""
    form = f"grant_type=client_credentials&client_id={client}&client_secret={secret_of(client)}".encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    async with reached(world, "memory", role, None) as transport:
        answer = await transport.send("POST", TOKEN_PATH, headers, form, SOON)
        told = json.loads(b"".join([chunk async for chunk in answer.chunks]))
    return f"Bearer {told['access_token']}"


async def wrong(
    world: World,
    how: str,
    role: str,
    identity: Identity | None,
    token: str | None,
    expected: Callable[[Target], set[int]],
) -> list[str]:
    """The operations of an element that answer a caller otherwise than expected, or reach the provider unduly."""
    provider, found = world.north.element(role), []
    async with reached(world, how, role, identity) as transport:
        for target in targets(role):
            status, seen = await world.north.outcome(target, remote(target, transport, provider, token))
            legal = expected(target)
            if status not in legal or seen is not (REACHED in legal):
                found.append(f"{target.operation.name}: {status}, {'reached' if seen else 'not reached'}")
    return found
