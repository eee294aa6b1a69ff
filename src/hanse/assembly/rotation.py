"""Rotation: a client gets new credentials, and nothing that the former ones gave is taken any more."""

from __future__ import annotations

from pathlib import Path

from hanse.assembly.identities import Identities
from hanse.assembly.settings import Settings
from hanse.kit.certificates.files import explained, make_directory, replace
from hanse.kit.problems import Problem
from hanse.kit.tokens import new_secret


def rotate(settings: Settings, name: str) -> Path:
    """New credentials for a client of the settings, ``administrator`` or ``customer.TENANT``; the file with them.

    The former secret and its tokens, or the former key and every certificate of it, are refused from the next call on.
    A problem 404 lists whom there is. Cut off in the middle, it can be repeated. Blocks.
    """
    if name in settings.clients:
        file = settings.file(settings.clients[name].secret_file)
        make_directory(file.parent)
        replace(file, f"{new_secret()}\n".encode(), mode=0o600)
        return file
    if name == "administrator" or name.startswith("customer."):
        return _new_key(settings, name)
    known = ", ".join([*settings.clients, "administrator", "customer.TENANT"])
    raise Problem(404, f"No client {name}", f"there are {known}")


def _new_key(settings: Settings, name: str) -> Path:
    identities = Identities(settings)
    former = identities.issue(name)
    identities.revoke(former.certificate, name)
    with explained(former.key_path):
        former.key_path.unlink(missing_ok=True)
    return identities.issue(name).certificate_path
