"""Certificates: who may speak, who is believed, and that no restart or crash changes it."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from hanse.kit.certificates import (
    Authority,
    Identity,
    client_context,
    issued_by,
    load_certificate,
    load_key,
    peer_name,
    peer_uri,
    renew,
    server_context,
    thumbprint,
)
from hanse.kit.certificates.files import create
from hanse.kit.problems import Problem

URI = "hanse://north/mepm.harbour"
DAY = timedelta(days=1)


def der(identity: Identity) -> bytes:
    return identity.certificate.public_bytes(Encoding.DER)


def two_of_each_name(authority: Authority) -> bytes:
    """A certificate of somebody who would like to be taken for another as well."""
    names = [x509.NameAttribute(NameOID.COMMON_NAME, name) for name in ("south", "north")]
    uris = [x509.UniformResourceIdentifier(uri) for uri in ("hanse://south/meo", "hanse://north/meo")]
    builder = x509.CertificateBuilder(authority.certificate.subject, x509.Name(names), authority.key.public_key(), 1)
    builder = builder.not_valid_before(authority.certificate.not_valid_before_utc)
    builder = builder.not_valid_after(authority.certificate.not_valid_after_utc)
    builder = builder.add_extension(x509.SubjectAlternativeName(uris), critical=False)
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(Encoding.DER)


def issue(authority: Authority, name: str = "mepm.harbour", **wanted: Any) -> Identity:
    wanted = {"addresses": ("127.0.0.1",), "uri": URI, "lifetime": DAY, **wanted}
    return authority.issue(name, directory=authority.certificate_path.parent / "elements", **wanted)


@pytest.fixture
def north(tmp_path: Path) -> Authority:
    return Authority.ensure(tmp_path / "north", "north")


@pytest.fixture
def south(tmp_path: Path) -> Authority:
    return Authority.ensure(tmp_path / "south", "south")


class TestAuthority:
    def test_after_a_restart_partners_still_trust_the_same_authority(self, north: Authority) -> None:
        again = Authority.ensure(north.certificate_path.parent, "north")
        assert again.certificate == north.certificate

    def test_no_other_user_reads_a_key_and_nothing_half_written_is_left(self, north: Authority) -> None:
        issue(north)
        files = {path.name: path.stat().st_mode & 0o777 for path in north.certificate_path.parent.rglob("*.pem")}
        assert files == {
            "north.ca.pem": 0o644,
            "north.ca-key.pem": 0o600,
            "mepm.harbour.cert.pem": 0o644,
            "mepm.harbour.key.pem": 0o600,
        }
        assert not list(north.certificate_path.parent.rglob(".*"))

    def test_processes_that_start_at_once_share_one_authority(self, tmp_path: Path) -> None:
        code = (
            "import sys, pathlib; from hanse.kit.certificates import Authority; sys.stdin.read(1);"
            "print(Authority.ensure(pathlib.Path(sys.argv[1]), 'north').certificate.serial_number)"
        )
        command = [sys.executable, "-c", code, str(tmp_path)]
        started = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(3)]
        for process in started:
            assert process.stdin
            process.stdin.write(b"\n")
            process.stdin.flush()
        serials = {process.communicate(timeout=100)[0] for process in started}
        assert len(serials) == 1
        assert serials != {b""}

    def test_the_slower_of_two_writers_leaves_the_first_one_s_file(self, tmp_path: Path) -> None:
        path = tmp_path / "key.pem"
        assert create(path, b"first", mode=0o600)
        assert not create(path, b"second", mode=0o600)
        assert path.read_bytes() == b"first"
        assert list(tmp_path.iterdir()) == [path]

    @pytest.mark.parametrize("point", ["create:before", "create:after@1", "create:after@2", "replace:before"])
    def test_after_a_crash_at_any_write_the_next_start_succeeds(self, tmp_path: Path, point: str) -> None:
        code = (
            "import sys, pathlib, datetime; from hanse.kit.certificates import Authority;"
            "d = pathlib.Path(sys.argv[1]); day = datetime.timedelta(1);"
            "Authority.ensure(d, 'north').issue('mep', lifetime=day, directory=d)"
        )
        environment = {**os.environ, "HANSE_FAILPOINT": f"certificates.{point}"}
        crashed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=environment, timeout=100)
        assert crashed.returncode == -signal.SIGKILL
        identity = Authority.ensure(tmp_path, "north").issue("mep", lifetime=DAY, directory=tmp_path)
        assert identity.certificate.public_key() == load_key(identity.key_path).public_key()

    def test_a_lost_key_is_named_and_no_new_one_is_put_in_its_place(self, north: Authority) -> None:
        key = north.certificate_path.with_name("north.ca-key.pem")
        key.unlink()
        with pytest.raises(Problem, match="is missing; restore it"):
            Authority.ensure(key.parent, "north")
        assert not key.exists()

    def test_a_key_of_another_authority_is_told_apart(self, north: Authority, south: Authority) -> None:
        stolen = south.certificate_path.with_name("south.ca-key.pem").read_bytes()
        north.certificate_path.with_name("north.ca-key.pem").write_bytes(stolen)
        with pytest.raises(Problem, match="does not belong to the key"):
            Authority.ensure(north.certificate_path.parent, "north")

    def test_an_authority_that_ended_says_so_instead_of_issuing(self, north: Authority) -> None:
        end = north.certificate.not_valid_after_utc.timestamp()
        with pytest.raises(Problem, match="ended at"):
            Authority.ensure(north.certificate_path.parent, "north", clock=lambda: end + 1)

    def test_a_key_that_others_may_read_is_refused_with_the_command_that_helps(self, north: Authority) -> None:
        key = north.certificate_path.with_name("north.ca-key.pem")
        key.chmod(0o640)
        with pytest.raises(Problem, match=f"chmod 600 {key}"):
            Authority.ensure(key.parent, "north")

    @pytest.mark.parametrize("curve", [ec.SECP384R1()])
    def test_a_key_of_another_kind_is_refused(self, tmp_path: Path, curve: ec.EllipticCurve) -> None:
        path = tmp_path / "key.pem"
        private = ec.generate_private_key(curve).private_bytes(
            Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        for content, said in ((private, "P-256"), (b"rubbish", "unencrypted private key in PEM")):
            path.write_bytes(content)
            path.chmod(0o600)
            with pytest.raises(Problem, match=said):
                load_key(path)

    def test_a_directory_that_cannot_be_made_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "taken").write_text("a file")
        with pytest.raises(Problem, match="taken"):
            Authority.ensure(tmp_path / "taken", "north")


class TestIssued:
    def test_it_carries_the_names_given_and_no_other(self, north: Authority) -> None:
        identity = issue(north, addresses=("127.0.0.1", "::1"), dns_names=("mep.example",))
        assert peer_uri(der(identity)) == URI
        assert peer_name(der(identity)) == "mepm.harbour"
        assert identity.certificate.subject.rfc4514_string() == "CN=mepm.harbour"
        said = {extension.oid._name for extension in identity.certificate.extensions}
        assert said == {
            "subjectKeyIdentifier", "authorityKeyIdentifier", "subjectAltName",
            "basicConstraints", "keyUsage", "extendedKeyUsage",
        }  # fmt: skip

    def test_a_restart_keeps_the_certificate_that_tokens_are_bound_to(self, north: Authority) -> None:
        first = issue(north, dns_names=("a.example", "b.example")).thumbprint
        assert issue(north, dns_names=("b.example", "a.example")).thumbprint == first

    @pytest.mark.parametrize(
        "change",
        [{"addresses": ("127.0.0.2",)}, {"dns_names": ("x.example",)}, {"uri": None}, {"lifetime": DAY / 2}],
    )
    def test_other_contents_are_another_certificate(self, north: Authority, change: dict[str, Any]) -> None:
        first = issue(north).thumbprint
        assert issue(north, **change).thumbprint != first

    def test_it_is_renewed_before_it_ends_and_keeps_its_key(self, north: Authority) -> None:
        now = [1_800_000_000.0]
        authority = Authority(north.certificate_path, north.certificate, north.key, lambda: now[0])
        first = issue(authority)
        before, key = first.thumbprint, first.certificate.public_key()
        now[0] += 0.6 * DAY.total_seconds()
        assert issue(authority).thumbprint == before
        now[0] += 0.1 * DAY.total_seconds()
        renewed = issue(authority)
        assert renewed.thumbprint != before
        assert renewed.certificate.public_key() == key
        assert renewed.expires_at == now[0] + DAY.total_seconds()

    def test_it_never_outlives_its_authority(self, north: Authority) -> None:
        identity = issue(north, lifetime=timedelta(days=9999))
        assert identity.certificate.not_valid_after_utc == north.certificate.not_valid_after_utc

    def test_a_new_authority_issues_anew(self, north: Authority, tmp_path: Path) -> None:
        first = issue(north).thumbprint
        for file in north.certificate_path.parent.glob("north.ca*"):
            file.unlink()
        assert issue(Authority.ensure(north.certificate_path.parent, "north")).thumbprint != first

    @pytest.mark.parametrize(
        ("name", "wanted", "said"),
        [
            ("../up", {}, "Certificate name"),
            ("a b", {}, "Certificate name"),
            ("n" * 65, {}, "Certificate name"),
            ("mep", {"addresses": ("127.0.0.300",)}, "127.0.0.300"),
            ("mep", {"uri": "hanse://nörd"}, "ASCII"),
            ("mep", {"lifetime": timedelta(0)}, "Lifetime"),
        ],
    )
    def test_names_that_cannot_be_are_refused(
        self, north: Authority, name: str, wanted: dict[str, Any], said: str
    ) -> None:
        with pytest.raises(Problem, match=said) as refused:
            issue(north, name, **wanted)
        assert refused.value.status == 400

    @pytest.mark.usefixtures("openssl")
    def test_the_thumbprint_is_that_of_openssl(self, north: Authority) -> None:
        identity = issue(north)
        command = ["openssl", "x509", "-in", str(identity.certificate_path), "-noout", "-fingerprint", "-sha256"]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.partition("=")[2]
        expected = ssl.DER_cert_to_PEM_cert(bytes.fromhex(printed.strip().replace(":", ""))).splitlines()[1]
        assert identity.thumbprint == thumbprint(der(identity))
        assert identity.thumbprint == expected.rstrip("=").replace("+", "-").replace("/", "_")

    def test_a_partner_that_writes_our_names_is_found_out(self, north: Authority, south: Authority) -> None:
        forged = der(issue(south))
        assert peer_uri(forged) == URI
        assert not issued_by(forged, north.certificate)
        assert issued_by(der(issue(north)), load_certificate(north.certificate_path))
        assert not issued_by(b"not a certificate", north.certificate)

    def test_who_has_no_name_or_two_has_none(self, north: Authority) -> None:
        assert peer_uri(der(issue(north, uri=None))) is None
        assert peer_uri(b"not a certificate") is None
        assert peer_name(b"not a certificate") is None
        two = two_of_each_name(north)
        assert peer_uri(two) is None
        assert peer_name(two) is None


@asynccontextmanager
async def serving(context: ssl.SSLContext) -> Any:
    """A server on loopback that answers the URI of its client, or '-'."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.write(((peer_uri(shown) if shown else None) or "-").encode())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def dial(port: int, context: ssl.SSLContext, host: str = "127.0.0.1") -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=host)
    try:
        heard = (await reader.read()).decode()
    finally:
        writer.close()
    if not heard:  # asyncio's server ends a refused handshake without an alert
        raise ConnectionError("refused")
    return heard


class TestHandshake:
    @pytest.mark.parametrize(
        ("require", "shown", "heard"),
        [(None, "none", "-"), (None, "ours", "-"), (False, "none", "-"), (False, "ours", URI), (True, "ours", URI)],
    )
    async def test_the_server_knows_its_client(
        self, north: Authority, require: bool | None, shown: str, heard: str
    ) -> None:
        identity = issue(north) if shown == "ours" else None
        trust = [north.certificate_path]
        async with serving(server_context(issue(north, "mep"), clients=trust, require_client=require)) as port:
            assert await dial(port, client_context(trust, identity)) == heard

    @pytest.mark.parametrize(
        ("require", "shown"), [(True, "none"), (True, "foreign"), (False, "foreign"), (True, "signer")]
    )
    async def test_a_client_that_is_not_certified_for_it_is_refused(
        self, north: Authority, south: Authority, require: bool, shown: str
    ) -> None:
        signer = north.issue_signer("acme", north.certificate_path.parent)
        identity = {"none": None, "foreign": issue(south), "signer": signer}[shown]
        trust = [north.certificate_path]
        async with serving(server_context(issue(north, "mep"), clients=trust, require_client=require)) as port:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await dial(port, client_context(trust, identity))

    async def test_partners_are_trusted_beside_the_own_authority(self, north: Authority, south: Authority) -> None:
        clients = [north.certificate_path, south.certificate_path]
        async with serving(server_context(issue(north, "mep"), clients=clients, require_client=True)) as port:
            assert await dial(port, client_context([north.certificate_path], issue(south))) == URI

    @pytest.mark.parametrize("fault", ["foreign authority", "other host", "signer", "ended"])
    async def test_a_server_that_is_not_who_was_dialled_is_refused(
        self, north: Authority, south: Authority, fault: str
    ) -> None:
        past = Authority(north.certificate_path, north.certificate, north.key, lambda: north_began(north) + 30)
        identity = {
            "foreign authority": lambda: issue(south, "mep"),
            "other host": lambda: issue(north, "mep", addresses=("127.0.0.9",)),
            "signer": lambda: north.issue_signer("acme", north.certificate_path.parent),
            "ended": lambda: issue(past, "mep", lifetime=timedelta(microseconds=1)),
        }[fault]()
        async with serving(server_context(identity, require_client=None)) as port:
            with pytest.raises(ssl.SSLCertVerificationError):
                await dial(port, client_context([north.certificate_path]))

    async def test_a_renewed_certificate_is_shown_without_a_restart(self, north: Authority) -> None:
        ended = Authority(north.certificate_path, north.certificate, north.key, lambda: north_began(north) + 30)
        context = server_context(issue(ended, "mep", lifetime=timedelta(seconds=1)), require_client=None)
        async with serving(context) as port:
            with pytest.raises(ssl.SSLCertVerificationError):
                await dial(port, client_context([north.certificate_path]))
            renew(context, issue(north, "mep"))
            assert await dial(port, client_context([north.certificate_path])) == "-"

    async def test_tls_1_2_is_refused_by_both_sides(self, north: Authority) -> None:
        trust, identity = [north.certificate_path], issue(north, "mep")
        old_client = ssl.create_default_context(cafile=north.certificate_path)
        async with serving(server_context(identity, require_client=None)) as port:
            assert await dial(port, old_client) == "-"
            old_client.maximum_version = ssl.TLSVersion.TLSv1_2
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await dial(port, old_client)
        old_server = server_context(identity, require_client=None)
        old_server.minimum_version = old_server.maximum_version = ssl.TLSVersion.TLSv1_2
        async with serving(old_server) as port:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await dial(port, client_context(trust))

    async def test_a_server_of_standard_apis_takes_tls_1_2_with_forward_secrecy_and_nothing_older(
        self, north: Authority
    ) -> None:
        context = server_context(issue(north, "mep"), require_client=None, standard=True)
        client = ssl.create_default_context(cafile=north.certificate_path)
        async with serving(context) as port:
            assert await dial(port, client_context([north.certificate_path])) == "-"
            client.maximum_version = ssl.TLSVersion.TLSv1_2
            assert await dial(port, client) == "-"
            client.set_ciphers("AES128-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384")
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await dial(port, client)
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2

    async def test_partners_with_strict_libraries_accept_our_certificates(self, north: Authority) -> None:
        strict = client_context([north.certificate_path])
        strict.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
        async with serving(
            server_context(issue(north, "mep", dns_names=("mep.example",)), require_client=None)
        ) as port:
            assert await dial(port, strict, "mep.example") == "-"

    def test_files_that_cannot_be_used_are_named(self, north: Authority, south: Authority, tmp_path: Path) -> None:
        ours, theirs = issue(north), issue(south)
        mixed = Identity(certificate_path=ours.certificate_path, key_path=theirs.key_path)
        gone, rubbish = tmp_path / "gone.pem", tmp_path / "rubbish.pem"
        rubbish.write_text("rubbish")
        with pytest.raises(Problem, match="fit the key"):
            server_context(mixed, require_client=None)
        with pytest.raises(Problem, match="cannot be read"):
            client_context([north.certificate_path], Identity(certificate_path=gone, key_path=ours.key_path))
        with pytest.raises(Problem, match="at least one PEM file"):
            server_context(ours, require_client=True)
        with pytest.raises(Problem, match=r"gone\.pem"):
            client_context([gone])
        with pytest.raises(Problem, match=r"rubbish\.pem"):
            client_context([rubbish])
        with pytest.raises(Problem, match=r"rubbish\.pem"):
            load_certificate(rubbish)


def north_began(authority: Authority) -> float:
    return authority.certificate.not_valid_before_utc.timestamp()
