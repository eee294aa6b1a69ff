"""Settings of one operator, read from TOML; every mistake is named with its place and what would be right."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from hanse.assembly.checking import checks
from hanse.assembly.leading import SteeringSettings
from hanse.assembly.limits import LimitSettings
from hanse.assembly.rules import RuleSettings
from hanse.assembly.tables import (
    ClientSettings,
    DeviceSettings,
    FederationSettings,
    HostSettings,
    OperatorSettings,
    PackageSettings,
    PartnerSettings,
    Table,
)
from hanse.assembly.upkeep import CallbackSettings, CertificateSettings, RetentionSettings
from hanse.kit.contract.decode import invalid
from hanse.kit.problems import Problem, bad_request


class Settings(Table):
    """Everything that is configured of one operator. ``path`` is the file that it was read from."""

    operator: OperatorSettings
    federation: FederationSettings
    hosts: dict[str, HostSettings] = {}
    devices: dict[str, DeviceSettings] = {}
    partners: dict[str, PartnerSettings] = {}
    clients: dict[str, ClientSettings] = {}
    packages: PackageSettings = PackageSettings()
    limits: LimitSettings = LimitSettings()
    steering: dict[str, SteeringSettings] = {}
    certificates: CertificateSettings = CertificateSettings()
    callbacks: CallbackSettings = CallbackSettings()
    rules: RuleSettings = RuleSettings()
    retention: RetentionSettings = RetentionSettings()
    path: str = ""

    @property
    def base(self) -> Path:
        """The directory to which paths in the file are relative."""
        return Path(self.path).resolve().parent

    @property
    def directory(self) -> Path:
        """The operator's own state directory."""
        return self.base / self.operator.directory

    @property
    def federation_url(self) -> str:
        """Where partners reach the operator."""
        return self.federation.url or f"https://{self.federation.address}:{self.federation.port}"

    def file(self, name: str) -> Path:
        """A path of the file."""
        return self.base / name

    def content(self, key: str, name: str) -> bytes:
        """What is in the file that ``key`` names; a problem 400 if it cannot be read."""
        try:
            return self.file(name).read_bytes()
        except OSError as error:
            detail = f"{self.file(name)} cannot be read: {error.strerror}"
            raise bad_request(f"{self.path}: Invalid key {key}", detail) from None


def load(path: Path) -> Settings:
    """Read settings; a problem 400 names the key at fault."""
    try:
        raw = tomllib.loads(path.read_text())
    except OSError as error:
        raise bad_request(f"Cannot read {path}", error.strerror or str(error)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise bad_request(f"{path} is not TOML", str(error)) from None
    return parse(raw, path)


def parse(raw: dict[str, Any], path: Path) -> Settings:
    """Check settings that were read already."""
    try:
        settings = msgspec.convert({**raw, "path": str(path)}, Settings)
    except msgspec.ValidationError as error:
        problem = invalid(str(error), Settings, kind="key")
        raise Problem(400, f"{path}: {problem.title}", problem.detail) from None
    for key, right, good in checks(settings):
        if not good:
            raise bad_request(f"{path}: Invalid key {key}", right)
    return settings
