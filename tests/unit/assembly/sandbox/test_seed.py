"""Whoever writes a seed learns which entry is wrong and what would be right."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hanse.assembly.limits import LimitSettings
from hanse.assembly.sandbox.options import Options
from hanse.assembly.sandbox.seed import read_seed, smallest_seed
from hanse.kit.problems import Problem

SERVICE = {"serName": "s", "version": "1", "state": "ACTIVE", "serializer": "JSON"}
SUBSCRIPTION = {"subscriptionType": "SerAvailabilityNotificationSubscription", "callbackReference": "http://a/"}
GOOD: dict[str, Any] = {
    "apps": [{"id": "one", "tokens": ["Basic dXNlcjpwYXNz"]}, {"id": "two", "port": 8081}],
    "services": [{"app": "one", "id": "s-1", "info": SERVICE}],
    "subscriptions": [{"app": "two", "id": "sub-1", "body": SUBSCRIPTION}],
    "devices": {"alice": {"address": "127.9.100.1", "tags": ["tag-alice"]}},
}
TOML = """
zones = ["example.com"]
[[apps]]
id = "one"
tokens = ["Basic dXNlcjpwYXNz"]
[[apps.traffic_rules]]
trafficRuleId = "in"
filterType = "FLOW"
priority = 1
action = "DROP"
trafficFilter = [{ tag = ["tag-alice"] }]
[[apps.dns_rules]]
dnsRuleId = "name"
domainName = "app.example.com"
ipAddressType = "IP_V4"
ipAddress = "127.9.200.1"
"""


def written(directory: Path, content: Any, name: str = "seed.json") -> Path:
    path = directory / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_seed_is_read_from_toml_and_from_json(tmp_path: Path) -> None:
    app = read_seed(written(tmp_path, TOML, "seed.toml")).apps[0]
    assert app.traffic_rules[0].traffic_filter[0].tag == ("tag-alice",)
    assert (app.dns_rules[0].ip_address, app.address, app.port) == ("127.9.200.1", "127.0.0.1", 8080)
    seed = read_seed(written(tmp_path, GOOD))
    assert [app.id for app in seed.apps] == ["one", "two"]
    assert seed.devices["alice"].tags == ("tag-alice",)
    assert seed.services[0].info.ser_name == "s"


def changed(path: str, value: Any) -> Any:
    """The good seed with one value in it replaced."""
    made = json.loads(json.dumps(GOOD))
    *steps, last = [int(s) if s.isdigit() else s for s in path.split("/")]
    inner = made
    for step in steps:
        inner = inner[step]
    inner[last] = value
    return made


@pytest.mark.parametrize(
    ("path", "value", "title", "detail"),
    [
        ("apps/0/port", "many", "apps[0].port", "int"),
        ("apps/0/prot", 1, "", "prot"),
        ("apps/0/dns_rules", [{"dnsRuleId": 1}], "apps[0].dns_rules[0].dnsRuleId", "str"),
        ("services/0/info/name", "s", "services[0].info.name", "serName"),
        ("apps/0/id", "a/b", "apps[0].id", "letters"),
        ("apps/1/id", "one", "apps[1].id", "twice"),
        ("services/0/app", "three", "services[0].app", "one of one, two"),
        ("services/0/info/state", "GONE", "services[0].info.state", "ACTIVE"),
        ("services/0/info/serName", None, "services[0].info.serName", "str"),
        ("subscriptions/0/app", "three", "subscriptions[0].app", "one of"),
        ("subscriptions/0/body/subscriptionType", "Other", "subscriptions[0].body.subscriptionType", "SerAvailability"),
        ("apps/1/tokens", ["Basic dXNlcjpwYXNz"], "apps[1].tokens", "one app"),
        ("apps/1/tokens", ["two\r\nlines"], "apps[1].tokens", "ASCII"),
        ("devices/alice/tags", "tag", "devices[...].tags", "array"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, path: str, value: Any, title: str, detail: str) -> None:
    file = written(tmp_path, changed(path, value))
    with pytest.raises(Problem) as caught:
        read_seed(file)
    assert (caught.value.status, str(file) in caught.value.title) == (400, True)
    assert title in caught.value.title
    assert detail in f"{caught.value.title} {caught.value.detail}"


def test_a_rule_in_another_spelling_is_not_silently_without_destination(tmp_path: Path) -> None:
    text = TOML.replace(
        'action = "DROP"', 'action = "PASSTHROUGH"\ndstInterface = [{ interfaceType = "IP", dstIpAddress = "x" }]'
    )
    with pytest.raises(Problem, match=r"apps\[0\].traffic_rules\[0\].dstInterface\[0\].dstIpAddress") as caught:
        read_seed(written(tmp_path, text, "seed.toml"))
    assert "dstIPAddress" in caught.value.detail


@pytest.mark.parametrize(("name", "kind"), [("seed.json", "JSON"), ("seed.toml", "TOML")])
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path, name: str, kind: str) -> None:
    with pytest.raises(Problem, match=re.escape(f"{name} is not {kind}")):
        read_seed(written(tmp_path, "{nonsense", name))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"Cannot read .*none\.toml"):
        read_seed(tmp_path / "none.toml")


def test_no_two_sandboxes_without_a_seed_have_the_same_app_or_token() -> None:
    (one,), (other,) = smallest_seed().apps, smallest_seed().apps
    assert one.id != other.id
    assert one.tokens != other.tokens
    assert len(one.tokens[0]) > len("Bearer ") + 30


def test_limits_are_those_that_an_operator_has_and_go_to_the_settings(tmp_path: Path) -> None:
    seed = read_seed(
        written(tmp_path, "[limits]\npage_size = 7\nrequests_per_second = 0.5\napp_services = 3\n", "a.toml")
    )
    limits = Options(tmp_path, seed).settings().limits
    assert (limits.page_size, limits.requests_per_second, limits.app_services) == (7, 0.5, 3)
    assert Options(tmp_path, smallest_seed()).settings().limits == LimitSettings()


@pytest.mark.parametrize(
    ("key", "value", "right"),
    [
        ("page_size", 0, "1 to 100000"),
        ("requests_per_second", -1, "0 for no limit"),
        ("burst", -1, "0 for the calls"),
        ("app_services", 0, "1 to 1000000"),
    ],
)
def test_a_limit_that_cannot_be_is_named(tmp_path: Path, key: str, value: int, right: str) -> None:
    with pytest.raises(Problem, match=rf"Invalid key limits\.{key}") as caught:
        read_seed(written(tmp_path, {"limits": {key: value}}))
    assert right in caught.value.detail


def test_a_limit_that_there_is_not_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        read_seed(written(tmp_path, {"limits": {"page": 1}}))
    assert "page" in f"{caught.value.title} {caught.value.detail}"
