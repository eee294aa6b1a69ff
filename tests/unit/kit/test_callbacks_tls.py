"""A receiver over TLS is told if an authority that the operator trusts certifies it; else the log says why not."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from hanse.kit.callbacks import Callbacks, CallbackTo
from hanse.kit.certificates import Authority
from hanse.kit.contract.call import Caller
from hanse.kit.contract.observe import Silence
from hanse.kit.problems import Problem
from hanse.kit.values import Link
from tests.unit.kit.test_posting import Server


@dataclass
class Private:
    """A receiver with a certificate of a private authority; ``elsewhere`` leads to it by a name that is not its own."""

    authority: Path
    server: Server
    senders: list[Callbacks] = field(default_factory=list)

    @property
    def elsewhere(self) -> str:
        return self.server.url.replace("127.0.0.1", "localhost")

    def sender(self, *trusted: Path) -> Callbacks:
        def trust() -> ssl.SSLContext:
            context = ssl.create_default_context()
            for path in trusted:
                context.load_verify_locations(cafile=path)
            return context

        caller = Caller(role="mep", name="mep.harbour", operator="north")
        self.senders.append(Callbacks(caller, "Mp1", Silence(), trust=trust))
        return self.senders[-1]


@pytest.fixture
async def private(tmp_path: Path) -> AsyncIterator[Private]:
    authority = Authority.ensure(tmp_path, "private")
    identity = authority.issue(
        "receiver", addresses=("127.0.0.1",), lifetime=timedelta(hours=1), directory=tmp_path / "receiver"
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(identity.certificate_path, identity.key_path)
    made = Private(authority.certificate_path, Server())
    await made.server.start(context)
    made.server.url = made.server.url.replace("http://", "https://")
    yield made
    for sender in made.senders:
        await sender.close()
    await made.server.stop()


def event(url: str) -> bytes:
    return msgspec.json.encode(CallbackTo.of(url, Link(href="https://here/news"), "app.one"))


async def refused(sender: Callbacks, url: str) -> Problem:
    with pytest.raises(Problem) as caught:
        await sender.deliver(event(url))
    return caught.value


async def test_a_receiver_of_a_private_authority_that_is_trusted_is_told(private: Private) -> None:
    sender = private.sender(private.authority)
    for _ in range(2):
        await sender.deliver(event(private.server.url))
    assert private.server.bodies == [b'{"href":"https://here/news"}'] * 2
    assert private.server.connections == 1


async def test_one_that_is_not_trusted_gets_nothing_and_the_log_says_once_why(
    private: Private, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "hanse.callbacks")
    sender = private.sender()
    problems = [await refused(sender, private.server.url + path) for path in ("", "/other", "")]
    assert {problem.status for problem in problems} == {503}, "it may be trusted before it is given up"
    assert private.server.bodies == []
    [message] = [record.getMessage() for record in caplog.records]
    origin = private.server.url.removesuffix("/told")
    assert message.startswith(f"app.one is not told: {origin} is not trusted: unable to get local issuer certificate")
    assert "callbacks.authorities" in message
    assert problems[0].detail in message


async def test_an_authority_vouches_for_the_names_in_its_certificates_alone(
    private: Private, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "hanse.callbacks")
    assert "localhost" in (await refused(private.sender(private.authority), private.elsewhere)).detail
    assert "Hostname mismatch" in caplog.records[0].getMessage()
    assert private.server.bodies == []


async def test_another_private_authority_does_not_count(private: Private, tmp_path: Path) -> None:
    other = Authority.ensure(tmp_path / "other", "private")
    assert (await refused(private.sender(other.certificate_path), private.server.url)).status == 503
    assert private.server.bodies == []


async def test_a_redirection_of_a_receiver_is_not_followed_however_trusted_it_is(private: Private) -> None:
    there = Server()
    await there.start()
    answer: Callable[[str], bytes] = lambda to: (  # noqa: E731
        f"HTTP/1.1 307 Elsewhere\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n".encode()
    )
    private.server.answers = [answer(there.url)]
    assert (await refused(private.sender(private.authority), private.server.url)).status == 307
    await asyncio.sleep(0.05)
    assert (there.connections, len(private.server.bodies)) == (0, 1)
    await there.stop()
