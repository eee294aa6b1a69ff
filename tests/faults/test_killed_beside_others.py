"""Whoever dies in a rule change: the kernel's rules, and the records of a name server outside, are what is kept."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import dns.asyncquery
import dns.message
import pytest

from hanse.assembly import planes
from hanse.assembly.devices import device
from hanse.drivers.dataplane_nftables.trial import found_out
from hanse.elements.ue import Device
from hanse.kit.problems import Problem
from hanse.refpoints.mp1.support import RuleState
from tests.bounds import SOON
from tests.contract.outside import KEY, outside
from tests.faults.apart import NAME, NAMES, PLANE, PLATFORM, Apart
from tests.faults.operators import CONFIGURATION
from tests.faults.turning import MOMENTS, kept, killed_over_a_turn
from tests.lifetime import lifetime

ACTIVE, INACTIVE = RuleState.ACTIVE, RuleState.INACTIVE
_HOST = 'data_plane = "127.10.1.2"\nnames = { address = "127.10.1.3", zones = ["example.com"] }'
_IN_KERNEL = (
    CONFIGURATION.replace(_HOST, _HOST.replace("127.10.", "10.10.") + '\ndata_plane_driver = "nftables"')
    .replace("127.10.1.100-127.10.1.131", "10.10.1.100-10.10.1.131")
    .replace("127.10.100.5", "10.10.100.5")
    .replace("10.10.1.3", "10.10.1.5")
)
_UPDATED = CONFIGURATION.replace(
    _HOST, _HOST.replace("] }", f'], update = {{ key = "{KEY.name}", secret_file = "names.key" }} }}')
)

pytestmark = pytest.mark.timeout(120)


class InKernel(Apart):
    """The data plane is that of the kernel; devices are in namespaces."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, _IN_KERNEL, met="10.10.")

    def alice(self) -> Device:
        alice = device(self.settings, "alice")
        alice.timeout = SOON
        return alice

    async def reaches(self) -> bool:
        """Whether alice gets through to the app."""
        at = self.settings.hosts["harbour"]
        server = await asyncio.start_server(_greet, at.app_addresses()[0], at.app_port)
        async with server:
            try:
                reader, writer = await self.alice().open(NAME, 80)
            except Problem:
                return False
            heard = await reader.read()
            writer.close()
        return heard == b"hello"

    def clear(self) -> None:
        super().clear()
        planes.clear([self.settings])


class Outside(Apart):
    """The names are those of a server outside, which lives on while those who update it die."""

    def __init__(self, directory: Path) -> None:
        (directory / "names.key").write_text(KEY.secret)
        super().__init__(directory, _UPDATED)
        self._knot = ExitStack()

    def begin(self) -> None:
        """Start the server outside."""
        at = self.settings.hosts["harbour"].names
        self._knot.enter_context(outside(self.settings.base / "knot", at.address, at.port, at.zones[0]))

    async def answered(self) -> list[str]:
        """What that server itself answers to whoever asks for the app."""
        at = self.settings.hosts["harbour"].names
        query = dns.message.make_query(NAME, "A")
        answer = await dns.asyncquery.udp(query, at.address, timeout=SOON, port=at.port)
        return [rdata.to_text() for rrset in answer.answer for rdata in rrset]

    def clear(self) -> None:
        super().clear()
        self._knot.close()


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    del reader
    writer.write(b"hello")
    writer.close()


async def _up(apart: Apart) -> None:
    await apart.start(PLANE, NAMES, PLATFORM)
    await apart.bring_up()


@pytest.fixture(scope="module")
def in_kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InKernel]:
    if reason := asyncio.run(found_out()).get("kernel"):
        assert not os.environ.get("CI"), reason
        pytest.skip(reason)
    with lifetime(InKernel(tmp_path_factory.mktemp("kernel")), _up) as made:
        yield made


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    async def up(apart: Outside) -> None:
        apart.begin()
        await _up(apart)

    with lifetime(Outside(tmp_path_factory.mktemp("outside")), up) as made:
        yield made


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(
    ("victim", "effect", "state"),
    [
        (PLATFORM, "store.commit", INACTIVE),
        (PLATFORM, "mep.rules", INACTIVE),
        (PLATFORM, "mep.rules", ACTIVE),
        (PLANE, "data_plane.withdraw", INACTIVE),
        (PLANE, "data_plane.install", ACTIVE),
        (PLANE, "data_plane.change", ACTIVE),
        (PLANE, "data_plane.tell", INACTIVE),
    ],
)
async def test_after_a_death_in_a_rule_change_the_kernel_lets_devices_through_as_is_kept(
    in_kernel: InKernel, victim: str, effect: str, moment: str, state: RuleState
) -> None:
    await killed_over_a_turn(in_kernel, victim, "traffic", state, (effect, moment))
    assert await in_kernel.reaches() is (kept(in_kernel, "traffic") is ACTIVE)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(
    ("victim", "effect", "state"),
    [
        (PLATFORM, "store.commit", INACTIVE),
        (PLATFORM, "mep.names", INACTIVE),
        (PLATFORM, "mep.names", ACTIVE),
        (NAMES, "names.retract", INACTIVE),
        (NAMES, "names.publish", ACTIVE),
    ],
)
async def test_after_a_death_in_a_rule_change_the_server_outside_answers_as_is_kept(
    beside: Outside, victim: str, effect: str, moment: str, state: RuleState
) -> None:
    await killed_over_a_turn(beside, victim, "dns", state, (effect, moment))
    expected = [record.address for record in beside.wanted()[1]]
    assert len(expected) == (kept(beside, "dns") is ACTIVE)
    assert await beside.answered() == expected
