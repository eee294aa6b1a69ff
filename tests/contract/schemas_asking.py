"""Asks one operation with requests that Schemathesis makes from its official file, and holds the answers against it."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi import checks

from hanse.kit.contract.declare import Api, Operation, Stream
from hanse.kit.contract.decode import LINKS
from hanse.kit.contract.page import MARKER
from hanse.kit.problems import MEDIA_TYPE
from tests.contract import schemas_lists
from tests.contract.conformance import template
from tests.contract.schemas_amended import amended
from tests.contract.schemas_state import Rows
from tests.contract.schemas_wire import Trusting
from tests.contract.statuses.wish import Place, Wish

EXAMPLES = int(os.environ.get("HANSE_FUZZ_EXAMPLES", "15"))
"""Requests of each kind for one operation; many more with ``make fuzz``, which draws them anew each time."""
ANEW = "HANSE_FUZZ_EXAMPLES" in os.environ
Case = schemathesis.Case[Any]
PATIENCE = 60
"""Seconds for an answer: how fast it comes on a busy machine is not the matter here."""
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]

BOUNDS = settings(
    max_examples=EXAMPLES,
    derandomize=not ANEW,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)


@dataclass(frozen=True)
class Server:
    """Where a place serves an API, and as whom it is asked; ``state`` is all that a refusal must leave as it is."""

    place: Place
    base: str
    tls: ssl.SSLContext
    state: Callable[[], Rows]


async def ask_much(server: Server, api: type[Api], operation: Operation) -> None:
    """Ask with good data, with bad data and at places that there are not; an answer that is not conforming fails."""
    asker = _Asker(server, api, operation, await server.place.standing(api, operation.name), asyncio.get_running_loop())
    for strategy in asker.strategies():
        await asyncio.to_thread(asker.ask_all, strategy)
    if operation.listing is not None:
        await asyncio.to_thread(asker.ask_lists)


@dataclass
class _Asker:
    server: Server
    api: type[Api]
    operation: Operation
    standing: Wish
    loop: asyncio.AbstractEventLoop

    def __post_init__(self) -> None:
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.mount("https://", Trusting(self.server.tls))
        schema = schemathesis.openapi.from_dict(amended(self.api))
        self.described = schema[template(self.operation.path)][self.operation.method]

    def strategies(self) -> list[st.SearchStrategy[Case]]:
        """Requests to resources that there are, valid and invalid; and to those that there are not."""
        values = self._values(self.standing)
        good, bad = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
        found = [self.described.as_strategy(good, path_parameters=values)]
        if self.operation.body not in (None, Stream) or self.operation.query or self.operation.listing:
            found.append(self.described.as_strategy(bad, path_parameters=values))
        if values:
            found.append(self.described.as_strategy(good))
        return found

    def ask_all(self, strategy: st.SearchStrategy[Case]) -> None:
        """Ask with what a strategy draws; runs beside the event loop that serves."""

        @BOUNDS
        @given(case=strategy, data=st.data())
        def ask(case: Case, data: st.DataObject) -> None:
            self._ask(case, data)

        ask()

    def ask_lists(self) -> None:
        """Ask for parts of the list, and with what is nearly a query; runs beside the event loop that serves."""
        member = schemas_lists.member_of(self.operation)
        keys = [str(item[member]) for item in self._listed({"all_fields": ""}).json()]

        @BOUNDS
        @given(query=schemas_lists.queries(self.operation, keys), data=st.data())
        def ask(query: dict[str, str], data: st.DataObject) -> None:
            response = self._listed(query)
            assert response.status_code == 200, (query, response.content)
            found = [str(item[member]) for item in response.json()]
            assert len(found) == len(set(found))
            assert "filter" in query or MARKER in query or set(keys) <= set(found)
            self._listed(data.draw(schemas_lists.nearly(query)))

        ask()

    def _listed(self, query: dict[str, str]) -> schemathesis.Response:
        case = self.described.Case(path_parameters=self._values(self.standing), query=query)
        base = self.server.base + self.api.api_bases[0]
        response = case.call(base, self.session, headers=dict(self.standing.headers), timeout=PATIENCE)
        case.validate_response(response, checks=CHECKS)
        if response.status_code >= 400:
            _check_problem(response)
        return response

    def _ask(self, case: Case, data: st.DataObject) -> None:
        wish = self.standing
        if case.path_parameters == self._values(wish) and self.operation.method == "DELETE":
            wish = self._fresh()
            case.path_parameters = self._values(wish)
        good = case.meta is not None and not case.meta.generation.mode.is_negative
        if good and isinstance(wish.body, dict) and isinstance(case.body, dict):
            case.body = data.draw(_mixed(wish.body, case.body))
        kept = self._kept()
        base = self.server.base + self.api.api_bases[0]
        response = case.call(base, self.session, headers=dict(wish.headers), timeout=PATIENCE)
        lenient = good or (isinstance(case.body, dict) and LINKS in case.body)  # whatever stands there is taken
        case.validate_response(response, checks=CHECKS if lenient else [*CHECKS, checks.negative_data_rejection])
        if response.status_code >= 400:
            _check_problem(response)
            assert self._kept() == kept, "a refusal has changed what is kept"

    def _kept(self) -> Rows:
        """What a refusal may not change; reading changes nothing, and what was accepted (202) goes on by itself."""
        return {} if self.operation.method == "GET" or self.operation.success == 202 else self.server.state()

    def _fresh(self) -> Wish:
        """A call that may be made once only: what is deleted is gone."""
        made = self.server.place.example(self.api, self.operation.name)
        return asyncio.run_coroutine_threadsafe(made, self.loop).result(30)

    def _values(self, wish: Wish) -> dict[str, str]:
        names = {name: template("{" + name + "}")[1:-1] for name in self.operation.path_parameters}
        return {name: wish.values[key] for key, name in names.items()}


def _mixed(good: Mapping[str, Any], drawn: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A body that would succeed, with some of its attributes as they were drawn: few drawn bodies get far."""
    names = st.sets(st.sampled_from(sorted(drawn))) if drawn else st.just(set[str]())
    return names.map(lambda chosen: {**good, **{name: drawn[name] for name in chosen}})


def _check_problem(response: schemathesis.Response) -> None:
    """A refusal is a problem that says something, of the status that it has (MEC 009, 6.15; RFC 7807)."""
    assert response.headers["content-type"][0].startswith(MEDIA_TYPE)
    problem = json.loads(response.content)
    assert problem["status"] == response.status_code
    assert problem["title"].strip()
    assert problem["detail"].strip()
