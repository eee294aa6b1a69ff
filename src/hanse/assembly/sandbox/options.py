"""How a sandbox is started: where it listens, below which prefix, with or without TLS."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

import msgspec

from hanse.assembly.sandbox.seed import Seed
from hanse.assembly.settings import Settings, parse
from hanse.kit.contract.cross_origin import check_origin
from hanse.kit.problems import bad_request

OPERATOR = "sandbox"
HOST = "local"


@dataclass(frozen=True)
class Options:
    """``home`` is where it keeps everything; ``prefix`` (``/sandbox/mep``, or empty) stands before every path.

    ``plain`` means HTTP without TLS, on an address of 127.0.0.0/8 only, like apps that are anonymous. ``names_port`` is
    the port of the name server, for UDP and TCP. ``grace``: seconds that apps have to confirm that they are stopped
    when it ends. ``origins`` are those of the web pages that may call it, or ``*``. ``callback_authorities`` are PEM
    files of authorities by which receivers of notifications may be certified, besides the public ones.
    """

    home: Path
    seed: Seed
    address: str = "127.0.0.1"
    port: int = 8443
    names_port: int = 10053
    prefix: str = ""
    plain: bool = False
    grace: int = 5
    origins: tuple[str, ...] = ()
    callback_authorities: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", self.prefix):
            raise bad_request(
                f"Invalid prefix {self.prefix}", "segments of letters, digits and ._~-, as in /sandbox/mep"
            )
        for origin in self.origins:
            check_origin(origin)
        try:
            place = ipaddress.IPv4Address(self.address)
        except ValueError:  # also for one of IPv6, which the name server does not speak
            raise bad_request(f"Invalid address {self.address}", "an IPv4 address of this machine") from None
        if place.is_unspecified:
            raise bad_request(f"Invalid address {self.address}", "one address: clients are told to come back to it")
        if self.plain and not self.on_loopback:
            detail = f"tokens would cross the network in the clear on {self.address}: leave --plain out"
            raise bad_request("Plain HTTP is for loopback only", detail)
        open_to_all = next((app.id for app in self.seed.apps if app.anonymous), None)
        if open_to_all is not None and not self.on_loopback:
            detail = f"whoever reaches {self.address} would speak for {open_to_all}: give it tokens"
            raise bad_request("Anonymous apps are for loopback only", detail)

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return ipaddress.IPv4Address(self.address).is_loopback

    @property
    def origin(self) -> str:
        """Scheme, address and port."""
        return f"{'http' if self.plain else 'https'}://{self.address}:{self.port}"

    @property
    def base(self) -> str:
        """Where apps find the platform; every URI that it tells begins so."""
        return self.origin + self.prefix

    def settings(self) -> Settings:
        """The settings of an operator that has this one host."""
        names = {"address": self.address, "port": self.names_port, "zones": list(self.seed.zones)}
        zone = {"name": HOST, "latitude": 0.0, "longitude": 0.0}
        host = {"zone": zone, "address": self.address, "port": self.port, "names": names}
        host |= {"data_plane": self.seed.data_plane, "apps": "127.0.0.1"}  # nothing is started here: no app needs one
        devices = {
            name: {"address": device.address, "host": HOST, "tags": list(device.tags)}
            | {"latitude": device.latitude, "longitude": device.longitude}
            for name, device in self.seed.devices.items()
        }
        authorities = [str(path.absolute()) for path in self.callback_authorities]
        raw = {
            "operator": {"name": OPERATOR, "address": self.address},
            "federation": {"address": self.address},
            "hosts": {HOST: host},
            "devices": devices,
            "callbacks": {"allow": list(self.seed.callbacks), "authorities": authorities},
            "rules": msgspec.to_builtins(self.seed.rule_settings()),
            "limits": msgspec.to_builtins(self.seed.limits),
        }
        return parse(raw, self.home / "sandbox.toml")
