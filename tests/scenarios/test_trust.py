"""Trust: who is let in at a real border and at real platforms, and that a refused one changes nothing."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hanse.assembly.administration import administration
from hanse.assembly.catalogue import elements
from hanse.assembly.identities import Identities
from hanse.assembly.onboarding import take_down
from hanse.kit.certificates import Authority, Identity, client_context
from hanse.kit.problems import MARK
from hanse.kit.tokens import TokenIssuer
from hanse.refpoints.mfm_fed.members import Partner
from tests.lateness import lateness
from tests.scenarios.scene import PATIENCE, App, Scene, ask, bearer, until_available

HANDSHAKE = 0
"""In the place of a status: TLS itself refused."""
DAY = timedelta(days=1)
ATTACK = ("DELETE", "/mff_fed/v1/federation")
"""What a partner may do and no stranger: it would end the agreement."""
FORM = {"content-type": "application/x-www-form-urlencoded"}
HOSTS = ("navigation", "valley", "summit")


def authority_of(scene: Scene, operator: str) -> Path:
    return scene.stage.operator(operator).directory / "certificates" / f"{operator}.ca.pem"


def shown(scene: Scene, identity: Identity | None) -> ssl.SSLContext:
    """TLS towards south's border with a certificate, or without."""
    return client_context([authority_of(scene, "south")], identity)


def norths(scene: Scene) -> Identity:
    return Identities(scene.north).of_operator()


def issuer(scene: Scene, age: float = 0.0, name: str = "") -> TokenIssuer:
    """South's own issuer, ``age`` seconds ago: the test holds its key."""
    key = scene.south.directory / "border.tokens.pem"
    return TokenIssuer(key, issuer=name or scene.south.federation_url, clock=lambda: time.time() - age)


async def as_partner(scene: Scene, context: ssl.SSLContext, token: str | None, call: tuple[str, str] = ATTACK) -> int:
    """The status of an answer of south's border."""
    headers = {} if token is None else bearer(token)
    try:
        return (await ask(call[0], scene.south.federation_url + call[1], context, headers)).status
    except (aiohttp.ClientError, OSError):
        return HANDSHAKE


async def fresh(scene: Scene) -> str:
    """A token as north gets it."""
    form = b"grant_type=client_credentials&client_id=north"
    told = await ask("POST", f"{scene.south.federation_url}/oauth2/token", shown(scene, norths(scene)), FORM, form)
    return str(told.value["access_token"])


async def standing(scene: Scene) -> Partner:
    async with administration(scene.south) as oss:
        return (await oss.overview.overview()).partners[0]


@asynccontextmanager
async def unmoved(scene: Scene) -> AsyncIterator[None]:
    """The agreement stands as it stood."""
    before = await standing(scene)
    yield
    after = await standing(scene)
    assert (after.open, after.epoch) == (before.open, before.epoch) == (True, before.epoch)


async def test_a_partner_with_its_certificate_and_token_is_let_in(scene: Scene) -> None:
    """Else every refusal below would prove nothing."""
    context = shown(scene, norths(scene))
    assert await as_partner(scene, context, await fresh(scene), ("GET", "/mff_fed/v1/systems")) == 200
    made = await minted(scene)
    assert await as_partner(scene, context, made, ("GET", "/mff_fed/v1/systems")) == 200


CERTIFICATES = {
    "none": HANDSHAKE,
    "of another authority": HANDSHAKE,
    "for another operator": 401,
    "for the called operator": 401,
    "for an element": 401,
}


@pytest.mark.parametrize("kind", CERTIFICATES)
async def test_nobody_is_let_in_by_another_certificate(scene: Scene, tmp_path: Path, kind: str) -> None:
    strangers = Authority.ensure(tmp_path, "strangers")
    partner = Identities(scene.north).authority
    made: dict[str, Callable[[], Identity | None]] = {
        "none": lambda: None,
        "of another authority": lambda: strangers.issue("n", uri="hanse://north", lifetime=DAY, directory=tmp_path),
        "for another operator": lambda: partner.issue("n", uri="hanse://east", lifetime=DAY, directory=tmp_path),
        "for the called operator": lambda: partner.issue("n", uri="hanse://south", lifetime=DAY, directory=tmp_path),
        "for an element": lambda: partner.issue("n", uri="hanse://north/meo", lifetime=DAY, directory=tmp_path),
    }
    identity = made[kind]()
    context = shown(scene, identity)
    async with unmoved(scene):
        bound = identity.thumbprint if identity else None
        token = await minted(scene, bound_to=bound)
        assert await as_partner(scene, context, token) == CERTIFICATES[kind]
        form = b"grant_type=client_credentials&client_id=north"
        try:
            told = await ask("POST", f"{scene.south.federation_url}/oauth2/token", context, FORM, form)
        except (aiohttp.ClientError, OSError):
            assert CERTIFICATES[kind] == HANDSHAKE
        else:
            assert told.status == 401


async def test_older_tls_is_not_spoken(scene: Scene) -> None:
    context = shown(scene, norths(scene))
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with unmoved(scene):
        assert await as_partner(scene, context, await fresh(scene)) == HANDSHAKE


async def minted(scene: Scene, age: float = 0.0, name: str = "", **changes: Any) -> str:
    """A token by south's own key, as north would get it but for ``changes``."""
    epoch = (await standing(scene)).epoch
    wanted: dict[str, Any] = {
        "subject": "north",
        "audience": [scene.south.federation_url],
        "lifetime": 300.0,
        "bound_to": norths(scene).thumbprint,
        "claims": {"epoch": epoch},
    }
    wanted |= changes
    return issuer(scene, age, name).issue(wanted.pop("subject"), **wanted).access_token


async def forged(scene: Scene, tmp_path: Path, kind: str) -> str | None:
    """A token that must not be taken."""
    good = await fresh(scene)
    head, payload, signature = good.split(".")
    stranger = TokenIssuer(tmp_path / "key.pem", issuer=scene.south.federation_url)
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').rstrip(b"=").decode()
    epoch = (await standing(scene)).epoch
    bound, audience = norths(scene).thumbprint, scene.south.federation_url
    kinds: dict[str, Any] = {
        "no token": lambda: None,
        "an empty one": lambda: "",
        "a malformed one": lambda: "a.b.c",
        "a very long one": lambda: good + "A" * 20_000,
        "a changed signature": lambda: f"{head}.{payload}.{signature[::-1]}",
        "without signature": lambda: f"{none}.{payload}.",
        "a foreign key": lambda: (
            stranger.issue(
                "north", audience=audience, lifetime=60, bound_to=bound, claims={"epoch": epoch}
            ).access_token
        ),
    }
    token: str | None = kinds[kind]()
    return token


@pytest.mark.parametrize(
    "kind",
    [
        "no token",
        "an empty one",
        "a malformed one",
        "a very long one",
        "a changed signature",
        "without signature",
        "a foreign key",
    ],
)
async def test_nobody_is_let_in_by_a_token_that_south_did_not_issue(scene: Scene, tmp_path: Path, kind: str) -> None:
    async with unmoved(scene):
        token = await forged(scene, tmp_path, kind)
        assert await as_partner(scene, shown(scene, norths(scene)), token) == 401


CHANGED: dict[str, dict[str, Any]] = {
    "expired": {"age": 301.0},
    "of a foreign issuer": {"name": "https://elsewhere.example"},
    "for somebody else": {"audience": ["https://elsewhere.example"]},
    "bound to another certificate": {"bound_to": "A" * 43},
    "bound to none": {"bound_to": None},
    "of another partner": {"subject": "east"},
    "of an earlier agreement": {"claims": {"epoch": 0}},
    "of no agreement": {"claims": {}},
}


@pytest.mark.parametrize("kind", CHANGED)
async def test_nobody_is_let_in_by_a_token_that_does_not_hold_here_and_now(scene: Scene, kind: str) -> None:
    async with unmoved(scene):
        token = await minted(scene, **CHANGED[kind])
        assert await as_partner(scene, shown(scene, norths(scene)), token) == 401


async def test_a_path_does_not_lead_out_of_a_shared_service(scene: Scene) -> None:
    context, known = shown(scene, norths(scene)), bearer(await fresh(scene))
    url = scene.south.federation_url
    system = (await ask("GET", f"{url}/mff_fed/v1/systems", context, known)).value[0]["systemId"]
    offers = (await ask("GET", f"{url}/meo_fed/v1/systems/{system}/platforms", context, known)).value
    reference = offers[0]["services"][0]["reference"]
    base = f"/mpp_fed/v1/services/{reference}"
    assert (await ask("POST", f"{url}{base}/echo", context, known, b"hello")).body == b"hello"
    for path in ("/../healthz", "/%2e%2e/healthz", "/echo/%2E./../healthz"):
        head = await raw_head(scene.south.federation_url, context, f"GET {base}{path}", known)
        assert head.startswith(b"HTTP/1.1 404")
        assert MARK.encode() in head.lower(), "it was not the border that refused, but the application"


async def raw_head(url: str, context: ssl.SSLContext, request: str, headers: dict[str, str]) -> bytes:
    """The head of the answer to a request whose path no client tidies up."""
    host, _, port = url.removeprefix("https://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=context)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"{request} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{lines}\r\n".encode())
    async with asyncio.timeout(PATIENCE):
        head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return head


async def test_closing_the_agreement_ends_issued_tokens_for_good(scene: Scene) -> None:
    context, reading = shown(scene, norths(scene)), ("GET", "/mff_fed/v1/systems")
    token = await fresh(scene)
    assert await as_partner(scene, context, token, reading) == 200
    async with administration(scene.south) as oss:
        await oss.overview.close_agreement("north")
        began = time.monotonic()
        async with lateness() as late:
            while await as_partner(scene, context, token, reading) not in (401, 403):
                assert time.monotonic() - began < 1.0 + late.seconds, "within a second"
                await asyncio.sleep(0.05)
        await asyncio.sleep(1.0)
        assert await as_partner(scene, context, token, reading) in (401, 403)
        await oss.overview.open_agreement("north")
    await until_available(scene.south)
    assert await as_partner(scene, context, token, reading) == 401
    assert await as_partner(scene, context, await fresh(scene), reading) == 200


def app_issuer(scene: Scene, app: App, age: float = 0.0) -> TokenIssuer:
    """The issuer of an app's platform, ``age`` seconds ago."""
    settings = next(s for s in (scene.north, scene.south) for e in elements(s).values() if e.url == app.platform)
    name = next(e.name for e in elements(settings).values() if e.url == app.platform)
    return TokenIssuer(settings.directory / f"{name}.tokens.pem", issuer=app.platform, clock=lambda: time.time() - age)


@pytest.mark.parametrize("name", HOSTS)
async def test_an_app_is_let_in_by_its_own_token_alone_at_every_platform(scene: Scene, name: str) -> None:
    app, others = scene.app(name), [scene.app(other) for other in HOSTS if other != name]
    rules = f"{app.support}/traffic_rules"

    async def with_token(token: str | None, url: str = rules) -> int:
        return (await ask("GET", url, app.context(), bearer(token) if token is not None else {})).status

    now, past = app_issuer(scene, app), app_issuer(scene, app, age=400)
    assert await with_token(await app.token()) == 200
    good = now.issue(app.identifier, audience=app.platform, lifetime=60).access_token
    assert await with_token(good) == 200
    assert await with_token(None) == 401
    assert await with_token("nonsense") == 401
    assert await with_token(past.issue(app.identifier, audience=app.platform, lifetime=300).access_token) == 401
    assert await with_token(now.issue("nobody", audience=app.platform, lifetime=60).access_token) == 401
    assert await with_token(now.issue(app.identifier, audience="https://x.example", lifetime=60).access_token) == 401
    for other in others:
        assert await with_token(await other.token()) == 401
        theirs = rules.replace(app.identifier, other.identifier)
        assert await with_token(await app.token(), theirs) == 403
        told = await app.ask("POST", app.services.replace(app.identifier, other.identifier), {"serName": "x"})
        assert told.status == 403


async def test_an_app_that_is_gone_is_not_let_in_by_what_it_had(scene: Scene) -> None:
    """The last test of the module: it takes an application down."""
    app = scene.app("summit")
    token, context = await app.token(), app.context()
    assert (await ask("GET", f"{app.support}/traffic_rules", context, bearer(token))).status == 200
    async with administration(scene.south) as oss:
        await take_down(oss.lifecycle, app.identifier)
    assert (await ask("GET", f"{app.support}/traffic_rules", context, bearer(token))).status == 401
    form = {"grant_type": "client_credentials", "client_id": app.identifier}
    form["client_secret"] = app.environment["MEC_CLIENT_SECRET"]
    told = await ask("POST", f"{app.platform}/oauth2/token", context, body=aiohttp.FormData(form))
    assert told.status == 401
    assert json.loads(told.body)["error"] == "invalid_client"
