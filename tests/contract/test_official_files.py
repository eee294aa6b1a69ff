"""What Hanse offers is what the official files describe, except for deviations that are listed and justified.

The list is `deviations.toml`. Each entry names the clause of a digest (`../shared/specs/behaviour`) that justifies it.
A difference that is not listed fails, and so does an entry that is no longer needed.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hanse.kit.contract.declare import Api
from hanse.refpoints.mfm_fed.system_info import FederationEnablement
from hanse.refpoints.mm1.lifecycle import Lifecycle
from hanse.refpoints.mm1.packages import PackageManagement
from hanse.refpoints.mm3.granting import Granting
from hanse.refpoints.mp1.liveness import ServiceLiveness
from hanse.refpoints.mp1.registrations import Registrations
from hanse.refpoints.mp1.services import AvailabilityNotification, ServiceManagement
from hanse.refpoints.mp1.support import ApplicationSupport, TerminationNotification
from hanse.refpoints.mp1.timing import Timing
from hanse.refpoints.mp1.ue_identity import UeIdentity
from tests.contract.conformance import differences, not_offered, notified, template
from tests.contract.official import read_official
from tests.contract.shapes import Shapes

FILES: dict[str, tuple[type[Api], ...]] = {
    "MecAppSupportApi": (ApplicationSupport, Registrations, Timing),
    "MecServiceMgmtApi": (ServiceManagement, ServiceLiveness),
    "UEidentityAPI": (UeIdentity,),
    "MEC01002_AppPkgMgmt": (PackageManagement,),
    "MEC01002_AppLcm": (Lifecycle,),
    "MEC01002_AppGrant": (Granting,),
    "MEC040_fedEnablement": (FederationEnablement,),
}
NOTIFICATIONS: dict[str, type[msgspec.Struct]] = {
    "MecAppSupportApi": TerminationNotification,
    "MecServiceMgmtApi": AvailabilityNotification,
}
"""What is posted to the callbacks of apps."""
LIST: dict[str, Any] = tomllib.loads((Path(__file__).parent / "deviations.toml").read_text())


def listed(name: str, kind: str) -> list[str]:
    """What the list has for a file, in the order in which it stands there."""
    entries = LIST.get(kind, [])
    return [text for entry in entries if entry["file"] == name for text in entry["exactly"]]


def found_for(name: str) -> tuple[list[str], list[str]]:
    """The differences between an official file and ours, and the operations of the file that we do not offer."""
    official = read_official(name)
    moved = {entry["here"]: entry["there"] for entry in LIST["moved"] if entry["file"] == name}
    found = {difference for api in FILES[name] for difference in differences(official, api, moved)}
    if name in NOTIFICATIONS:
        found |= notified(official, NOTIFICATIONS[name])
    return sorted(found), sorted(set.intersection(*(set(not_offered(official, api)) for api in FILES[name])))


@pytest.mark.shared
@pytest.mark.parametrize("name", FILES)
def test_what_is_offered_is_what_the_official_file_says(name: str) -> None:
    differences, _ = found_for(name)
    known = listed(name, "deviation")
    assert [d for d in differences if d not in known] == [], f"{name}: not in deviations.toml"
    assert [d for d in known if d not in differences] == [], f"{name}: in deviations.toml, but no longer true"


@pytest.mark.shared
@pytest.mark.parametrize("name", FILES)
def test_what_is_not_offered_is_listed_with_its_reason(name: str) -> None:
    _, missing = found_for(name)
    print(f"{name}: not offered: {', '.join(missing) or 'nothing'}")
    assert sorted(listed(name, "not_offered")) == missing


@pytest.mark.parametrize("kind", ["deviation", "moved", "not_offered"])
def test_every_entry_of_the_list_says_why(kind: str) -> None:
    digests = ("mec009.md", "mec010-2.md", "mec011.md", "mec014-015.md", "mec040.md")
    for entry in LIST[kind]:
        assert entry["file"] in FILES
        assert entry["because"].strip()
        assert kind == "not_offered" or any(entry["because"].startswith(d) for d in digests), entry["because"]


@pytest.mark.shared
def test_every_family_that_is_held_against_another_is_still_needed() -> None:
    for entry in LIST["moved"]:
        official = read_official(entry["file"])
        assert not any(path.startswith(entry["here"]) for _, path in official.operations)
        ours = [o for api in FILES[entry["file"]] for o in api.operations.values()]
        assert any(template(o.path).startswith(entry["here"]) for o in ours)


@pytest.mark.parametrize("name", FILES)
def test_no_difference_is_listed_twice(name: str) -> None:
    known = listed(name, "deviation") + listed(name, "not_offered")
    assert len(known) == len(set(known))


def test_the_comparison_finds_what_differs() -> None:
    class Ship(msgspec.Struct):
        name: str
        crew: int | msgspec.UnsetType = msgspec.UNSET
        rig: dict[str, Any] = {}

    theirs = {
        "Ship": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "enum": ["COG"]},
                "crew": {"type": "integer"},
                "holds": {"type": "array", "items": {"type": "string"}},
            },
            "required": ["crew"],
        }
    }
    (ours,), components = msgspec.json.schema_components([Ship])
    found = Shapes(theirs, components).differences("body", {"$ref": "#/components/schemas/Ship"}, ours)
    assert sorted(found) == [
        "Ship.crew: required there only",
        "Ship.holds: there only",
        "Ship.name: one of COG there, string here",
        "Ship.name: required here only",
        "Ship.rig: here only",
    ]
