"""What a caller of each role shows, good and bad in every way: certificates, tokens, and both together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from hanse.assembly.servers import access_of
from hanse.elements.federation_manager import FederationManager
from hanse.kit.certificates import Authority, Identity
from hanse.kit.contract.call import NOBODY, Caller
from tests.contract.recorded import APP
from tests.contract.wired import CLIENTS, secret_of
from tests.contract.world import ROLES, World, granted

NONE, MALFORMED, EXPIRED, REVOKED = "no token", "malformed", "expired", "revoked"
ANOTHERS, FOREIGN, RIGHT = "another app's", "another operator's", "right"
KINDS = (NONE, MALFORMED, EXPIRED, REVOKED, ANOTHERS, FOREIGN, RIGHT)
"""The columns of the matrix; where no app calls, "another app's" is that of another element, client or partner."""
OTHER_APP = "app-2"


@dataclass(frozen=True)
class Shown:
    """What is shown on a wire: a certificate, an ``Authorization`` header, or both."""

    identity: Identity | None = None
    token: str | None = None


def means_of(provider: str, user: str) -> tuple[str, ...]:
    """The ways in which a role shows to a provider who it is."""
    if user == "app":
        return ("token",)
    if user == "partner":
        return ("both",)
    managed = {"oss": ("customer", "administrator"), "meo": ("oss",)}
    return ("certificate", "token") if user in managed.get(provider, ()) else ("certificate",)


def caller_of(user: str, kind: str) -> Caller:
    """A caller as elements of one process are handed it; there is nothing to be shown, so nothing of it can expire."""
    home = "south" if user == "partner" else "north"
    own = home if user == "partner" else APP
    right = Caller(role=user, name=user, operator=home, subject=own)
    if kind == FOREIGN:
        away = "north" if user == "partner" else "south"
        return Caller(role=user, name=user, operator=away, subject=away if user == "partner" else own)
    if kind == ANOTHERS:
        return _anothers(user, home)
    return {NONE: NOBODY, RIGHT: right}[kind]


def _anothers(user: str, home: str) -> Caller:
    if user == "app":
        return Caller(role=user, name=user, operator=home, subject=OTHER_APP)
    if user == "partner":
        return Caller(role=user, name=user, operator=home, subject="west")
    return Caller(role="passer-by", name="passer-by", operator=home, trusted=True)


@asynccontextmanager
async def showing(world: World, provider: str, user: str, means: str, kind: str) -> AsyncIterator[Shown]:
    """What ``user`` shows to ``provider``; what was revoked for it holds again afterwards."""
    if kind == NONE:
        yield Shown()
    elif means == "certificate":
        async with _certificate(world, user, kind) as identity:
            yield Shown(identity)
    elif user == "app":
        yield Shown(token=_of_app(world, kind))
    elif user == "partner":
        async with _of_partner(world, kind) as shown:
            yield shown
    else:
        async with _of_client(world, provider, user, kind) as token:
            yield Shown(token=token)


@asynccontextmanager
async def _certificate(world: World, user: str, kind: str) -> AsyncIterator[Identity]:
    """North's certificate for a role, or one that is wrong in one way."""
    identities = world.north.built.wiring.identities
    if kind == FOREIGN:
        yield world.south.issue(user)
    elif kind == MALFORMED:
        yield identities.of_operator()  # it names no element
    elif kind == ANOTHERS:
        yield identities.issue("passer-by")
    elif kind == EXPIRED:
        yield ended(identities.authority, f"hanse://north/{user}", identities.revoked_path.parent / "ended")
    elif kind == REVOKED:
        identity = identities.issue(user if user not in ROLES else f"{user}.revoked")
        identities.revoke(identity.certificate, user)
        try:
            yield identity
        finally:
            identities.revoked_path.unlink()
    else:
        yield world.identity(user)


def ended(authority: Authority, uri: str, directory: Path) -> Identity:
    """A certificate of an authority that has ended a minute ago."""
    directory.mkdir(exist_ok=True)
    past = Authority(authority.certificate_path, authority.certificate, authority.key, lambda: authority.clock() - 120)
    name = uri.removeprefix("hanse://").replace("/", "-")
    return past.issue(name, uri=uri, lifetime=timedelta(seconds=60), directory=directory)


def _of_app(world: World, kind: str) -> str:
    """A token of the platform, or one that is wrong in one way."""
    audience = world.north.element("mep").url
    issuer = world.issuer("mep", stranger=kind == FOREIGN, ago=120 if kind == EXPIRED else 0)
    issued = issuer.issue(OTHER_APP if kind == ANOTHERS else APP, audience=audience, lifetime=60)
    if kind == REVOKED:
        access_of(world.north.built.part("mep.harbour")).revoke(issued.jti)
    return f"Bearer {issued.access_token[:-30] if kind == MALFORMED else issued.access_token}"


@asynccontextmanager
async def _of_client(world: World, provider: str, user: str, kind: str) -> AsyncIterator[str]:
    """A client's token as it gets it, or one that is wrong in one way; rotated: the secret is another one now."""
    client = CLIENTS[user]
    good = await granted(world, provider, client)
    audience = world.north.element(provider).url
    file = world.north.built.wiring.settings.file(client)
    if kind == MALFORMED:
        yield good[:-30]
    elif kind in (EXPIRED, FOREIGN):
        issuer = world.issuer(provider, stranger=kind == FOREIGN, ago=120 if kind == EXPIRED else 0)
        yield f"Bearer {issuer.issue(client, audience=audience, lifetime=60).access_token}"
    elif kind == ANOTHERS:
        elsewhere = "meo" if provider == "oss" else "oss"
        yield await granted(world, elsewhere, CLIENTS["oss" if elsewhere == "meo" else "customer"])
    elif kind == REVOKED:
        file.write_text("rotated" * 8)
        try:
            yield good
        finally:
            file.write_text(secret_of(client))
    else:
        yield good


@asynccontextmanager
async def _of_partner(world: World, kind: str) -> AsyncIterator[Shown]:
    """South's certificate and a token bound to it, or a pair that is wrong in one way; revoked: it has ended it all."""
    own, built = world.south.of_operator(), world.north.built
    if kind == FOREIGN:
        west = Authority.ensure(built.wiring.directory / "west", "west")
        own = west.issue(
            "west", uri="hanse://west", lifetime=timedelta(hours=1), directory=built.wiring.directory / "west"
        )
    watch = built.watch(built.wiring.elements["border"])
    claims = {"epoch": watch.epoch("south")}
    issuer = world.issuer("border", ago=120 if kind == EXPIRED else 0)
    token = issuer.issue(
        "west" if kind == ANOTHERS else "south",
        audience=built.wiring.settings.federation_url,
        lifetime=60,
        bound_to=own.thumbprint,
        claims=claims,
    ).access_token
    if kind == REVOKED:
        manager = built.part("federation_manager")
        assert isinstance(manager, FederationManager)
        await manager._partners.ended_there("south")
        await watch.look()
        try:
            yield Shown(own, f"Bearer {token}")
        finally:
            await manager._partners.formed_there("south")
            await watch.look()
    else:
        yield Shown(own, f"Bearer {token[:-30] if kind == MALFORMED else token}")
