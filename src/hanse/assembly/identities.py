"""Identities: the operator's authority, the certificates of its elements, and its secrets on disk."""

from __future__ import annotations

import secrets
from pathlib import Path

from cryptography import x509

from hanse.assembly.catalogue import Element
from hanse.assembly.revoked import revoke
from hanse.assembly.settings import Settings
from hanse.kit.certificates import Authority, Identity
from hanse.kit.certificates.files import create, explained, make_directory
from hanse.kit.problems import Problem

SECRET_LENGTH = 32


class Identities:
    """Issues what the elements of one operator show to each other and to partners."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._directory = settings.directory / "certificates"
        self.lifetime = settings.certificates.lifetime
        self.revoked_path = self._directory / "revoked.txt"
        self.authority = Authority.ensure(self._directory, settings.operator.name)

    @property
    def authority_path(self) -> Path:
        """The certificate of the operator's authority, for partners and apps."""
        return self.authority.certificate_path

    def of_element(self, element: Element) -> Identity:
        """What an element shows inside the operator; its URI says which element it is."""
        return self.issue(element.name, (element.address,))

    def of_operator(self) -> Identity:
        """What the operator shows to partners; it names no element and no host."""
        name = self._settings.operator.name
        return self.authority.issue(
            name,
            addresses=(self._settings.federation.address,),
            uri=f"hanse://{name}",
            lifetime=self.lifetime,
            directory=self._directory,
        )

    def issue(self, name: str, addresses: tuple[str, ...] = ()) -> Identity:
        """A certificate for a name of the operator: an element, ``administrator``, ``customer.acme``."""
        operator = self._settings.operator.name
        return self.authority.issue(
            name,
            addresses=addresses,
            uri=f"hanse://{operator}/{name}",
            lifetime=self.lifetime,
            directory=self._directory,
        )

    def of_names(self, name: str, dns_names: tuple[str, ...], address: str) -> Identity:
        """What a server shows that stands for names towards devices; it says of no element that it is one."""
        return self.authority.issue(
            name, addresses=(address,), dns_names=dns_names, lifetime=self.lifetime, directory=self._directory
        )

    def revoke(self, certificate: x509.Certificate, whose: str) -> None:
        """Have no element take a certificate of this key any more."""
        revoke(self.revoked_path, certificate, whose)


def secret(path: Path) -> bytes:
    """A secret of 32 bytes in a file that only its owner reads, made if it is not there; 500 if it is damaged."""
    make_directory(path.parent)
    if not path.exists():
        create(path, secrets.token_bytes(SECRET_LENGTH), mode=0o600)  # whoever is first decides
    with explained(path):
        value = path.read_bytes()
    if len(value) != SECRET_LENGTH:
        raise Problem(500, f"{path} is damaged", f"it holds {SECRET_LENGTH} bytes; remove it to have a new one made")
    return value
