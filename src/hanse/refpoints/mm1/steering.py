"""To which host a device is led that asks for a name: the operator's policy, the same from the portal to the platforms.

The standard names the duty (ETSI GS MEC 003, 7.1.2: traffic and DNS configured by the platform manager on the MEC
platform; ETSI GS MEC 002, Routing and DNS support) and gives no payload.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address, ip_network

from hanse.kit.contract.declare import Api, delete, get, put
from hanse.kit.problems import bad_request
from hanse.kit.values import ABSENT, Absent, Value
from hanse.model.place import Zone


class Target(Value):
    """One place where devices find what a name stands for: at ``address`` (IPv4 or IPv6), served by ``host``.

    ``zone`` is where the host stands; the orchestrator, which knows that, fills it in. ``location`` is where HTTP
    redirection leads (``https://video-north.example.com:8443``): a scheme, a name or address, a port if it is not the
    scheme's own. Without it, it leads to ``address``, with the scheme of the request and that scheme's port.
    """

    host: str
    address: str
    zone: Zone | Absent = ABSENT
    location: str | Absent = ABSENT


class Preference(Value):
    """Devices that are led ``to`` a host, whatever is nearer to them; one of the three must name a device.

    ``devices`` are devices of the operator by name, or any by IP address; ``subnets`` networks like ``10.1.0.0/16``;
    ``zones`` those in which a device is served.
    """

    to: str
    devices: tuple[str, ...] = ()
    subnets: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()


class SteeringPolicy(Value):
    """Where a name leads: of the ``targets``, the first preference that means the device decides, then nearness.

    With ``app`` (an appName) only targets count on whose host an instance of it is STARTED. ``ttl`` in seconds is
    how long an answer may be kept, hence how soon a change is felt.
    """

    name: str
    targets: tuple[Target, ...]
    preferences: tuple[Preference, ...] = ()
    ttl: int = 5
    app: str | Absent = ABSENT


class SteeringPolicies(Api, bases=("/steering/v1",)):
    """Policies by their names, full domain names without final dot; every operation is idempotent."""

    @put("/names/{name}", success=204)
    async def set_policy(self, name: str, policy: SteeringPolicy) -> None:
        """Lead devices by this policy from now on; 400 names what is wrong, or what a name server here cannot do."""

    @delete("/names/{name}")
    async def remove_policy(self, name: str) -> None:
        """Lead nobody by it any more; an unknown name is no error."""

    @get("/names")
    async def list_policies(self) -> list[SteeringPolicy]:
        """All policies in force, in the order of their names."""


MOST_PREFERENCES = 10_000
_MOST_TTL = 86_400
_LONGEST_NAME = 253
_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?")

_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_LOCATION = re.compile(rf"https?://(\[[0-9A-Fa-f:.]+\]|{_LABEL}(?:\.{_LABEL})*\.?)(?::([0-9]{{1,5}}))?")


def check_policy(name: str, policy: SteeringPolicy) -> None:
    """What a policy must hold beyond its shape; a problem 400 names the attribute at fault."""
    if policy.name != name:
        raise bad_request("Invalid attribute name", f"the address says {name}, the body {policy.name}")
    if not _NAME.fullmatch(name):
        raise bad_request("Invalid attribute name", f"a full name in lower case, like video.example.com; got {name!r}")
    if not 0 <= policy.ttl <= _MOST_TTL:
        raise bad_request("Invalid attribute ttl", f"seconds, 0 to {_MOST_TTL}; got {policy.ttl}")
    if len(policy.preferences) > MOST_PREFERENCES:
        raise bad_request("Invalid attribute preferences", f"at most {MOST_PREFERENCES}; got {len(policy.preferences)}")
    for target in policy.targets:
        _check_network("targets.address", target.address, ip_address, "127.10.200.7 or 2001:db8::7")
        if isinstance(target.location, str):
            _check_location(name, target.location)
    for preference in policy.preferences:
        _check_preference(preference)


def _check_preference(preference: Preference) -> None:
    if not (preference.devices or preference.subnets or preference.zones):
        raise bad_request(
            "Invalid attribute preferences", f"name devices, subnets or zones to be led to {preference.to}"
        )
    for subnet in preference.subnets:
        _check_network("preferences.subnets", subnet, ip_network, "10.1.0.0/16 or 2001:db8::/32")


def _check_location(name: str, location: str) -> None:
    """A place and nothing more: the path is that of each request. The name itself would lead round in a circle."""
    found = _LOCATION.fullmatch(location)
    if found is None or len(found[1]) > _LONGEST_NAME or not 1 <= int(found[2] or 1) <= 65535:
        right = "write http:// or https:// with a name or address and perhaps a port, no path"
        raise bad_request("Invalid attribute targets.location", f"{right}; got {location!r}")
    if found[1].startswith("[") or found[1].rstrip(".").rpartition(".")[2].isdecimal():  # clients read it as an address
        _check_network("targets.location", found[1].strip("[]"), ip_address, "https://[2001:db8::7]:8443")
    if found[1].lower().rstrip(".") == name:
        raise bad_request("Invalid attribute targets.location", f"{location} leads back to {name}: name another place")


def _check_network(attribute: str, text: str, read: Callable[[str], object], example: str) -> None:
    try:
        if "%" not in text:
            read(text)
            return
    except ValueError:
        pass
    raise bad_request(f"Invalid attribute {attribute}", f"write {example}; got {text!r}")
