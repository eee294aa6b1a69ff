"""Which TLS apps may speak with their platform: 1.2, which every implementation has, or 1.3 (MEC 011, 7.2.2, 8.2.2)."""

from __future__ import annotations

import ssl

import aiohttp
import pytest

from tests.contract.mp1_host import Host

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("element", ["mep.harbour", "data_plane.harbour"])
async def test_apps_may_speak_an_older_tls_and_elements_among_themselves_not(
    host: Host, version: ssl.TLSVersion, element: str
) -> None:
    wiring = host.built.wiring
    context = ssl.create_default_context(cafile=wiring.identities.authority_path)
    context.minimum_version = context.maximum_version = version
    taken = version is ssl.TLSVersion.TLSv1_3 or element.startswith("mep.")
    async with aiohttp.ClientSession() as session:
        try:
            async with session.get(f"{wiring.elements[element].url}/", ssl=context) as answer:
                assert (answer.status, taken) == (401, True)
        except aiohttp.ClientConnectionError:
            assert not taken
