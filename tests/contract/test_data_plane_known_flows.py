"""The kernel's short way for packets of known flows: whatever comes and goes beside it, it counts every byte."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from hanse.drivers.dataplane_nftables.namespaces import run
from hanse.kit.values import ABSENT
from hanse.refpoints.mp2 import Action, Ethernet, FilterType, TrafficMatch
from tests.bounds import SOON
from tests.contract.grounds import PORT, Namespaces, begun, rule

WORD = b"word"
PACKET = 20 + 8 + len(WORD)
ELSEWHERE = (TrafficMatch(dst_address=("10.66.0.99",), dst_port=("99",), protocol=("udp",)),)
NOWHERE = {"to_address": ABSENT, "to_port": ABSENT, "matches": ELSEWHERE, "priority": 0}
BESIDE: dict[str, dict[str, object]] = {
    "a rule for packets": {"action": Action.DROP, "filter_type": FilterType.PACKET, **NOWHERE},
    "a way to an Ethernet address": {"to_mac": Ethernet(dst_address="02:00:5e:10:00:01"), **NOWHERE},
    "a tap": {"action": Action.DUPLICATE_DECAPSULATED, "to_port": ABSENT, "matches": ELSEWHERE},
}


@pytest.fixture
async def spaces() -> AsyncIterator[Namespaces]:
    async with begun(Namespaces) as ground:
        await ground.plane.install("r", rule(ground, matches=udp(ground)))
        yield ground


def udp(spaces: Namespaces) -> tuple[TrafficMatch, ...]:
    return (TrafficMatch(dst_address=(spaces.virtual,), dst_port=(str(PORT),), protocol=("udp",)),)


class _Talk:
    """A device and an application, one flow."""

    def __init__(self, spaces: Namespaces) -> None:
        self._to = (spaces.virtual, PORT)
        self._app = spaces.socket(spaces.app, PORT, socket.SOCK_DGRAM)
        self._device = spaces.socket(spaces.device, 0, socket.SOCK_DGRAM)

    async def there_and_back(self, patience: float = SOON) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(patience):
            self._device.sendto(WORD, self._to)
            word, sender = await loop.sock_recvfrom(self._app, 100)
            self._app.sendto(word, sender)
            assert await loop.sock_recv(self._device, 100) == WORD


async def counted(spaces: Namespaces) -> tuple[int, int, int]:
    """Packets of the flow up and down, and flows."""
    found = next(c for c in await spaces.plane.counters() if c.rule_id == "r")
    assert (found.bytes_up % PACKET, found.bytes_down % PACKET) == (0, 0)
    return found.bytes_up // PACKET, found.bytes_down // PACKET, found.flows


async def hooks(spaces: Namespaces) -> str:
    """The chains that packets pass."""
    listed = await run(["nft", "list", "chains"], namespace=spaces.site.plane_space)
    return "\n".join(line for line in listed.splitlines() if " hook " in line)


@pytest.mark.parametrize("beside", BESIDE.values(), ids=BESIDE)
async def test_every_packet_is_counted_once_while_other_rules_come_and_go(
    spaces: Namespaces, beside: dict[str, object]
) -> None:
    talk, before = _Talk(spaces), await hooks(spaces)
    for n in range(3):
        await talk.there_and_back()
        await spaces.plane.install("beside", rule(spaces, "beside", **beside))
        await talk.there_and_back()
        await spaces.plane.withdraw("beside")
        assert await counted(spaces) == (2 * n + 2, 2 * n + 2, 1)
    assert await hooks(spaces) == before


async def test_a_packet_of_a_plain_rule_passes_three_chains_and_no_frame_is_looked_at(spaces: Namespaces) -> None:
    found = await hooks(spaces)
    assert [words for words in found.splitlines() if "ingress" in words or "egress" in words] == []
    assert found.count(" hook ") == 3  # sorted and counted in one; those of translation are for a flow's first packet


async def test_a_withdrawn_rule_ends_its_known_flow(spaces: Namespaces) -> None:
    talk = _Talk(spaces)
    await talk.there_and_back()
    await spaces.plane.withdraw("r")
    assert [flow.rule_id for flow in await spaces.plane.flows()] == []
    with pytest.raises(TimeoutError):
        await talk.there_and_back(patience=0.5)
