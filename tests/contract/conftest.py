"""What several tests of contracts share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.contract.air import BaseStation, on_air
from tests.contract.grounds import Ground, Loopback, Namespaces, Run, applications
from tests.contract.grounds import begun as ground_begun
from tests.contract.mm1_system import System, orchestrating
from tests.contract.mp1_host import Host, Receiver, hosting, receiving
from tests.contract.radio import Radio
from tests.contract.world import World, begun


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """North with recording providers, for all tests of a module."""
    async with begun(tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def host(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Host]:
    """A host of north, for all tests of a module."""
    async with hosting(tmp_path_factory.mktemp("host")) as host:
        yield host


@pytest_asyncio.fixture(loop_scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    """An app's own server for callbacks."""
    async with receiving() as receiver:
        yield receiver


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """The whole of north, for all tests of a module."""
    async with orchestrating(tmp_path_factory.mktemp("system")) as system:
        yield system


@pytest.fixture(params=[Loopback, Namespaces], ids=["userspace", "nftables"])
async def ground(request: pytest.FixtureRequest) -> AsyncIterator[Ground]:
    """Each data plane, on a ground of its own."""
    async with ground_begun(request.param) as ground:
        yield ground


@pytest.fixture
async def serve(ground: Ground) -> AsyncIterator[Run]:
    """Runs an application on that ground until the test ends."""
    async with applications(ground) as run:
        yield run


@pytest.fixture
async def radio() -> AsyncIterator[Radio]:
    """A data plane with base stations."""
    async with ground_begun(Radio) as radio:
        yield radio


@pytest.fixture
async def mast(radio: Radio) -> AsyncIterator[BaseStation]:
    """The base station of a device there, on air until the test ends."""
    async with on_air(radio) as mast:
        yield mast


@pytest.fixture
async def serve_radio(radio: Radio) -> AsyncIterator[Run]:
    """Runs an application there until the test ends."""
    async with applications(radio) as run:
        yield run
