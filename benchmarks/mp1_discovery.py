"""``mp1-discovery``: 100 applications look up services on a platform that knows 1,000 of them.

The operator is a real one with everything in one process: TLS 1.3, tokens, guard, journal. The floor is a bare handler
that encodes the same records over the same TLS. Callers ask random queries of every kind, each about 20 records
(`mp1_questions`); the ratio that counts is that of the mix, and each kind is measured by itself as well. What Hanse
answers is held against a look at all services first. In every round of the mix one token expires and one application
is forgotten in the middle: both must be refused from then on, and nobody else.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import bare_handler, load, nginx
from benchmarks.mp1_answers import PATH, Asked, places
from benchmarks.mp1_questions import questions
from benchmarks.mp1_stock import stocked
from benchmarks.population import populate, token
from benchmarks.processes import cpu_seconds, loaded, serving
from benchmarks.report import ROUNDS, Report, Target, Tell, ratio_of, spread
from hanse.assembly.authentication import element_caller
from hanse.assembly.catalogue import elements
from hanse.assembly.identities import Identities
from hanse.kit.certificates import client_context
from hanse.kit.contract.client import Peer, client
from hanse.kit.contract.observe import Silence
from hanse.kit.contract.transport import HttpTransport
from hanse.kit.problems import Problem
from hanse.kit.tokens import TokenIssuer
from hanse.refpoints.mm5.platform import PlatformConfiguration
from hanse.refpoints.mp1.services import ServiceInfo
from hanse.scenarios.stage import Stage

TARGETS = {"bare_handler": Target(bound=0.85, kind="at least")}
PLATFORM, NEIGHBOUR = "mep.harbour", "mep.airport"
FLOOR_PORT, NGINX_PORT = 18443, 18444
CONNECTED_WITHIN = 5.0
"""Seconds that the callers are given to connect, so that a token expires in the middle of what they do then."""
SECONDS_TO_NOTICE = 0.5
"""Seconds after its expiry or revocation in which a token must have been refused: an answer may be under way."""


class Size(msgspec.Struct, frozen=True):
    """How large a run is: services, queries of each kind, callers; seconds and rounds of the mix and of one kind."""

    services: int = 1000
    queries: int = 60
    callers: int = 100
    seconds: float = 6.0
    rounds: int = ROUNDS
    kind_seconds: float = 1.5
    kind_rounds: int = 3


def run(tell: Tell, size: Size | None = None) -> Report:
    """Measure and compare."""
    size = size or Size()
    with tempfile.TemporaryDirectory(prefix="hanse-bench-") as directory, ExitStack() as stack:
        Path(directory).chmod(0o755)
        stage = Stage(Path(directory))
        stack.callback(stage.clear)
        return _Bench(stage, size, tell).run(stack)


class _Bench:
    def __init__(self, stage: Stage, size: Size, tell: Tell) -> None:
        self._stage, self._size, self._tell = stage, size, tell
        self._north = stage.operator("north")
        self._platform = elements(self._north)[PLATFORM]
        self._apps = [f"caller-{number}" for number in range(size.callers - 1)]
        self._leaving = [f"leaving-{number}" for number in range(size.rounds)]
        self._stock = stocked(self._platform.url, elements(self._north)[NEIGHBOUR].url, size.services)
        self._kinds = questions(self._stock, size.queries)
        self._mix = [query for kind in self._kinds.values() for query in kind]

    def run(self, stack: ExitStack) -> Report:
        asyncio.run(populate(self._north, PLATFORM, self._apps + self._leaving, self._stock.here))
        asyncio.run(populate(self._north, NEIGHBOUR, ["producer"], self._stock.elsewhere))
        started = self._stage.deployment
        started.prepare()
        operator = started.start_operator(self._north)
        started.await_operator(operator)
        self._identities = Identities(self._north)
        self._tokens = [token(self._north, PLATFORM, name, self._authority) for name in self._apps]
        platform = Asked(self._platform.address, self._platform.port, self._authority, self._tokens[0])
        known = platform.all_known(self._size.services)
        self._bodies = {query: platform.right(query, known) for query in dict.fromkeys(self._mix)}
        self._hanse = operator[0][2].pid
        self._floor = stack.enter_context(serving("benchmarks.bare_handler", self._floor_plan(known))).pid
        self._nginx = self._start_nginx(stack)
        self._idle = self._at_rest()
        return self._measured()

    def _measured(self) -> Report:
        hanse, floor, static, refused = [], [], [], []
        for number in range(self._size.rounds):
            floor.append(self._round(self._floor, FLOOR_PORT, self._tokens, self._mix)[0])
            cost, seen = self._hanse_round(number)
            hanse.append(cost)
            refused.append(seen)
            if self._nginx:
                static.append(self._round(self._nginx, NGINX_PORT, self._tokens, self._mix)[0])
            self._tell(f"round {number + 1}: Hanse {hanse[-1]:.1f}, bare {floor[-1]:.1f} µs of CPU a request")
        kinds = {kind: self._of_kind(kind) for kind in self._kinds}
        records = [body.count(b'"serInstanceId"') for body in map(self._bodies.__getitem__, self._mix)]
        return Report(
            bench="mp1-discovery",
            figures={
                "cpu_us_per_request": spread(hanse, 1),
                "cpu_share_at_rest": round(self._idle, 3),
                "different_queries": len(self._bodies),
                "records_per_answer": spread(records, 1),
                "answer_bytes": spread([len(body) for body in self._bodies.values()], 0),
                "refused_in_mid_run": refused,
                "kinds": kinds,
            },
            floor={
                "bare_handler_cpu_us": spread(floor, 1),
                "nginx_static_cpu_us": spread(static, 1) if static else "nginx is not installed",
            },
            ratio={
                "bare_handler": ratio_of(floor, hanse),
                **{f"bare_handler, {kind}": found["ratio"] for kind, found in kinds.items()},
                "nginx_static": ratio_of(static, hanse) if static else "nginx is not installed",
            },
        )

    def _of_kind(self, kind: str) -> dict[str, Any]:
        """One kind of query by itself."""
        size = self._size
        hanse: list[float] = []
        floor: list[float] = []
        for _ in range(size.kind_rounds):
            for costs, pid, port in ((floor, self._floor, FLOOR_PORT), (hanse, self._hanse, self._platform.port)):
                costs.append(self._round(pid, port, self._tokens, self._kinds[kind], size.kind_seconds)[0])
        found = {"ratio": ratio_of(floor, hanse), "cpu_us": spread(hanse, 1), "bare_handler_cpu_us": spread(floor, 1)}
        self._tell(f"{kind}: ratio {found['ratio']}")
        return found

    @property
    def _authority(self) -> Path:
        return self._identities.authority_path

    def _at_rest(self) -> float:
        """What the operator's other elements do meanwhile, in CPU seconds a second: no part of a request's cost."""
        time.sleep(1.0)  # reports of the start go out
        before = cpu_seconds(self._hanse)
        time.sleep(5.0)
        return (cpu_seconds(self._hanse) - before) / 5

    def _round(
        self,
        pid: int,
        port: int,
        tokens: list[str],
        queries: list[str],
        seconds: float = 0.0,
        ready: Callable[[], None] = lambda: None,
    ) -> tuple[float, load.Result]:
        """CPU microseconds that one request costs the server, and what the callers saw.

        ``ready`` is called when they are about to begin.
        """
        plan = load.Plan(
            host=self._platform.address,
            port=port,
            authority=str(self._authority),
            seconds=seconds or self._size.seconds,
            targets=[f"{PATH}?{query}" for query in queries],
            lengths=[len(self._bodies[query]) for query in queries],
            authorizations=[f"Bearer {text}" for text in tokens],
        )
        used, answer = loaded("benchmarks.load", msgspec.json.encode(plan), pid, ready)
        result = msgspec.json.decode(answer, type=load.Result)
        if pid == self._hanse:
            used -= self._idle * result.seconds
        wrong = sum(seen.wrong for seen in result.seen)
        if wrong or not result.good:
            raise Problem(
                500, "Wrong answers under load", f"{wrong} connections got one, {result.good} answers were good"
            )
        return used / result.good * 1e6, result

    def _hanse_round(self, number: int) -> tuple[float, dict[str, int]]:
        leaving, middle = self._leaving[number], self._size.seconds / 2
        issuer = TokenIssuer(self._north.directory / f"{PLATFORM}.tokens.pem", issuer=self._platform.url)
        expiring = issuer.issue(self._apps[0], audience=self._platform.url, lifetime=CONNECTED_WITHIN + middle)
        tokens = [*self._tokens[1:], expiring.access_token, token(self._north, PLATFORM, leaving, self._authority)]
        revoked: list[float] = []
        timer = threading.Timer(middle, lambda: revoked.append(asyncio.run(self._forget(leaving))))

        def ready() -> None:
            time.sleep(max(0.0, expiring.expires_at - middle - time.time()))
            timer.start()

        cost, result = self._round(self._hanse, self._platform.port, tokens, self._mix, ready=ready)
        timer.join()
        *good, expired, gone = result.seen
        if any(seen.refused for seen in good):
            raise Problem(500, "A good token was refused", "every caller but two must be answered to the end")
        check_refused("the expired token", expired, expiring.expires_at)
        check_refused("the revoked token", gone, revoked[0])
        return cost, {"expired_answered_before": expired.good, "revoked_answered_before": gone.good}

    async def _forget(self, app: str) -> float:
        """Take an application back over Mm5; when that was done."""
        manager = element_caller("north", "mepm.harbour")
        context = client_context([self._authority], self._identities.issue(manager.name))
        transport = HttpTransport(self._platform.url, context)
        try:
            peer = Peer(PLATFORM, transport, manager, "Mm5", Silence())
            await client(PlatformConfiguration, peer).forget(app)
        finally:
            await transport.close()
        return time.time()

    def _floor_plan(self, known: Sequence[ServiceInfo]) -> bytes:
        identity = self._identities.of_element(self._platform)
        plan = bare_handler.Plan(
            host=self._platform.address,
            port=FLOOR_PORT,
            certificate=str(identity.certificate_path),
            key=str(identity.key_path),
            services=list(known),
            answers=places(self._bodies, known),
        )
        return msgspec.json.encode(plan)

    def _start_nginx(self, stack: ExitStack) -> int:
        if nginx.installed() is None:
            return 0
        identity = self._identities.of_element(self._platform)
        static = nginx.static(
            self._stage.directory / "nginx",
            self._platform.address,
            NGINX_PORT,
            identity.certificate_path,
            identity.key_path,
            self._bodies,
        )
        return stack.enter_context(static)


def check_refused(what: str, seen: load.Seen, since: float) -> None:
    """A problem unless a token was good at first, was refused at once when it ended, and never good again."""
    if not seen.good or not seen.refused or seen.good_after_refusal or seen.last_good > since + SECONDS_TO_NOTICE:
        raise Problem(500, f"{what} was not refused at once", f"it ended at {since:.2f}; the caller saw {seen}")
