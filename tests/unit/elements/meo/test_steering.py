"""The orchestrator leads devices by the operator's policies, to the hosts on which there is something to be led to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from msgspec.structs import replace

from hanse.elements.meo import steering
from hanse.elements.meo.records import InstanceRecord
from hanse.elements.meo.steering import SystemSteering
from hanse.elements.meo.targets import running
from hanse.kit.problems import Problem
from hanse.kit.store import Store
from hanse.refpoints.mm1.lifecycle import (
    CreateAppInstanceRequest,
    InstantiateAppRequest,
    OperationState,
    StopType,
    TerminateAppRequest,
)
from hanse.refpoints.mm1.steering import Preference, SteeringPolicies, SteeringPolicy, Target
from hanse.refpoints.mm3.management import SystemView
from tests.bounds import SOON
from tests.unit.elements.meo.parts import Bench, tenant

NAME = "video.example.com"
POLICY = SteeringPolicy(
    name=NAME,
    targets=(Target(host="harbour", address="127.3.0.1"), Target(host="airport", address="127.3.0.2")),
)


def policies(bench: Bench) -> SystemSteering:
    found = bench.meo.apis()[SteeringPolicies]
    assert isinstance(found, SystemSteering)
    return found


def led(bench: Bench, host: str) -> list[str]:
    """The hosts to which the name leads, as a host was told."""
    policy = bench.fakes[host].policies.get(NAME)
    return [target.host for target in policy.targets] if policy else []


async def told(bench: Bench, host: str, *hosts: str) -> None:
    """Wait until a host was told of just these targets."""
    async with asyncio.timeout(SOON):
        while led(bench, host) != list(hosts):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.fixture
async def kept(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """With the orchestrator's own watch over its hosts."""
    monkeypatch.setattr(steering, "PAUSE", 0.02)
    await policies(bench).start_up()
    yield bench
    await policies(bench).shut_down()


async def test_every_host_is_told_with_the_zones_that_the_orchestrator_knows(bench: Bench) -> None:
    await policies(bench).set_policy(NAME, POLICY)
    for fake in bench.fakes.values():
        zones = [getattr(target.zone, "name", None) for target in fake.policies[NAME].targets]
        assert zones == ["zone-harbour", "zone-airport"]
    assert await policies(bench).list_policies() == [POLICY]
    await policies(bench).remove_policy(NAME)
    assert [fake.policies for fake in bench.fakes.values()] == [{}, {}]


async def test_a_host_that_refuses_is_named_and_the_policy_before_stands_everywhere(bench: Bench) -> None:
    await policies(bench).set_policy(NAME, POLICY)
    bench.fakes["airport"].refuses = "plain DNS gives all the same answer"
    with pytest.raises(Problem, match=r"airport: .* plain DNS gives all the same answer") as refused:
        await policies(bench).set_policy(NAME, replace(POLICY, targets=POLICY.targets[:1]))
    assert refused.value.status == 400
    assert led(bench, "harbour") == led(bench, "airport") == ["harbour", "airport"]
    assert await policies(bench).list_policies() == [POLICY]


async def test_a_first_policy_that_is_refused_leaves_nothing_behind(bench: Bench) -> None:
    bench.fakes["airport"].refuses = "no"
    with pytest.raises(Problem, match="airport"):
        await policies(bench).set_policy(NAME, POLICY)
    assert led(bench, "harbour") == []
    assert await policies(bench).list_policies() == []


async def test_a_host_that_was_away_is_told_when_it_is_back(kept: Bench) -> None:
    kept.fakes["airport"].away = True
    await policies(kept).set_policy(NAME, POLICY)
    assert led(kept, "harbour") == ["harbour", "airport"]
    kept.fakes["airport"].away = False
    await told(kept, "airport", "harbour", "airport")


@pytest.mark.parametrize(
    ("change", "attribute", "legal"),
    [
        ({"targets": ()}, "targets", "at least one host"),
        ({"targets": (Target(host="quay", address="127.3.0.1"),)}, "targets.host", "airport, harbour"),
        ({"targets": (Target(host="airport", address="here"),)}, "targets.address", "127.10.200.7"),
        ({"preferences": (Preference(to="quay", zones=("zone-harbour",)),)}, "preferences.to", "airport, harbour"),
        ({"preferences": (Preference(to="airport", zones=("quay",)),)}, "preferences.zones", "zone-airport"),
        ({"preferences": (Preference(to="airport", devices=("carol",)),)}, "preferences.devices", "alice, bob"),
        ({"preferences": (Preference(to="airport", subnets=("10.1.2.3/8",)),)}, "preferences.subnets", "10.1.0.0/16"),
        ({"preferences": (Preference(to="airport"),)}, "preferences", "devices, subnets or zones"),
        ({"ttl": -1}, "ttl", "0 to 86400"),
        ({"name": "other.example.com"}, "name", "the address says"),
    ],
)
async def test_what_is_wrong_with_a_policy_is_named_with_what_would_be_right(
    bench: Bench, change: dict[str, object], attribute: str, legal: str
) -> None:
    with pytest.raises(Problem) as refused:
        await policies(bench).set_policy(NAME, replace(POLICY, **change))
    assert (refused.value.status, refused.value.title) == (400, f"Invalid attribute {attribute}")
    assert legal in refused.value.detail
    assert led(bench, "harbour") == []


@pytest.mark.parametrize(
    "name", ["", "video", "Video.example.com", "video.example.com.", "a..b", "*.example.com", "ä.b"]
)
async def test_a_name_that_is_no_full_name_is_refused(bench: Bench, name: str) -> None:
    with pytest.raises(Problem, match="Invalid attribute name"):
        await policies(bench).set_policy(name, replace(POLICY, name=name))


async def test_devices_may_be_named_or_given_by_address(bench: Bench) -> None:
    there = Preference(to="airport", devices=("alice", "192.0.2.7", "2001:db8::7"))
    await policies(bench).set_policy(NAME, replace(POLICY, preferences=(there,)))
    assert bench.fakes["harbour"].policies[NAME].preferences == (there,)


async def test_a_name_of_an_app_leads_only_where_the_app_is_started(kept: Bench, csar: Path) -> None:
    with tenant("acme"):
        info = await kept.on_board(csar)
        created = await kept.lifecycle.create_instance(CreateAppInstanceRequest(app_d_id=str(info.app_d_id)))
        identifier = created.value.id
        await policies(kept).set_policy(NAME, replace(POLICY, app=str(info.app_name)))
        await told(kept, "airport")
        begun = await kept.lifecycle.instantiate(identifier, InstantiateAppRequest())
        assert (await kept.ended(begun.location)).operation_state is OperationState.COMPLETED
        await told(kept, "airport", "harbour")
        await kept.meo.apis()[SystemView].instance_ended(identifier)  # type: ignore[attr-defined]
        await told(kept, "airport")
        ended = await kept.lifecycle.terminate(identifier, TerminateAppRequest(termination_type=StopType.FORCEFUL))
        assert (await kept.ended(ended.location)).operation_state is OperationState.COMPLETED
        await told(kept, "airport")


async def test_the_configuration_leads_until_an_administrator_says_otherwise_and_again_after(tmp_path: Path) -> None:
    configured = replace(POLICY, ttl=77)
    bench = Bench(tmp_path, steering={NAME: configured})
    await policies(bench).start_up()
    await told(bench, "airport", "harbour", "airport")
    assert bench.fakes["airport"].policies[NAME].ttl == 77
    await policies(bench).set_policy(NAME, POLICY)
    assert bench.fakes["airport"].policies[NAME].ttl == POLICY.ttl
    await policies(bench).remove_policy(NAME)
    assert bench.fakes["airport"].policies[NAME].ttl == 77
    await policies(bench).shut_down()
    bench.store.close()


async def test_a_configuration_that_names_no_host_of_the_operator_does_not_start(tmp_path: Path) -> None:
    wrong = replace(POLICY, targets=(Target(host="quay", address="127.3.0.1"),))
    with pytest.raises(Problem, match=rf"steering.*{NAME}.*targets.host.*'quay'"):
        Bench(tmp_path, steering={NAME: wrong})


async def test_a_restarted_orchestrator_knows_its_policies_and_takes_out_what_is_not_its_own(tmp_path: Path) -> None:
    first = Bench(tmp_path / "a", store=Store(tmp_path / "meo.sqlite"))
    await policies(first).set_policy(NAME, POLICY)
    first.store.close()
    again = Bench(tmp_path / "b", store=Store(tmp_path / "meo.sqlite"))
    again.fakes["harbour"].policies["old.example.com"] = replace(POLICY, name="old.example.com")
    await policies(again).start_up()
    await told(again, "harbour", "harbour", "airport")
    assert list(again.fakes["harbour"].policies) == [NAME]
    await policies(again).shut_down()
    again.store.close()


async def test_many_policies_cost_one_walk_over_the_instances(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    walks = [0]

    def counted(instances: Iterable[InstanceRecord]) -> dict[str, set[str]]:
        walks[0] += 1
        return running(instances)

    names = [f"{number}.example.com" for number in range(5)]
    for name in names:
        await policies(bench).set_policy(name, replace(POLICY, name=name, app="camera"))
    monkeypatch.setattr(steering, "running", counted)
    await policies(bench).remove_policy(names[0])
    assert walks == [1]
    assert bench.fakes["harbour"].policies.keys() == set(names[1:])
