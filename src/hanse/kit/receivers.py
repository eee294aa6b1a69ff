"""Where calls to named addresses may go: whoever makes them must not be led to what those who name them cannot reach.

Taken at its word, a subscriber could have us knock wherever it likes, from the inside; so could the producer of a
service, to whom we carry calls. So an address is taken if it is that of who names it, or if it is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from hanse.kit.problems import Problem, bad_request, forbidden

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST = 2000
"""Characters of a URL that is named to us."""
CALLBACK = "callbackReference"
"""The attribute in which subscribers name theirs."""
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Receivers:
    """``allowed`` are addresses, networks and host names (``*.example.com`` for all below), besides subscribers' own.

    ``inside`` are the places (address, port) that we ourselves have: nothing is posted there, and to other ports of
    their addresses only if that very address is allowed, not merely a network around it.
    """

    allowed: tuple[str, ...] = ()
    inside: frozenset[tuple[str, int]] = frozenset()

    def check(self, url: str, own: str, attribute: str = CALLBACK) -> None:
        """Take ``url`` as the ``attribute`` of who is at the address ``own``, or say why not.

        A problem 400 for what is no URL to be called, 403 for one that is not allowed.
        """
        self.check_place(*place_of(url, attribute), own, attribute)

    def check_place(self, host: str, port: int, own: str, attribute: str) -> None:
        """As `check`, for a host and a port."""
        address = _address(host)
        if self._names(host) if address is None else self._takes(address, port, own):
            return
        where = f"{host}:{port} is neither at your own address ({own})"
        raise forbidden(f"Not allowed: {attribute}", f"{where} nor allowed by the operator (callbacks.allow)")

    def takes(self, address: str, own: str) -> bool:
        """Whether an IP address is that of who names it, or allowed, whatever the port there."""
        found = _address(address)
        return found is not None and self._takes(found, 0, own)

    def is_inside(self, host: str, port: int) -> bool:
        """Whether that is a place of ours: what a name leads to is known only when it is connected to."""
        return (str(_address(host) or host), port) in self.inside

    def _names(self, host: str) -> bool:
        return any(word in ("*", host) or (word.startswith("*.") and host.endswith(word[1:])) for word in self.allowed)

    def _takes(self, address: Address, port: int, own: str) -> bool:
        if (str(address), port) in self.inside:
            return False
        if address == _address(own):
            return True
        around = [network for network in _networks(self.allowed) if address in network]
        named = any(network.prefixlen == network.max_prefixlen for network in around)
        return named or (bool(around) and all(str(address) != place for place, _ in self.inside))


ANYWHERE = Receivers(allowed=("*", "0.0.0.0/0", "::/0"))
"""For those whose subscribers are no strangers."""


def mistake(word: str) -> str:
    """What would be right instead of an entry of ``allowed``; nothing if it is good."""
    host = word.removeprefix("*.")
    letters = host.replace("-", "").replace(".", "")
    named = letters.isalnum() and letters.isascii() and not letters.isdigit() and host == host.lower()
    if word == "*" or _networks((word,)) or named:
        return ""
    return "an address, a network like 192.0.2.0/24, or a host name in lower case, also *.example.com"


def place_of(url: str, attribute: str = CALLBACK) -> tuple[str, int]:
    """Host and port of a URL; a problem 400 that names its attribute if it cannot be called, or tells a password."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _malformed(attribute) from None
    strange = "@" in parts.netloc or "\\" in url or any(character <= " " for character in url)
    if parts.scheme not in _PORTS or not host or strange or len(url) > LONGEST:
        raise _malformed(attribute)
    return host, _PORTS[parts.scheme] if port is None else port


def _malformed(attribute: str) -> Problem:
    right = "an absolute http or https URI without user and password"
    return bad_request(f"Invalid attribute {attribute}", right)


def _address(host: str) -> Address | None:
    """The address that is meant; one of IPv4 in the clothes of IPv6 is that of IPv4."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _networks(words: Iterable[str]) -> list[Network]:
    found: list[Network] = []
    for word in words:
        try:
            found.append(ip_network(word))
        except ValueError:
            continue
    return found
