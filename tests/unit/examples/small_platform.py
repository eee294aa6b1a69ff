"""As much of a MEC platform as the examples need: tokens, Mp1 and a way to services of other platforms, over TLS."""

from __future__ import annotations

import base64
import json
import secrets
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.unit.examples.running import call


class SmallPlatform:
    """Remembers what applications did (``log``), and can be told to be slow, to forget tokens, or to go away."""

    def __init__(self, certificate: Path) -> None:
        self.log: list[tuple[str, ...]] = []
        self.services: dict[str, dict[str, Any]] = {}
        self.callbacks: dict[str, str] = {}
        self.not_ready = 0
        self.expires_in = 300
        self.remotes: dict[str, str] = {}
        self.peers: list[str] = []
        self._secrets: dict[str, str] = {}
        self._tokens: dict[str, str] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Connection,), {"platform": self}))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Be gone."""
        self._server.shutdown()
        self._server.server_close()

    def enrol(self, instance_id: str) -> str:
        """A secret for an instance."""
        return self._secrets.setdefault(instance_id, secrets.token_urlsafe(12))

    def revoke_tokens(self) -> None:
        """No token that was given out holds any more."""
        self._tokens.clear()

    def settled(self, instance_id: str) -> bool:
        """The instance is ready and, if it is one that offers something, its service is there."""
        offers = instance_id.startswith("speech")
        return (instance_id, "register" if offers else "ready") in self.log

    def terminate(self, instance_id: str, action: str = "TERMINATING") -> int:
        """Notify an instance of its end; returns the status it answers with."""
        notification = {
            "notificationType": "AppTerminationNotification",
            "operationAction": action,
            "maxGracefulTimeout": 10,
            "_links": {"subscription": {"href": f"{self.url}/x"}},
        }
        return call("POST", self.callbacks[instance_id], json.dumps(notification).encode()).status

    def did(self, instance_id: str) -> list[str]:
        """What an instance did, in order."""
        return [" ".join(what) for who, *what in self.log if who == instance_id]

    def token(self, basic: str, form: str) -> tuple[int, Any]:
        """The token endpoint (RFC 6749, 4.4.2)."""
        client, _, secret = base64.b64decode(basic.removeprefix("Basic ")).decode().partition(":")
        if self._secrets.get(client) != secret or parse_qs(form).get("grant_type") != ["client_credentials"]:
            return 401, {"error": "invalid_client"}
        token = secrets.token_urlsafe(12)
        self._tokens[token] = client
        self.log.append((client, "token"))
        return 200, {"access_token": token, "expires_in": self.expires_in, "token_type": "Bearer"}

    def caller(self, authorization: str) -> str | None:
        """Whose token this is."""
        return self._tokens.get(authorization.removeprefix("Bearer "))

    def answer(self, who: str, method: str, url: str, body: bytes) -> tuple[int, Any]:
        """Mp1 for one caller."""
        path, value = urlsplit(url).path, json.loads(body) if body and body[:1] == b"{" else None
        match [method, *path.strip("/").split("/")]:
            case ["GET", "mec_service_mgmt", "v1", "services"]:
                wanted = parse_qs(urlsplit(url).query)["ser_name"]
                return 200, [each for each in self.services.values() if each["serName"] in wanted]
            case ["POST", "remote", name, *rest]:
                self.log.append((who, "remote", name))
                seen = call("POST", "/".join([self.remotes[name], *rest]), body)
                return seen.status, seen.json
            case [_, "mec_app_support", "v2", "applications", app, _] if app == who:
                return self._support(who, path.rpartition("/")[2], value)
            case ["POST", "mec_service_mgmt", "v1", "applications", app, "services"] if app == who:
                return self._register(who, value)
            case ["DELETE", "mec_service_mgmt", "v1", "applications", app, "services", service] if app == who:
                self.log.append((who, "deregister"))
                return (204, None) if self.services.pop(service, None) else (404, {"title": "No such service"})
        return 404, {"title": "No such resource"}

    def _support(self, who: str, resource: str, value: Any) -> tuple[int, Any]:
        if resource == "subscriptions":
            assert value["subscriptionType"] == "AppTerminationNotificationSubscription"
            assert value["appInstanceId"] == who
            self.callbacks[who] = value["callbackReference"]
            self.log.append((who, "subscribe"))
            return 201, value
        if resource == "confirm_ready":
            assert value == {"indication": "READY"}
            if self.not_ready:
                self.not_ready -= 1
                return 409, {"title": "Not yet", "detail": "the instance is not instantiated"}
            self.log.append((who, "ready"))
            return 204, None
        self.log.append((who, resource, value["operationAction"]))
        return 204, None

    def _register(self, who: str, value: Any) -> tuple[int, Any]:
        service = value | {"serInstanceId": f"service-of-{who}", "isLocal": True}
        self.services[service["serInstanceId"]] = service
        self.log.append((who, "register"))
        return 201, service


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536
    timeout = 20
    platform: SmallPlatform

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        authorization = self.headers.get("Authorization", "")
        if self.path == "/token":
            status, value = self.platform.token(authorization, body.decode())
        elif who := self.platform.caller(authorization):
            if self.path.startswith("/mec_service_mgmt/v1/services?"):
                self.platform.peers.append(self.headers.get("hanse-peer", ""))
            status, value = self.platform.answer(who, self.command, self.path, body)
        else:
            status, value = 401, {"title": "Not authenticated"}
        text = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""
