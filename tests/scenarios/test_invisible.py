"""What is not shared is invisible: the plain bytes of both TLS sockets are searched for what must not cross."""

from __future__ import annotations

import asyncio
import json
import random
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from hanse.assembly.administration import administration
from hanse.assembly.deployment import Deployment
from hanse.kit.certificates import client_context
from hanse.kit.contract.call import UNTRACED
from hanse.kit.telemetry.reader import sightings
from hanse.refpoints.mfm_fed.members import PartnerState
from hanse.scenarios.stage import EXAMPLES, Stage, example_module
from tests.scenarios.conftest import opened
from tests.scenarios.recorder import Recorder, found
from tests.scenarios.scene import App, Scene, Told, ask, bearer, until, until_available

RENAMED = {
    "harbour": "qzharbour",
    "airport": "qzairport",
    "valley": "qzvalley",
    "summit": "qzsummit",
    "south-east": "qzeastern-zone",
    "alice": "qzalice",
    "bob": "qzbob",
    "carol": "qzcarol",
    'directory = "north"': 'directory = "qznorth-state"',
    'directory = "south"': 'directory = "qzsouth-state"',
    "north/cert": "qznorth-state/cert",
    "south/cert": "qzsouth-state/cert",
    'services = ["speech-recognition"]': 'services = ["speech-recognition"], zones = ["south-west"]',
}
"""Names in the configuration that nobody else may learn. Their mark is that they begin with qz."""
TENANTS = {"north": "qznorthern-tenant", "south": "qzsouthern-tenant"}
UNSHARED = "qzunshared-service"
OF_THE_FAILING = (
    "qzserver-name",
    "qzcookie",
    "qzhost-header",
    "qzproxy",
    "qzinternal-base",
    "qzdead-end",
    "qztransport-id",
    "qztransport-name",
    "qztraceback",
    "qzlink-host",
    "qzrelation",
    "qztitle",
)
"""What the failing application has in its URIs and in the heads of its answers."""
BORDER_PORT = 9443


class Watched:
    """Two operators with a recorder before each border, and an application at south that fails as it pleases."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.nets = {"north": scene.stage.networks["127.10."], "south": scene.stage.networks["127.20."]}
        self.recorders = {
            "south": Recorder("north", "south", (self.nets["south"] + "0.2", BORDER_PORT)),
            "north": Recorder("south", "north", (self.nets["north"] + "0.2", BORDER_PORT)),
        }
        self.secrets: dict[str, set[str]] = {"north": set(), "south": set()}

    @asynccontextmanager
    async def recording(self) -> AsyncIterator[None]:
        """Let everything between the operators pass the recorders."""
        self.scene.stage.deployment.prepare()
        authorities = {
            name: s.directory / "certificates" / f"{name}.ca.pem"
            for name, s in self.scene.stage.deployment.operators.items()
        }
        for called, caller in (("south", "north"), ("north", "south")):
            address = self.nets[called] + "0.9"
            as_called = self.scene.identity(called, "called", address)
            as_caller = self.scene.identity(caller, "caller", self.nets[caller] + "0.8")
            await self.recorders[called].start((address, BORDER_PORT), as_called, as_caller, authorities)
        try:
            yield
        finally:
            for recorder in self.recorders.values():
                await recorder.close()

    def said(self, operator: str) -> list[bytes]:
        """All that an operator sent to the other."""
        return [bytes(part) for recorder in self.recorders.values() for part in recorder.said[operator]]

    def shown(self, operator: str) -> set[bytes]:
        """The certificates that it showed."""
        return {der for recorder in self.recorders.values() for der in recorder.certificates[operator]}

    async def as_north(self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None) -> Told:
        """North's own certificate, and whatever somebody with it may send to south's border."""
        authority = self.scene.south.directory / "certificates" / "south.ca.pem"
        context = client_context([authority], self.scene.identity("north", "caller", self.nets["north"] + "0.8"))
        return await ask(method, f"https://{self.nets['south']}0.9:{BORDER_PORT}{path}", context, headers, body)


@pytest.fixture(params=[False, True], ids=["together", "separate"])
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Watched]:
    """Operators whose every name is a canary."""
    directory = tmp_path / "qzstate-path"
    with opened(directory, separate=request.param) as plain:
        disguise(plain.stage)
        yield Watched(Scene(plain.stage))


def disguise(stage: Stage) -> None:
    """Rename what is not shared, and put the recorders' addresses in the place of the partners'."""
    for name in ("north", "south"):
        path = stage.directory / f"{name}.toml"
        text = path.read_text()
        for old, new in RENAMED.items():
            text = text.replace(old, new)
        text = re.sub(r'(url = "https://127\.\d+\.0\.)2:', r"\g<1>9:", text)
        net = stage.networks["127.20."]
        failing = f'\n[callbacks]\nallow = ["{net}1.150", "{net}1.151"]\n' if name == "south" else ""
        path.write_text(text + failing)
    stage.deployment = Deployment(stage.directory / "deployment.toml")
    sources = shutil.copytree(EXAMPLES / "speech", stage.directory / "sources" / "speech")
    definition = sources / "Definitions" / "speech.yaml"
    service = re.search(
        r" +- ser_name: speech-recognition\n(?:.*\n)*? +serializers: \[JSON\]\n", definition.read_text()
    )
    assert service is not None
    more = service[0] + service[0].replace("speech-recognition", UNSHARED)
    definition.write_text(definition.read_text().replace(service[0], more))


async def test_nothing_that_is_not_shared_crosses_whatever_is_asked_and_whatever_fails(watched: Watched) -> None:
    scene = watched.scene
    async with watched.recording(), failing_application(watched.nets["south"] + "1.150") as failing:
        await scene.start()
        await scene.bring_up(f"customer.{TENANTS['north']}", f"customer.{TENANTS['south']}")
        await register_services(watched, failing)
        await use_and_misuse_services(watched)
        await ask_as_a_curious_partner(watched)
        await close(watched)
        apps = {name: scene.app(name) for name in scene.instances}
        await asyncio.to_thread(scene.stage.deployment.stop)  # the journals are whole then
    secrets = canaries(watched, apps)
    for operator in ("north", "south"):
        said = watched.said(operator)
        assert sum(map(len, said)) > 5000, "the recorder saw nothing"
        leaks = found(secrets[operator], said, watched.shown(operator))
        assert not leaks, f"{operator} told\n" + "\n".join(leaks)


async def test_the_search_finds_what_it_is_to_find(watched: Watched) -> None:
    assert found(["speech-recognition"], [b"POST /x?n=speech%2Drecognition"], [])
    assert found(["qzsecret"], [b'{"a": "' + b"xqzsecret".hex().encode() + b'"}'], [])
    assert found(["qzsecret-of-south"], [b"GET / HTTP/1.1\r\nx: AHF6c2VjcmV0LW9mLXNvdXRo"], [])


@asynccontextmanager
async def failing_application(address: str) -> AsyncIterator[str]:
    """An application that tells too much in the heads of its failures; where it answers."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
        status = b"302 Found" if head.endswith(b"moved") else b"500 Oh"
        location = f"http://{address}:8090/qzinternal-base/elsewhere".encode()
        extra = b"server: qzserver-name\r\nset-cookie: a=qzcookie\r\nx-host: qzhost-header\r\nvia: qzproxy\r\n"
        body = b"it has gone" if head.endswith(b"moved") else b"qztraceback"
        extra += b"link: <" + location + b'>; rel="first", <http://qzlink-host/>; rel="next", </>; rel="qzrelation"\r\n'
        extra += b'link: <?at=2>; rel="next"; title="qztitle"\r\n'
        writer.write(b"HTTP/1.1 " + status + b"\r\n" + extra + b"location: " + location)
        writer.write(b"\r\ncontent-length: 11\r\nconnection: close\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, address, 8090)
    try:
        yield f"http://{address}:8090/qzinternal-base"
    finally:
        server.close()


async def register_services(watched: Watched, failing: str) -> None:
    """The southern app offers more: a service that is not shared, one that fails, one that nobody serves."""
    app = watched.scene.app("qzvalley")
    dead = f"http://{watched.nets['south']}1.151:8091/qzdead-end"
    for name, version, uri in (
        (UNSHARED, "1", failing),
        ("speech-recognition", "fails", failing),
        ("speech-recognition", "dead", dead),
    ):
        service = {
            "serName": name,
            "version": version,
            "state": "ACTIVE",
            "serializer": "JSON",
            "scopeOfLocality": "MEC_SYSTEM",
            "consumedLocalOnly": False,
            "transportInfo": {
                "id": "qztransport-id",
                "name": "qztransport-name",
                "type": "REST_HTTP",
                "protocol": "HTTP",
                "version": "1.1",
                "endpoint": {"uris": [uri]},
                "security": {},
            },
        }
        assert (await app.ask("POST", app.services, service)).status == 201


async def use_and_misuse_services(watched: Watched) -> None:
    """The northern app: the spoken request of a device, and then what goes wrong."""
    example_module("device")
    recording: bytes = import_module("tones").wav("1234", rng=random.Random(7))
    app, alice = watched.scene.app("navigation"), watched.scene.stage.device("north", "qzalice")
    wave = {"content-type": "audio/wav"}

    async def offered() -> bool:
        told = await app.ask("GET", f"{app.platform}/mec_service_mgmt/v1/services?ser_name=speech-recognition")
        return len(told.value) == 3

    await until(offered)
    answer = await alice.request("POST", "http://navigation.example.com:8080/directions", recording, wave)
    assert json.loads(answer.body)["heard"] == "1234"
    services = (await app.ask("GET", f"{app.platform}/mec_service_mgmt/v1/services?ser_name=speech-recognition")).value
    by_version = {s["version"]: s["transportInfo"]["endpoint"]["uris"][0] for s in services}
    assert (await app.ask("GET", f"{app.platform}/mec_service_mgmt/v1/services?ser_name={UNSHARED}")).value == []
    assert (await app.ask("POST", by_version["1.0"] + "/transcriptions", {"no": "sound"})).status == 400
    assert (await app.ask("GET", by_version["1.0"] + "/nowhere")).status == 404
    assert (await app.ask("GET", by_version["fails"] + "/moved")).status == 302
    assert (await app.ask("GET", by_version["fails"] + "/failed")).status == 502
    assert (await app.ask("GET", by_version["dead"] + "/failed")).status in (502, 503, 504)


async def ask_as_a_curious_partner(watched: Watched) -> None:
    """Whoever holds north's certificate may ask anything; no answer tells what the agreement does not."""
    form = {"content-type": "application/x-www-form-urlencoded"}
    token = await watched.as_north("POST", "/oauth2/token", form, b"grant_type=client_credentials&client_id=north")
    known = bearer(token.value["access_token"])
    systems = (await watched.as_north("GET", "/mff_fed/v1/systems", known)).value
    here = f"/meo_fed/v1/systems/{systems[0]['systemId']}/platforms"
    everything = (await watched.as_north("GET", here, known)).value
    assert {p["zone"]["name"] for p in everything} == {"south-west"}
    assert {s["serName"] for p in everything for s in p["services"]} == {"speech-recognition"}
    reference = everything[0]["services"][0]["reference"]
    answers = [
        await watched.as_north("POST", "/oauth2/token", form, b"grant_type=password"),
        await watched.as_north("GET", f"/mff_fed/v1/systems?ser_name={UNSHARED}", known),
        await watched.as_north("GET", f"{here}?ser_name={UNSHARED}&ser_name=speech-recognition", known),
        await watched.as_north("GET", "/meo_fed/v1/systems/another/platforms", known),
        await watched.as_north("GET", "/mff_fed/v1/systems?everything=1", known),
        await watched.as_north("PUT", "/mff_fed/v1/federation", known, {"operator": "east"}),
        await watched.as_north("PUT", "/mff_fed/v1/federation", known, b'{"operator": 5}'),
        await watched.as_north("PUT", "/mff_fed/v1/federation", known, b"[" * 100_000),
        await watched.as_north("PUT", "/mff_fed/v1/federation", known, b'{"operator": "\xff"}'),
        await watched.as_north("PATCH", "/mff_fed/v1/federation", known, {}),
        await watched.as_north("GET", "/mff_fed/v1/systems"),
        await watched.as_north("GET", "/mff_fed/v1/systems", bearer("a.b.c")),
        await watched.as_north("GET", "/mpp_fed/v1/services/unknown/x", known),
        await watched.as_north("GET", f"/mpp_fed/v1/services/{reference}/%2e%2e/healthz", known),
        await watched.as_north("GET", "/mm3/v1/system", known),
        await watched.as_north("GET", "/app_pkgm/v1/app_packages", known),
    ]
    assert not [answer for answer in answers if answer.status >= 500]


async def close(watched: Watched) -> None:
    """The agreement ends at south; north asks on, and hears no more than that."""
    form = {"content-type": "application/x-www-form-urlencoded"}
    token = await watched.as_north("POST", "/oauth2/token", form, b"grant_type=client_credentials&client_id=north")
    async with administration(watched.scene.south) as oss:
        await oss.overview.close_agreement("north")
    await until_available(watched.scene.north, PartnerState.CLOSED)
    known = bearer(token.value["access_token"])

    async def refused() -> bool:
        return (await watched.as_north("GET", "/mff_fed/v1/systems", known)).status in (401, 403)

    await until(refused)
    app = watched.scene.app("navigation")
    told = await app.ask("GET", f"{app.platform}/mec_service_mgmt/v1/services?ser_name=speech-recognition")
    assert told.value == []


def canaries(watched: Watched, apps: dict[str, App]) -> dict[str, set[str]]:
    """What each operator must not have sent."""
    scene, secrets = watched.scene, watched.secrets
    for name, net in watched.nets.items():
        settings = scene.stage.operator(name)
        secrets[name] |= {"qzstate-path", f"qz{name}-state", TENANTS[name], "qzeastern-zone"}
        secrets[name] |= {*settings.hosts, *settings.devices}
        secrets[name] |= {f"{net}{part}" for part in ("0.1:", "1.", "2.", "100.", "200.")}
        secrets[name] |= {f"{role}.{host}" for host in settings.hosts for role in ("mep", "mepm", "vim")}
        journals = [s.directory / "journal" for s in scene.stage.deployment.operators.values()]
        for message in sightings(journals):
            if message.operator == name:
                secrets[name] |= {message.trace, message.span, message.parent} - {"", UNTRACED}
    for name, identifier in scene.instances.items():
        owner = "north" if name == "navigation" else "south"
        app = apps[name]
        secrets[owner] |= {identifier, identifier[:13], app.environment["MEC_CLIENT_SECRET"]}
    secrets["south"] |= {UNSHARED, *OF_THE_FAILING}
    for package, (identifier, described) in scene.packages.items():
        secrets["north" if package == "navigation" else "south"] |= {identifier, described}
    return secrets
