"""An app that asks for storage finds again what it wrote, after a stop and after a crash of its host."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hanse.assembly.administration import administration
from hanse.assembly.deployment import Deployment
from hanse.assembly.onboarding import bring_up, ended, on_board, take_down
from hanse.kit.problems import Problem
from hanse.model.package import build
from hanse.refpoints.mm1.lifecycle import OperateAppRequest, OperationalState
from hanse.scenarios.stage import EXAMPLES
from tests.faults.operators import LoneOperator
from tests.faults.packages import APP_D_ID

DISK = """\
    disk:
      type: tosca.nodes.nfv.Vdu.VirtualBlockStorage
      properties: {virtual_block_storage_data: {size_of_storage: 1 MB}}

    navigation_cp:
"""
NEEDS = """\
            virtual_memory: {virtual_mem_size: 256 MiB}
      requirements:
        - virtual_storage: disk
"""
PROGRAM = """\
import os
import resource
from pathlib import Path

from mec_app import MecApp, Platform, Settings

VOLUME = Path(os.environ["MEC_APP_VOLUME"])
with (VOLUME / "starts").open("a") as starts:
    starts.write("started\\n")
try:
    with (VOLUME / "large").open("wb") as large:
        os.pwrite(large.fileno(), b"x", 1_000_000)  # what lies before it takes no room: that is looked at as a whole
except OSError as error:
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    (VOLUME / "refusal").write_text(f"{error.strerror} beyond {limit}")
MecApp(Platform(Settings.from_environment(os.environ)), {}, []).run()
"""


HOARDER = """\
import os
import time
from pathlib import Path

for n in range(2000):
    (Path(os.environ["MEC_APP_VOLUME"]) / str(n)).write_bytes(b"x" * 1000)
time.sleep(60)
"""


def package(deployment: Deployment, program: str = PROGRAM) -> Path:
    """The signed package of an app with a volume of a million bytes."""
    source = deployment.directory / "sources" / "keeper"
    shutil.copytree(EXAMPLES / "navigation", source)
    (source / "Artifacts" / "Images" / "navigation" / "navigation.py").write_text(program)
    definition = source / "Definitions" / "navigation.yaml"
    text = definition.read_text().replace(APP_D_ID, str(uuid.uuid4())).replace("    navigation_cp:\n", DISK)
    rules = text[text.index("        app_traffic_rule:") : text.index("        lcm_operations_configuration:")]
    text = text.replace("            virtual_memory: {virtual_mem_size: 256 MiB}\n", NEEDS).replace(rules, "")
    definition.write_text(text)
    signer = deployment.signer("wayfinder")
    out = deployment.directory / "keeper.csar"
    return build(source, out, certificate=signer.certificate_path, key=signer.key_path)


@pytest.fixture
async def operator(tmp_path: Path) -> AsyncIterator[LoneOperator]:
    made = LoneOperator(tmp_path / "north")
    try:
        await made.start()
        yield made
    finally:
        await asyncio.to_thread(made.clear)


async def switched(operator: LoneOperator, identifier: str, state: OperationalState) -> None:
    """Stop or start an instance."""
    request = OperateAppRequest(change_state_to=state)
    async with administration(operator.settings) as oss:
        await ended(oss.lifecycle, await oss.lifecycle.operate(identifier, request), 30)


async def test_what_an_app_keeps_outlives_its_stops_and_ends_with_it(operator: LoneOperator) -> None:
    archive = await asyncio.to_thread(package, operator.deployment)
    async with administration(operator.settings) as oss:
        app_d_id = str((await on_board(oss.packages, archive)).app_d_id)
        identifier = await bring_up(oss.lifecycle, app_d_id)
    volume = operator.settings.directory / "mep.harbour" / "volumes" / identifier
    assert (volume / "starts").read_text() == "started\n"
    assert (volume / "refusal").read_text() == "File too large beyond 1000000"

    await switched(operator, identifier, OperationalState.STOPPED)
    await switched(operator, identifier, OperationalState.STARTED)
    assert (volume / "starts").read_text() == "started\n" * 2

    operator.kill()
    await operator.start()
    assert (volume / "starts").read_text() == "started\n" * 2

    async with administration(operator.settings) as oss:
        await take_down(oss.lifecycle, identifier)
    assert not volume.exists()


async def test_an_app_that_hoards_small_files_is_ended_and_its_owner_told_why(operator: LoneOperator) -> None:
    archive = await asyncio.to_thread(package, operator.deployment, HOARDER)
    async with administration(operator.settings) as oss:
        app_d_id = str((await on_board(oss.packages, archive)).app_d_id)
        with pytest.raises(Problem, match="take more than the 1000000 bytes"):
            await bring_up(oss.lifecycle, app_d_id)
