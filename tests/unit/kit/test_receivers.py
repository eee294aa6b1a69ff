"""A subscriber cannot have callbacks knock where it could not knock itself, in whatever way it writes the address."""

from __future__ import annotations

import pytest

from hanse.kit.problems import Problem
from hanse.kit.receivers import ANYWHERE, Receivers, mistake

OWN = "127.10.1.100"
RULE = Receivers(
    allowed=("127.10.100.5", "192.0.2.0/24", "hooks.example.com", "*.apps.example.com", "2001:db8::/32", "192.0.2.7"),
    inside=frozenset({("127.10.0.1", 8443), ("192.0.2.9", 8443), ("192.0.2.7", 8443), (OWN, 10053)}),
)


@pytest.mark.parametrize(
    "url",
    [
        f"http://{OWN}:8080/told",
        f"https://{OWN}/",
        f"http://[::ffff:{OWN}]:9/",
        "http://127.10.100.5:5000/",
        "http://192.0.2.8/",
        "http://192.0.2.7:8080/",  # an element's address, which is allowed by itself
        "http://hooks.example.com/x",
        "http://HOOKS.example.com/x",
        "http://one.apps.example.com:81/",
        "http://[2001:db8::1]:80/",
    ],
)
def test_its_own_address_and_what_is_allowed_is_taken(url: str) -> None:
    RULE.check(url, OWN)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.10.0.1:8443/oss",
        "http://127.10.0.1:22/",
        "http://127.10.1.101:8080/",  # another app's
        "http://127.0.0.1/",
        "http://0.0.0.0:8443/",
        "http://[::1]:8443/",
        "http://[::ffff:127.10.0.1]:8443/",
        "http://192.0.2.9:8443/",
        "http://192.0.2.9:8080/",  # an element's address within a network that is allowed
        "http://192.0.2.7:8443/",
        f"http://{OWN}:10053/",
        "http://169.254.169.254/latest/meta-data",
        "http://localhost:8443/",
        "http://2130706433/",
        "http://127.1/",
        "http://0x7f.0.0.1/",
        "http://apps.example.com.evil.example/",
        "http://xapps.example.com/",
        "http://apps.example.com/",
        "http://127.10.100.5.example.com/",
        "http://hooks.example.com./",
    ],
)
def test_whatever_else_is_refused_by_the_name_of_the_attribute(url: str) -> None:
    with pytest.raises(Problem, match="callbackReference") as caught:
        RULE.check(url, OWN)
    assert caught.value.status == 403
    assert OWN in caught.value.detail


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://a/x",
        "http://",
        "http:///x",
        "/notify",
        "file:///etc/passwd",
        "http://user:secret@127.10.1.100/",
        "http://127.10.1.100\\@127.10.0.1/",
        "http://127.10.1.100/ HTTP/1.1\r\nhost: x",
        "http://127.10.1.100:99999/",
        "http://[::1/",
        f"http://{OWN}/" + "x" * 2000,
    ],
)
def test_what_cannot_be_posted_to_is_malformed_for_everybody(url: str) -> None:
    for rule in (RULE, ANYWHERE):
        with pytest.raises(Problem, match="callbackReference") as caught:
            rule.check(url, OWN)
        assert caught.value.status == 400


def test_a_refusal_names_the_attribute_in_which_the_address_came() -> None:
    for url, status in (("http://127.10.0.1:8443/", 403), ("ftp://a/x", 400)):
        with pytest.raises(Problem, match="uris") as caught:
            RULE.check(url, OWN, "endpoint.uris")
        assert caught.value.status == status


def test_who_trusts_its_subscribers_takes_every_address() -> None:
    for url in ("http://127.0.0.1:9/x", "https://app.example/notify", "http://[::1]/"):
        ANYWHERE.check(url, OWN)


def test_a_place_of_ours_is_known_however_the_kernel_writes_it() -> None:
    assert RULE.is_inside("127.10.0.1", 8443)
    assert RULE.is_inside("::ffff:127.10.0.1", 8443)
    assert not RULE.is_inside("127.10.0.1", 8444)
    assert not RULE.is_inside("hooks.example.com", 8443)


@pytest.mark.parametrize("address", [OWN, f"::ffff:{OWN}", "192.0.2.8", "192.0.2.7", "2001:db8::5", "127.10.100.5"])
def test_an_address_is_taken_whatever_the_port_if_it_is_ones_own_or_allowed(address: str) -> None:
    assert RULE.takes(address, OWN)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "127.10.1.101", "192.0.2.9", "127.10.0.1", "0.0.0.0", "::", "localhost"]
)
def test_no_other_address_is_taken_least_of_all_one_of_ours_within_a_network(address: str) -> None:
    assert not RULE.takes(address, OWN)


@pytest.mark.parametrize(
    "word", ["*", "10.0.0.1", "10.0.0.0/8", "::1", "localhost", "a-b.example.com", "*.example.com"]
)
def test_good_entries_have_nothing_wrong(word: str) -> None:
    assert mistake(word) == ""


@pytest.mark.parametrize(
    "word", ["", "10.0.0.1/8", "10.0.0", "Example.com", "http://a", "a b", "*.", "a.*.com", "1.2.3.4:5"]
)
def test_an_entry_that_would_never_fit_is_a_mistake(word: str) -> None:
    assert "host name" in mistake(word)
