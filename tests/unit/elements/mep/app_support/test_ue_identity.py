"""An app that registers a tag gets the traffic of that device, and loses it with the tag (MEC 014 V2.1.1, 7.3)."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from hanse.kit.problems import Problem
from hanse.kit.store import Store
from hanse.model.descriptor import traffic
from hanse.refpoints.mm5.platform import AppConfiguration
from hanse.refpoints.mp1.support import RuleState
from hanse.refpoints.mp1.ue_identity import TagQuery, TagState, UeIdentityTag, UeIdentityTagInfo
from tests.unit.elements.mep.parts import Bench, app, configuration


def waiting(app_instance_id: str) -> AppConfiguration:
    """An app with a rule for a tag and one for everybody."""
    known = configuration(app_instance_id)
    (plain,) = known.traffic_rules
    wanted = traffic.TrafficFilter(dst_address=("127.9.1.2",), tag=("tag-alice", "tag-bob"))
    tagged = msgspec.structs.replace(plain, traffic_rule_id="tagged", traffic_filter=(wanted,))
    return msgspec.structs.replace(known, traffic_rules=(plain, tagged))


@pytest.fixture
async def one(bench: Bench) -> Bench:
    for name in ("one", "two"):
        await bench.platform.configuration.configure(name, waiting(name))
        await bench.platform.configuration.activate(name)
    return bench


def wish(**states: int) -> UeIdentityTagInfo:
    tags = [UeIdentityTag(ue_identity_tag=f"tag-{name}", state=TagState(state)) for name, state in states.items()]
    return UeIdentityTagInfo(ue_identity_tags=tuple(tags))


def sources(bench: Bench) -> object:
    """The devices that the rule for tags lets in now."""
    return bench.plane.rules["one.tagged"].matches[0].src_address


async def states(bench: Bench, *names: str) -> list[int]:
    asked = TagQuery(ue_identity_tag=tuple(f"tag-{name}" for name in names))
    told = (await bench.platform.ue_tags.read_tags("one", asked)).value
    return [int(tag.state) for tag in told.ue_identity_tags]


async def test_a_registered_tag_lets_its_device_in_and_no_other(one: Bench) -> None:
    assert sorted(one.plane.rules) == ["one.in", "two.in"]
    told = await one.platform.ue_tags.set_tags("one", wish(alice=1))
    assert told.value == wish(alice=1)
    assert sorted(one.plane.rules) == ["one.in", "one.tagged", "two.in"], "the tag is that of one app only"
    assert sources(one) == ("127.9.100.5",)
    shown = (await one.platform.support.read_traffic_rule("one", "tagged")).value
    assert (shown.state, shown.traffic_filter[0].tag) == (RuleState.ACTIVE, ("tag-alice", "tag-bob"))


async def test_a_second_tag_adds_its_device_and_a_lost_one_takes_only_its_own(one: Bench) -> None:
    await one.platform.ue_tags.set_tags("one", wish(alice=1))
    await one.platform.ue_tags.set_tags("one", wish(bob=1))
    assert sources(one) == ("127.9.100.5", "127.9.100.6", "127.9.100.7")
    await one.platform.ue_tags.set_tags("one", wish(alice=0))
    assert sources(one) == ("127.9.100.6", "127.9.100.7")
    await one.platform.ue_tags.set_tags("one", wish(bob=0))
    assert "one.tagged" not in one.plane.rules


async def test_a_tag_left_out_keeps_its_state(one: Bench) -> None:
    assert await states(one, "alice", "bob") == [0, 0]
    await one.platform.ue_tags.set_tags("one", wish(alice=1))
    await one.platform.ue_tags.set_tags("one", wish(bob=0))
    assert await states(one, "bob", "alice") == [0, 1]


async def test_registering_twice_changes_nothing(one: Bench) -> None:
    first = await one.platform.ue_tags.set_tags("one", wish(alice=1))
    done = list(one.plane.done)
    assert await one.platform.ue_tags.set_tags("one", wish(alice=1)) == first
    assert one.plane.done == done


@pytest.mark.parametrize(
    ("wanted", "word"),
    [
        (UeIdentityTagInfo(ue_identity_tags=()), "at least one"),
        (wish(alice=1, nobody=1), "tag-nobody stands for no device"),
        (
            UeIdentityTagInfo(ue_identity_tags=(*wish(alice=1).ue_identity_tags, *wish(alice=0).ue_identity_tags)),
            "twice",
        ),
    ],
)
async def test_one_wrong_tag_leaves_all_as_they_were(one: Bench, wanted: UeIdentityTagInfo, word: str) -> None:
    with pytest.raises(Problem, match=word) as caught:
        await one.platform.ue_tags.set_tags("one", wanted)
    assert caught.value.status == 400
    assert await states(one, "alice") == [0]


async def test_an_unknown_tag_or_app_is_not_found(one: Bench) -> None:
    for name, tag in (("one", "tag-nobody"), ("nobody", "tag-alice")):
        with pytest.raises(Problem) as caught:
            await one.platform.ue_tags.read_tags(name, TagQuery(ue_identity_tag=(tag,)))
        assert caught.value.status == 404


async def test_a_change_over_a_change_that_was_not_seen_is_refused(one: Bench) -> None:
    seen = await one.platform.ue_tags.read_tags("one", TagQuery(ue_identity_tag=("tag-bob",)))
    await one.platform.ue_tags.set_tags("one", wish(alice=1))
    with app("one", if_match=f'"{seen.tag}"'), pytest.raises(Problem) as caught:
        await one.platform.ue_tags.set_tags("one", wish(bob=1))
    assert caught.value.status == 412
    assert await states(one, "bob") == [0]


async def test_tags_survive_a_restart_of_the_platform(tmp_path: Path) -> None:
    before = Bench(store=Store(tmp_path / "mep.sqlite"))
    await before.platform.configuration.configure("one", waiting("one"))
    await before.platform.configuration.activate("one")
    await before.platform.ue_tags.set_tags("one", wish(alice=1))
    before.store.close()
    again = Bench(store=Store(tmp_path / "mep.sqlite"))
    await again.platform.steering.restore()
    assert sources(again) == ("127.9.100.5",)
    assert await states(again, "alice") == [1]
    again.store.close()
