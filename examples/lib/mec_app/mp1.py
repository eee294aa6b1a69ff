"""Mp1, seen by an application: its identity, its token, and the calls it needs (ETSI GS MEC 011 V3.1.1)."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus, urlencode

from .client import Client, Reply
from .problem import Problem

SUPPORT = "/mec_app_support/v2/applications"
SERVICES = "/mec_service_mgmt/v1"
PEER = "hanse-peer"
"""Header: the client for whom a service is looked for, ``ADDRESS:PORT``."""


class Settings(NamedTuple):
    """What the system tells an application through its environment; each member is the variable ``MEC_<NAME>``."""

    platform_url: str
    platform_ca: str
    app_instance_id: str
    token_url: str
    client_id: str
    client_secret: str
    app_address: str
    app_port: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read them all; the program ends with the names of those that are missing."""
        names = [f"MEC_{member.upper()}" for member in cls._fields]
        missing = [name for name in names if not environment.get(name)]
        if missing:
            raise SystemExit(f"not set: {', '.join(missing)}; the MEC system gives them to every application")
        if not environment["MEC_APP_PORT"].isdecimal():
            raise SystemExit(f"MEC_APP_PORT is {environment['MEC_APP_PORT']!r}, not a port number")
        return cls(*(environment[name] for name in names))

    @property
    def own_url(self) -> str:
        """Where the application itself answers."""
        return f"http://{self.app_address}:{self.app_port}"


class Token:
    """An access token by client credentials (RFC 6749, 4.4), asked for when needed and renewed before it expires."""

    def __init__(self, settings: Settings, client: Client) -> None:
        self._settings = settings
        self._client = client
        self._lock = threading.Lock()
        self._text = ""
        self._good_until = 0.0

    def get(self, refused: str = "") -> str:
        """A token to send; never again the one that was ``refused``."""
        with self._lock:
            if time.monotonic() >= self._good_until or self._text == refused:
                self._text, life = self._ask()
                self._good_until = time.monotonic() + 0.8 * life
            return self._text

    def _ask(self) -> tuple[str, float]:
        identity = f"{quote_plus(self._settings.client_id)}:{quote_plus(self._settings.client_secret)}"
        headers = {
            "Authorization": f"Basic {base64.b64encode(identity.encode()).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        form = urlencode({"grant_type": "client_credentials"}).encode()
        reply = self._client.send("POST", self._settings.token_url, form, headers)
        if reply.status != 200:
            raise Problem(reply.status, "No access token", f"{self._settings.token_url} answered {reply.status}")
        answer = _decode(reply)
        try:
            return str(answer["access_token"]), float(answer.get("expires_in", 60))
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise Problem(502, "No access token", f"the answer of {self._settings.token_url} has none") from error


class Platform:
    """The application's MEC platform. Every method raises `Problem`; 503 means that it cannot be reached."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.client = Client(settings.platform_ca)
        self._token = Token(settings, self.client)
        self._self = quote(settings.app_instance_id, safe="")

    def subscribe_to_termination(self, callback: str) -> None:
        """Be told at ``callback`` before the instance is stopped or terminated (7.2.3.3.4)."""
        subscription = {
            "subscriptionType": "AppTerminationNotificationSubscription",
            "callbackReference": callback,
            "appInstanceId": self.settings.app_instance_id,
        }
        self._call("POST", f"{SUPPORT}/{self._self}/subscriptions", subscription)

    def confirm_ready(self) -> None:
        """Say that the application runs; 409 as long as the platform is not ready for it (7.2.12.3.4)."""
        self._call("POST", f"{SUPPORT}/{self._self}/confirm_ready", {"indication": "READY"})

    def confirm_termination(self, operation_action: str) -> None:
        """Say that the application is done; ``operation_action`` is the notified one (7.2.11.3.4)."""
        self._call("POST", f"{SUPPORT}/{self._self}/confirm_termination", {"operationAction": operation_action})

    def register(self, service: Mapping[str, Any]) -> str:
        """Offer a service (ServiceInfo, 8.1.2.2); returns its serInstanceId (8.2.6.3.4)."""
        registered = self._call("POST", f"{SERVICES}/applications/{self._self}/services", service)
        try:
            return str(registered["serInstanceId"])
        except (TypeError, KeyError) as error:
            raise Problem(502, "No serInstanceId", "the platform's answer to the registration has none") from error

    def registered(self, name: str) -> list[str]:
        """The serInstanceIds of the application's own services of that name (8.2.6.3.1)."""
        found = self._call("GET", f"{SERVICES}/applications/{self._self}/services?{urlencode({'ser_name': name})}")
        return [str(service["serInstanceId"]) for service in found] if isinstance(found, list) else []

    def deregister(self, ser_instance_id: str) -> None:
        """Offer a service no longer (8.2.7.3.5)."""
        self._call("DELETE", f"{SERVICES}/applications/{self._self}/services/{quote(ser_instance_id, safe='')}")

    def services(self, name: str, peer: str = "") -> list[dict[str, Any]]:
        """The services of that name which the application may use (8.2.3.3.1).

        ``peer``: the client for whom it asks (`Request.peer`), so that a platform of Hanse finds what is near to the
        device there; other platforms pass over the header.
        """
        serving = {PEER: peer} if peer else {}
        found = self._call("GET", f"{SERVICES}/services?{urlencode({'ser_name': name})}", headers=serving)
        return [service for service in found if isinstance(service, dict)] if isinstance(found, list) else []

    def owns(self, url: str) -> bool:
        """Whether ``url`` lies on the platform, which then wants our token (services of other platforms do)."""
        return url.startswith(self.settings.platform_url.rstrip("/") + "/")

    def send(
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        media_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Any request; the token goes to the platform and to nobody else, once more with a new one after a 401."""
        headers = {**(headers or {}), **({"Content-Type": media_type} if body is not None else {})}
        if not self.owns(url):
            return self.client.send(method, url, body, headers)
        token = self._token.get()
        reply = self.client.send(method, url, body, headers | {"Authorization": f"Bearer {token}"})
        if reply.status == 401:
            token = self._token.get(refused=token)
            reply = self.client.send(method, url, body, headers | {"Authorization": f"Bearer {token}"})
        return reply

    def _call(self, method: str, path: str, value: object = None, headers: Mapping[str, str] | None = None) -> Any:
        body = None if value is None else json.dumps(value).encode()
        reply = self.send(method, self.settings.platform_url.rstrip("/") + path, body, headers=headers)
        if not 200 <= reply.status < 300:
            raise Problem.read(reply.status, reply.body)
        return _decode(reply) if reply.body else None


def _decode(reply: Reply) -> Any:
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        raise Problem(502, "The answer is not JSON", str(error)) from error
