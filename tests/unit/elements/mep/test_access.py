"""Only an app that the platform knows now gets in, and only as itself."""

from __future__ import annotations

import asyncio
import base64
import threading
from urllib.parse import urlencode

import msgspec
import pytest

from hanse.elements.mep.access import Access
from hanse.kit.problems import Problem
from hanse.kit.store_file import Rows
from hanse.kit.tokens import TokenIssuer
from hanse.refpoints.mm5.platform import AppAccess
from tests.bounds import SOON
from tests.unit.elements.mep.parts import URL, Bench, configuration, signing_key


def token(bench: Bench, access: AppAccess, secret: str = "") -> str:
    """A token as an app gets it; empty if it gets none."""
    pair = f"{access.client_id}:{secret or access.client_secret}".encode()
    form = urlencode({"grant_type": "client_credentials"}).encode()
    answer = bench.platform.access.token(form, f"Basic {base64.b64encode(pair).decode()}")
    return str(msgspec.json.decode(answer.body).get("access_token", ""))


async def enrolled(bench: Bench, name: str = "one") -> AppAccess:
    return await bench.platform.configuration.configure(name, configuration(name))


async def test_an_app_is_told_where_to_get_in_and_gets_in_as_itself(bench: Bench) -> None:
    access = await enrolled(bench)
    assert (access.platform_url, access.token_url) == (URL, f"{URL}/oauth2/token")
    caller = bench.platform.access.caller(token(bench, access))
    assert (caller.role, caller.subject, caller.operator) == ("app", "one", "north")
    assert not caller.trusted


async def test_a_wrong_or_foreign_secret_gets_no_token(bench: Bench) -> None:
    one, two = await enrolled(bench, "one"), await enrolled(bench, "two")
    assert one.client_secret != two.client_secret
    assert token(bench, one, secret="guess") == ""
    assert token(bench, one, secret=two.client_secret) == ""


async def test_an_unknown_app_gets_no_token(bench: Bench) -> None:
    known = await enrolled(bench)
    assert token(bench, msgspec.structs.replace(known, client_id="nobody")) == ""


async def test_an_app_that_could_not_be_forgotten_goes_on_working(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = await enrolled(bench)
    held = token(bench, access)

    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(bench.store._file, "write", full)
        with pytest.raises(Problem, match="cannot be written"):
            await bench.platform.configuration.forget("one")
    assert bench.platform.access.caller(held).subject == "one"
    assert token(bench, access) != ""


async def test_a_token_that_is_fetched_while_an_app_is_forgotten_does_not_outlive_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = await enrolled(bench)
    write, writing, go_on = bench.store._file.write, threading.Event(), threading.Event()

    def slow(rows: Rows) -> None:
        writing.set()
        assert go_on.wait(SOON)
        write(rows)

    monkeypatch.setattr(bench.store._file, "write", slow)
    forgetting = asyncio.create_task(bench.platform.configuration.forget("one"))
    assert await asyncio.to_thread(writing.wait, SOON)
    late = token(bench, access)
    assert bench.platform.access.caller(late).subject == "one"
    go_on.set()
    await forgetting
    await enrolled(bench)  # not even if an app of the same id comes again
    with pytest.raises(Problem) as caught:
        bench.platform.access.caller(late)
    assert caught.value.status == 401


async def test_a_forgotten_app_is_refused_at_once_and_gets_no_new_token(bench: Bench) -> None:
    access = await enrolled(bench)
    held = token(bench, access)
    bench.platform.access.caller(held)
    await bench.platform.configuration.forget("one")
    with pytest.raises(Problem) as caught:
        bench.platform.access.caller(held)
    assert caught.value.status == 401
    assert token(bench, access) == ""


async def test_one_token_can_be_refused_without_the_others(bench: Bench) -> None:
    access = await enrolled(bench)
    lost, kept = token(bench, access), token(bench, access)
    payload = base64.urlsafe_b64decode(lost.split(".")[1] + "==")
    bench.platform.access.revoke(msgspec.json.decode(payload)["jti"])
    with pytest.raises(Problem) as caught:
        bench.platform.access.caller(lost)
    assert caught.value.status == 401
    assert bench.platform.access.caller(kept).subject == "one"


async def test_after_a_restart_apps_keep_their_secrets(bench: Bench) -> None:
    access = await enrolled(bench)
    issuer = TokenIssuer(signing_key(), issuer=URL)
    again = Access(URL, "north", bench.platform.records, issuer, b"seed" * 8, "PEM")
    assert again.caller(token(bench, access)).subject == "one"
    pair = base64.b64encode(f"one:{access.client_secret}".encode()).decode()
    assert again.token(b"grant_type=client_credentials", f"Basic {pair}").status == 200


@pytest.mark.parametrize("nonsense", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
async def test_nonsense_is_not_a_token(bench: Bench, nonsense: str) -> None:
    with pytest.raises(Problem) as caught:
        bench.platform.access.caller(nonsense)
    assert caught.value.status == 401
