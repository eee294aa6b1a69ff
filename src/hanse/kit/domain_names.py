"""Domain names as people and apps write them."""

from __future__ import annotations

import dns.exception
import dns.name
from dns.name import Name

from hanse.kit.problems import bad_request


def read_domain_name(text: str, field: str, *, wildcards: bool = False) -> Name:
    """An absolute name, with or without its final dot; 400 names ``field`` if it is none.

    Names beyond ASCII have several spellings on the wire (RFC 5891), of which the writer must choose.
    """
    if not text.isascii():
        raise bad_request(f"{field} is not ASCII", f"write the form that begins with xn-- (RFC 5891); got {text!r}")
    try:
        name = dns.name.from_text(text)
    except (dns.exception.DNSException, ValueError) as error:
        raise bad_request(f"{field} is not a domain name", f"write a name like video.example; {error}") from None
    if name == dns.name.root or (name.is_wild() and not wildcards):
        raise bad_request(f"{field} is not a full domain name", f"write one name like video.example; got {text!r}")
    return name
