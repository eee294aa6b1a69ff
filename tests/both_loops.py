"""Event loops under test: what moves bytes does so on asyncio's own loop and on uvloop, whose transports differ.

A module that imports the fixture ``event_loop_policy`` runs all its tests on both.
"""

from __future__ import annotations

import asyncio

import pytest
import uvloop

OVERRIDDEN = pytest.mark.filterwarnings("ignore:Overriding the .event_loop_policy. fixture")
"""What such a module is marked with: the override is meant."""


@pytest.fixture(params=[asyncio.DefaultEventLoopPolicy, uvloop.EventLoopPolicy], ids=["asyncio", "uvloop"])
def event_loop_policy(request: pytest.FixtureRequest) -> asyncio.AbstractEventLoopPolicy:
    policy: asyncio.AbstractEventLoopPolicy = request.param()
    return policy
