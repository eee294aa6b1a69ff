"""Links to partners: how one element reaches their borders, with a certificate of ours and a token of theirs."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlencode

import msgspec

from hanse.assembly.partners import PartnerWatch
from hanse.assembly.tables import PartnerSettings
from hanse.kit.contract.call import Caller, current_call
from hanse.kit.contract.client import Peer, client
from hanse.kit.contract.declare import Api
from hanse.kit.contract.exchange import whole
from hanse.kit.contract.observe import Observer
from hanse.kit.contract.reply import Reply, decoded
from hanse.kit.contract.transport import HttpTransport
from hanse.kit.problems import Problem, forbidden

A = TypeVar("A", bound=Api)

RENEW_BEFORE = 30.0
"""Seconds before its end at which a token is renewed."""
TOKEN_PATIENCE = 5.0
"""Seconds that a partner may take to give a token, unless the caller waits less."""
TOKEN_LIMIT = 64 * 1024
"""Bytes of a token endpoint's answer."""


class _Token(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float


class PartnerLink:
    """One element's way to one partner's border: warm TLS connections and a token of the partner's making."""

    def __init__(self, name: str, operator: str, settings: PartnerSettings, context: ssl.SSLContext) -> None:
        self.name = name
        self._operator = operator
        self.transport = HttpTransport(settings.url, context, name=name)
        self._token = ""
        self._good_until = 0.0
        self._lock = asyncio.Lock()

    async def authorize(self, renew: bool) -> dict[str, str]:
        """The header that shows the token; a new token if there is none, it ends soon, or it was refused."""
        if not renew and time.time() <= self._good_until:
            return {"authorization": f"Bearer {self._token}"}
        patience = min(TOKEN_PATIENCE, current_call().remaining())
        try:
            async with asyncio.timeout(patience), self._lock:
                if renew or time.time() > self._good_until:
                    await self._fetch(patience)
                return {"authorization": f"Bearer {self._token}"}
        except TimeoutError:
            raise Problem(504, f"{self.name} gives no token", f"no answer within {patience:.1f} s") from None

    async def _fetch(self, patience: float) -> None:
        form = urlencode({"grant_type": "client_credentials", "client_id": self._operator}).encode()
        headers, renewals = {"content-type": "application/x-www-form-urlencoded"}, self.transport.renewals
        reply = await self.transport.send("POST", "/oauth2/token", headers, form, patience)
        if reply.status != 200:
            reply.close()
            status = 403 if reply.status in (400, 401, 403) else 502
            raise Problem(status, f"{self.name} gives no token", f"its token endpoint answered {reply.status}")
        token = await self._read(reply)
        if self.transport.renewals != renewals:  # it is bound to a certificate that is not shown any more
            await self._fetch(patience)
            return
        self._token = token.access_token
        self._good_until = time.time() + max(1.0, token.expires_in - RENEW_BEFORE)

    async def _read(self, reply: Reply) -> _Token:
        """The token of an answer; whatever else a partner sends is a problem 502."""
        try:
            raw = await whole(reply.chunks, TOKEN_LIMIT)
        except Problem as problem:
            reply.close()
            if problem.status != 413:
                raise
            raise Problem(502, f"{self.name} answered nonsense", f"its token exceeds {TOKEN_LIMIT} bytes") from None
        token: _Token = decoded(raw, _Token, self.name)
        if not re.fullmatch(r"[\x21-\x7e]+", token.access_token):
            raise Problem(502, f"{self.name} answered nonsense", "its token is not printable ASCII")
        return token

    def renew(self) -> None:
        """Show a new certificate and a token bound to it from now on; what is under way ends on its connection."""
        self._good_until, self._token = 0.0, ""
        self.transport.renew()

    async def cut(self) -> None:
        """Close every connection and forget the token."""
        self._good_until, self._token = 0.0, ""
        await self.transport.close()


class PartnerLinks:
    """An element's links to all partners; none is used while its agreement is closed, but to open it."""

    def __init__(
        self,
        partners: dict[str, PartnerSettings],
        context: Callable[[str], ssl.SSLContext],
        caller: Caller,
        observer: Observer,
        watch: PartnerWatch | None,
    ) -> None:
        self._links = {
            name: PartnerLink(name, caller.operator, settings, context(name)) for name, settings in partners.items()
        }
        self._caller = caller
        self._observer = observer
        self._watch = watch
        self._made: dict[tuple[type[Api], str], Api] = {}
        if watch is not None:
            watch.on_end(self.cut)

    def api(self, api: type[A], reference_point: str, name: str) -> A:
        """The partner as a provider of ``api``; a problem 403 while the agreement is closed."""
        link = self._links.get(name)
        if link is None or (self._watch is not None and self._watch.epoch(name) is None):
            raise forbidden("No agreement", f"the agreement with {name} is not open")
        key = (api, name)
        if key not in self._made:
            peer = Peer(
                name=name,
                transport=link.transport,
                caller=self._caller,
                reference_point=reference_point,
                observer=self._observer,
                authorize=link.authorize,
                border=True,
            )
            self._made[key] = client(api, peer)
        return self._made[key]  # type: ignore[return-value]

    def renew(self) -> None:
        """Go on with new connections to every partner: our own certificate is another one now."""
        for link in self._links.values():
            link.renew()

    async def cut(self, name: str) -> None:
        """Close every connection to a partner."""
        if name in self._links:
            await self._links[name].cut()

    async def close(self) -> None:
        """Close every connection to every partner."""
        for link in self._links.values():
            await link.cut()
