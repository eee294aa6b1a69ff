"""The floor of ``instantiate``: commits, steps, and an application started by the driver, with nothing around them.

`python -m benchmarks.bare_steps` reads a `Plan`, says a line once it is ready; for each line ``once`` it does it all
and answers with `Told`, for the line that follows it deletes the workload and says so.
"""

from __future__ import annotations

import asyncio
import shutil
import ssl
import sys
import time
import uuid
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from benchmarks.durable import Made
from hanse.drivers.compute_process.driver import ProcessCompute
from hanse.kit.contract.asgi import Receive, Scope, Send
from hanse.kit.contract.body import body_of
from hanse.kit.contract.exchange import whole
from hanse.kit.contract.listen import Listener
from hanse.kit.outbox import Outbox
from hanse.kit.ports import listen_on
from hanse.kit.procedures import DurableProcedures, Start, Steps
from hanse.kit.store import Store, Transaction
from hanse.kit.values import Value
from hanse.refpoints.mm7 import Workload

AUTHORITY_FILE = "platform-ca.pem"
RECORD = 1000
"""Bytes of a record: about what an operation occurrence has."""


class Plan(msgspec.Struct):
    """Where, what, and how much is to be made durable."""

    directory: str
    image: str
    host: str
    port: int
    app_port: int
    certificate: str
    key: str
    authority: str
    made: Made


class Told(msgspec.Struct):
    """How many seconds it took."""

    seconds: float


class _Row(Value):
    text: str


class StandIn:
    """Answers what the application asks of Mp1 with what it needs to go on."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        await whole(body_of(receive), 65536)
        path = str(scope["path"])
        status, body = 201, b'{"serInstanceId": "s"}'
        if path.endswith("/token"):
            status, body = 200, b'{"access_token": "t", "token_type": "Bearer", "expires_in": 300}'
        elif path.endswith("/confirm_ready"):
            status, body = 204, b""
            self.ready.set()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers if body else []})
        await send({"type": "http.response.body", "body": body})


class Floor:
    """Everything that is done once."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        directory = Path(plan.directory)
        self._store = Store(directory / "store.sqlite")
        self._rows = self._store.shelf("row", _Row)
        self._outbox = Outbox(self._store)
        self._procedures = DurableProcedures(directory / "procedures.sqlite", "floor")
        self._outbox.handle("procedure", self._procedures.launch)
        self._procedures.register("floor.steps", self._steps)
        self._compute = ProcessCompute(directory / "vim")
        self._ended = asyncio.Event()
        self.stand_in: Any = StandIn()

    async def start(self) -> None:
        """Prepare the image, launch the procedures."""
        image = Path(self._plan.directory) / "image"
        await asyncio.to_thread(shutil.copytree, self._plan.image, image, dirs_exist_ok=True)  # follows its links
        await self._compute.prepare("speech", image)
        await self._compute.capabilities()
        await self._procedures.start()
        await self._outbox.start()

    async def once(self) -> tuple[Told, str]:
        """One instance."""
        began = time.monotonic()
        identifier = str(uuid.uuid4())
        await self._make_durable(identifier)
        self.stand_in.ready.clear()
        await self._compute.create(self._workload(identifier))
        await self._compute.start(identifier)
        await self.stand_in.ready.wait()
        return Told(time.monotonic() - began), identifier

    async def delete(self, identifier: str) -> None:
        """Take it away."""
        await self._compute.delete(identifier)

    async def _make_durable(self, identifier: str) -> None:
        made = self._plan.made
        for number in range(made.commits - 2 * made.procedures):  # each procedure is begun and crossed off
            await self._store.commit(partial(self._put, f"{identifier} {number}"))
        for number in range(made.procedures):
            self._ended.clear()
            start = Start(procedure_id=f"{identifier}-{number}", name="floor.steps", version=1, subject=identifier)
            await self._store.commit(partial(self._procedures.begin, outbox=self._outbox, start=start))
            await self._ended.wait()

    def _put(self, key: str, tx: Transaction) -> None:
        tx.put(self._rows, key, _Row(text="x" * RECORD))

    async def _steps(self, steps: Steps, subject: str) -> None:
        for _ in range(self._plan.made.steps // self._plan.made.procedures):
            await steps.run(self._nothing, subject)
        self._ended.set()

    async def _nothing(self, _subject: str) -> None:
        """A step without work."""

    def _workload(self, identifier: str) -> Workload:
        plan, url = self._plan, f"https://{self._plan.host}:{self._plan.port}"
        return Workload(
            instance_id=identifier,
            image_id="speech",
            command=("python3", "speech.py"),
            address=plan.host,
            environment={
                "MEC_PLATFORM_URL": url,
                "MEC_PLATFORM_CA": AUTHORITY_FILE,
                "MEC_APP_INSTANCE_ID": identifier,
                "MEC_TOKEN_URL": f"{url}/oauth2/token",
                "MEC_CLIENT_ID": identifier,
                "MEC_CLIENT_SECRET": "secret",
                "MEC_APP_ADDRESS": plan.host,
                "MEC_APP_PORT": str(plan.app_port),
            },
            files={AUTHORITY_FILE: Path(plan.authority).read_text()},
        )

    async def close(self) -> None:
        """Let go of everything."""
        await self._outbox.close()
        await asyncio.to_thread(self._store.close)
        await self._compute.close()
        await self._procedures.close()  # last: with it the loop's threads go


async def serve(plan: Plan) -> None:
    """Do it once for each line."""
    floor = Floor(plan)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(plan.certificate, plan.key)
    listener = Listener(floor.stand_in, listen_on(plan.host, plan.port), context)
    await listener.start()
    await floor.start()
    print("ready", flush=True)
    while await asyncio.to_thread(sys.stdin.buffer.readline):
        told, identifier = await floor.once()
        print(msgspec.json.encode(told).decode(), flush=True)
        await asyncio.to_thread(sys.stdin.buffer.readline)
        await floor.delete(identifier)
        print("deleted", flush=True)
    await listener.close(0.1)
    await floor.close()


if __name__ == "__main__":
    uvloop.run(serve(msgspec.json.decode(sys.stdin.buffer.readline(), type=Plan)))
