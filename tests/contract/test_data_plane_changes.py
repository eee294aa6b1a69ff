"""Many rules at once: each data plane makes of one call what it would make of many, and cheaper where it can."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from hanse.drivers.dataplane_nftables.kernel import Kernel
from hanse.drivers.dataplane_nftables.phrases import Json
from hanse.refpoints.mp2 import Forwarding, RuleChanges, TrafficMatch
from tests.contract.grounds import PORT, Ground, Namespaces, Run, begun, rule, says, told


def beside(ground: Ground, number: int, owner: str = "app") -> Forwarding:
    """A rule at a port of its own."""
    match = TrafficMatch(dst_address=(ground.virtual,), dst_port=(str(PORT + number),), protocol=("tcp",))
    return replace(rule(ground, f"{owner}.{number}", matches=(match,)), owner=owner)


async def test_devices_are_led_by_all_that_was_put_in_and_by_nothing_that_was_taken_out(
    ground: Ground, serve: Run
) -> None:
    await serve(says(b"old"))
    await serve(says(b"new"), ground.other_app)
    await ground.plane.install("old", rule(ground, "old", priority=0))
    assert await told(ground) == b"old"
    new = rule(ground, "new", to_address=ground.other_app)
    install = (new, *(beside(ground, number) for number in range(1, 40)))
    told_of = await ground.plane.change(RuleChanges(install=install, withdraw=("old", "never heard of")))
    assert told_of.refused == ()
    assert await told(ground) == b"new"
    assert sorted(await ground.plane.forwardings(), key=str) == sorted(install, key=str)


async def test_one_rule_that_cannot_be_keeps_no_other_from_its_devices(ground: Ground) -> None:
    nonsense = replace(beside(ground, 2), matches=(TrafficMatch(dst_port=("no port",)),))
    told_of = await ground.plane.change(RuleChanges(install=(beside(ground, 1), nonsense, beside(ground, 3))))
    (refused,) = told_of.refused
    assert (refused.rule_id, refused.status) == ("app.2", 400)
    assert "no port" in f"{refused.title} {refused.detail}"
    assert refused.problem().status == 400
    assert [f.rule_id for f in await ground.plane.forwardings()] == ["app.1", "app.3"]


async def test_a_port_that_is_freed_and_taken_in_one_change_is_had(ground: Ground) -> None:
    await ground.plane.install("app.1", beside(ground, 1))
    moved = beside(ground, 1, "heir")
    told_of = await ground.plane.change(RuleChanges(install=(moved,), withdraw=("app.1",)))
    assert told_of.refused == ()
    assert await ground.plane.forwardings() == [moved]


async def test_the_rules_of_one_app_are_told_without_those_of_others(ground: Ground) -> None:
    mine, theirs = beside(ground, 1, "mine"), beside(ground, 2, "theirs")
    await ground.plane.change(RuleChanges(install=(mine, theirs)))
    assert await ground.plane.forwardings_of("mine") == [mine]
    assert await ground.plane.forwardings_of("nobody") == []


async def test_the_kernel_is_told_of_many_rules_in_few_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    async with begun(Namespaces) as spaces:
        asked, tell = [], Kernel.tell

        async def counted(self: Kernel, commands: list[Json]) -> None:
            asked.append(len(commands))
            await tell(self, commands)

        monkeypatch.setattr(Kernel, "tell", counted)
        await spaces.plane.change(RuleChanges(install=tuple(beside(spaces, number) for number in range(1, 400))))
        assert len(await spaces.plane.forwardings()) == 399
        assert len(asked) <= 12
