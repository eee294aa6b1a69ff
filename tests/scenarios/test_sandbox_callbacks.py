"""Apps of a sandbox that are notified over HTTPS: also those whose certificates no public authority has issued."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from hanse.kit.certificates import Authority, server_context
from tests.bounds import SOON
from tests.scenarios.sandbox_process import Place, Running, networks, seed_file, started
from tests.scenarios.test_sandbox import Server, serving


@contextmanager
def certified(place: Place, directory: Path) -> Iterator[tuple[Server, Path]]:
    """An app's server over TLS with a certificate of a private authority, and the authority's file."""
    authority = Authority.ensure(directory, "private")
    identity = authority.issue("app", addresses=(place.app,), lifetime=timedelta(hours=1), directory=directory / "app")
    with serving(place.app, 8443, server_context(identity, require_client=None, standard=True)) as server:
        yield server, authority.certificate_path


def test_an_app_that_is_certified_by_a_private_authority_is_told_where_that_is_named(tmp_path: Path) -> None:
    own = "/mec_service_mgmt/v1/applications/app-alice/services"
    with networks() as place, certified(place, tmp_path) as (server, authority):
        seed = seed_file(tmp_path, place, f"https://{place.app}:8443/told")
        transport = {"id": "t", "name": "REST", "type": "REST_HTTP", "protocol": "HTTP", "version": "1", "security": {}}
        transport |= {"endpoint": {"uris": [f"http://{place.app}:8080/"]}}
        service = {"serName": "s", "version": "1", "state": "ACTIVE", "serializer": "JSON", "transportInfo": transport}
        with started(place, "--seed", str(seed)) as running:
            assert running.call("POST", own, service)[0] == 201
            said = _said(running, "callbacks.authorities")
            assert f"https://{place.app}:8443 is not trusted" in said
            assert server.posted == []
        with started(place, "--seed", str(seed), "--callback-authority", str(authority)) as running:
            assert running.call("POST", own, service)[0] == 201
            server.await_posts(1)
            assert json.loads(server.posted[0])["serviceReferences"][0]["changeType"] == "ADDED"


def test_a_file_for_authorities_that_holds_none_is_named_before_anything_starts(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    for file, words in ((empty, "must be PEM"), (tmp_path / "none.pem", "does not exist")):
        with networks() as place:
            command = [sys.executable, "-m", "hanse", "sandbox", "--address", place.platform]
            command += ["--callback-authority", str(file)]
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=60, env=os.environ | {"COLUMNS": "400"}
            )
        assert done.returncode != 0
        assert words in done.stderr
        assert "Traceback" not in done.stderr


def _said(running: Running, words: str) -> str:
    """What it writes of itself until it has said these words."""
    assert running.process.stderr is not None
    output, said = running.process.stderr.fileno(), ""
    while words not in said:
        assert select.select([output], [], [], SOON)[0], said
        more = os.read(output, 65536).decode()
        assert more, said
        said += more
    return said
