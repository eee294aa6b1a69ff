"""A man in the middle whom both operators trust, because the test holds their keys; it keeps the plain bytes."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import ssl
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote_to_bytes

from cryptography import x509

from hanse.kit.certificates import Identity, client_context, server_context

_TOKEN = re.compile(rb"[\w-]{8,}\.[\w-]{8,}\.[\w-]+")
_CHUNK = re.compile(rb"\r\n[0-9a-fA-F]{1,8}\r\n")


class Recorder:
    """Takes connections of ``caller`` and leads them to the border of ``called``; ``said`` is by operator.

    ``as_called`` and ``as_caller`` are what it shows on its two sides, ``authorities`` whom it trusts there.
    """

    def __init__(self, caller: str, called: str, real: tuple[str, int]) -> None:
        self._caller, self._called, self._real = caller, called, real
        self.said: dict[str, list[bytearray]] = {caller: [], called: []}
        self.certificates: dict[str, set[bytes]] = {caller: set(), called: set()}
        self._server: asyncio.Server | None = None
        self._onward: ssl.SSLContext | None = None

    async def start(
        self, address: tuple[str, int], as_called: Identity, as_caller: Identity, authorities: dict[str, Path]
    ) -> None:
        """Listen on ``address``, which the caller was told instead of the real one."""
        inward = server_context(as_called, clients=[authorities[self._caller]], require_client=True)
        self._onward = client_context([authorities[self._called]], as_caller)
        self._server = await asyncio.start_server(self._pass, *address, ssl=inward)

    async def close(self) -> None:
        """Take no more; connections that stand are cut."""
        if self._server is not None:
            self._server.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._note(self._caller, writer)
        try:
            onward = await asyncio.open_connection(*self._real, ssl=self._onward)
        except OSError:
            writer.transport.abort()
            return
        self._note(self._called, onward[1])
        there = self._copy(reader, onward[1], self._caller)
        back = self._copy(onward[0], writer, self._called)
        with contextlib.suppress(asyncio.CancelledError):  # the test has ended
            await asyncio.gather(there, back)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, who: str) -> None:
        heard = bytearray()
        self.said[who].append(heard)
        with contextlib.suppress(OSError, ssl.SSLError):
            while data := await reader.read(65536):
                heard += data
                writer.write(data)
                await writer.drain()
        writer.close()

    def _note(self, who: str, writer: asyncio.StreamWriter) -> None:
        tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
        shown = tls.getpeercert(binary_form=True)
        if shown is not None:
            self.certificates[who].add(shown)


def readings(said: Iterable[bytes], certificates: Iterable[bytes]) -> Iterator[bytes]:
    """What crossed as a curious reader may read it: as it is, without chunks, unquoted; tokens and certificates."""
    for data in map(bytes, said):
        for text in (data, _CHUNK.sub(b"", data)):
            yield text
            yield unquote_to_bytes(text)
            for token in _TOKEN.findall(text):
                yield from (_decoded(part) for part in token.split(b".")[:2])
    for der in certificates:
        certificate = x509.load_der_x509_certificate(der)
        told = [certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string()]
        told += [str(extension.value) for extension in certificate.extensions]
        yield der
        yield "\n".join(told).encode()


def spellings(canary: str) -> Iterator[bytes]:
    """A secret as it may be written: plain, in hexadecimal digits, in base64 at each of its three positions."""
    plain = canary.encode()
    yield plain
    yield plain.hex().encode()
    yield plain.hex().upper().encode()
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + plain)
        inner = coded[(shift * 8 + 5) // 6 : (shift + len(plain)) * 8 // 6]
        yield inner
        yield inner.replace(b"+", b"-").replace(b"/", b"_")


def found(canaries: Iterable[str], said: Iterable[bytes], certificates: Iterable[bytes]) -> list[str]:
    """The secrets that crossed, each with what stood around it."""
    everything = list(readings(said, certificates))
    leaks = []
    for canary in canaries:
        for text in everything:
            at = next((text.find(s) for s in spellings(canary) if s in text), None)
            if at is not None:
                leaks.append(f"{canary}: …{text[max(0, at - 300) : at + 200]!r}…")
                break
    return leaks


def _decoded(part: bytes) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except ValueError:
        return b""
