"""Where names lead is read from the configuration as it is meant, and a mistake in it is named."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from msgspec.structs import replace

from hanse.assembly.deployment import TEMPLATES
from hanse.assembly.settings import Settings, parse
from hanse.assembly.sites import site_of
from hanse.kit.problems import Problem
from hanse.refpoints.mm1.steering import Preference, SteeringPolicy, Target

WHOLE = """
[steering."video.example.com"]
targets = { harbour = "127.10.200.7", airport = "2001:db8::8" }
ttl = 9
app = "video"
preferences = [{ to = "airport", devices = ["bob"], subnets = ["10.1.0.0/16"], zones = ["north-coast"] }]

[steering."films.example.com"]
targets = { harbour = "127.10.200.7" }
locations = { harbour = "https://films-harbour.example.com:8443" }
"""


def read(text: str) -> Settings:
    template = (TEMPLATES / "two-operators" / "north.toml").read_text()
    return parse(tomllib.loads(template + text), Path("/etc/hanse/north.toml"))


def test_a_policy_is_read_as_the_orchestrator_takes_it() -> None:
    found = {name: policy.policy(name) for name, policy in read(WHOLE).steering.items()}
    harbour = Target(host="harbour", address="127.10.200.7")
    bob = Preference(to="airport", devices=("bob",), subnets=("10.1.0.0/16",), zones=("north-coast",))
    assert found == {
        "video.example.com": SteeringPolicy(
            name="video.example.com",
            targets=(harbour, Target(host="airport", address="2001:db8::8")),
            preferences=(bob,),
            ttl=9,
            app="video",
        ),
        "films.example.com": SteeringPolicy(
            name="films.example.com",
            targets=(replace(harbour, location="https://films-harbour.example.com:8443"),),
        ),
    }


@pytest.mark.parametrize(
    ("before", "after", "hint"),
    [
        ('"films.example.com"', '"Films"', "a full name in lower case"),
        ("ttl = 9", "ttl = -1", "0 to 86400"),
        ("2001:db8::8", "here", "127.10.200.7"),
        ("10.1.0.0/16", "10.1.0.1/16", "10.1.0.0/16"),
        (', devices = ["bob"], subnets = ["10.1.0.0/16"], zones = ["north-coast"]', "", "devices, subnets or zones"),
        ('locations = { harbour = "', 'locations = { quay = "', "hosts of its targets (harbour), not quay"),
        ("https://films-harbour.example.com:8443", "https://films.example.com:8443", "leads back"),
        ("https://films-harbour.example.com:8443", "films-harbour", "http:// or https://"),
        ("https://films-harbour.example.com:8443", "https://films..example.com", "a name or address"),
        ("https://films-harbour.example.com:8443", "https://-films.example.com", "a name or address"),
        ("https://films-harbour.example.com:8443", "https://films.example.com:99999", "a name or address"),
        ("https://films-harbour.example.com:8443", "http://127.10.200.777", "https://[2001:db8::7]"),
        ("https://films-harbour.example.com:8443", "http://10.1", "https://[2001:db8::7]"),
        ('to = "airport"', 'towards = "airport"', "towards"),
    ],
)
def test_a_mistake_is_named_with_the_name_that_it_is_about(before: str, after: str, hint: str) -> None:
    assert before in WHOLE
    with pytest.raises(Problem) as caught:
        read(WHOLE.replace(before, after))
    told = f"{caught.value.title} {caught.value.detail}"
    assert (caught.value.status, "steering" in told) == (400, True)
    assert hint in told


REDIRECTION = """
[hosts.harbour.redirection]
address = "127.10.1.3"
tls_port = 8481
"""


def test_a_redirector_is_read_with_the_ports_that_it_has() -> None:
    found = read(REDIRECTION).hosts
    assert found["airport"].redirection is None
    place = found["harbour"].redirection
    assert place is not None
    assert place.ports() == {"http": 8480, "https": 8481}
    assert place.urls() == ("http://127.10.1.3:8480", "https://127.10.1.3:8481")
    only = read(REDIRECTION.replace("tls_port = 8481", "port = 0\ntls_port = 443")).hosts["harbour"].redirection
    assert only is not None
    assert only.urls() == ("https://127.10.1.3:443",)


@pytest.mark.parametrize(
    ("before", "after", "key", "hint"),
    [
        ("127.10.1.3", "harbour", "redirection.address", "one IP address"),
        ("127.10.1.3", "0.0.0.0", "redirection.address", "one IP address"),
        ("tls_port = 8481", "port = 65536", "redirection.port", "1 to 65535"),
        ("tls_port = 8481", "tls_port = -1", "redirection.tls_port", "1 to 65535"),
        ("tls_port = 8481", "port = 0", "redirection.tls_port", "one of both"),
        ("tls_port = 8481", "tls_port = 8480", "redirection.tls_port", "another port"),
        ("tls_port", "tls", ".redirection", "tls"),
    ],
)
def test_a_redirector_that_cannot_be_is_named_with_its_key(before: str, after: str, key: str, hint: str) -> None:
    assert before in REDIRECTION
    with pytest.raises(Problem) as caught:
        read(REDIRECTION.replace(before, after))
    told = f"{caught.value.title} {caught.value.detail}"
    assert (caught.value.status, key in told, hint in told) == (400, True, True), told


def test_behind_the_kernel_a_redirector_is_where_devices_ask_names_and_open_to_them() -> None:
    template = (TEMPLATES / "two-operators-kernel" / "north.toml").read_text()
    where = Path("/etc/hanse/north.toml")
    settings = parse(tomllib.loads(template + REDIRECTION.replace("127.10.1.3", "10.10.1.5")), where)
    names = site_of(settings, "harbour")[0].names
    assert names == (("10.10.1.5", 10053), ("10.10.1.5", 8480), ("10.10.1.5", 8481))
    assert site_of(settings, "airport")[0].names == (("10.10.2.5", 10053),)
    with pytest.raises(Problem, match=r"hosts\.harbour\.redirection\.address") as caught:
        parse(tomllib.loads(template + REDIRECTION), where)
    assert "10.10.1.5" in caught.value.detail
