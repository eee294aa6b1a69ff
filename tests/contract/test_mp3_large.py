"""An app that offers as much as it may does not silence its platform towards other hosts, managers or partners."""

from __future__ import annotations

import msgspec
import pytest

from hanse.assembly.authentication import element_caller
from hanse.elements.mep.quotas import Quotas
from hanse.kit.certificates import client_context
from hanse.kit.contract.body import BODY_LIMIT
from hanse.kit.contract.client import Peer, client
from hanse.kit.contract.observe import Silence
from hanse.kit.contract.transport import HttpTransport
from hanse.refpoints.mfm_fed.members import Membership
from hanse.refpoints.mm3.management import ALL_OF_A_HOST, SystemView
from hanse.refpoints.mm5.platform import ManagerLookup
from hanse.refpoints.mp1.services import ServiceInfo
from hanse.refpoints.mp3.services import Announcement, SharedServices, SignOfLife
from tests.contract.mp1_host import Host
from tests.contract.test_mp1_reachable import SHARED
from tests.contract.test_mp1_services import service

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOLD = [
    SharedServices.operations["announce"],
    ManagerLookup.operations["report_services"],
    SystemView.operations["report_services"],
    Membership.operations["register_resources"],
]


async def test_a_neighbour_hears_of_more_than_an_app_could_send_at_once(host: Host) -> None:
    quotas, wiring = Quotas(), host.built.wiring
    large = service("large", **SHARED) | {"version": "v" * (quotas.app_record_bytes - 1024)}
    made = [msgspec.convert(large | {"serInstanceId": f"s-{n}"}, ServiceInfo) for n in range(quotas.app_services)]
    announcement = Announcement(mark="m", services=tuple(made))
    assert len(msgspec.json.encode(announcement)) > BODY_LIMIT, "one app alone may fill more than a body"
    context = client_context([wiring.identities.authority_path], wiring.identities.issue("mep.pier"))
    transport = HttpTransport(host.base, context, name="mep.harbour")
    caller = element_caller("north", "mep.pier")
    neighbour = client(SharedServices, Peer("mep.harbour", transport, caller, "Mp3", Silence()))
    try:
        await neighbour.announce("pier", announcement)
        assert (await neighbour.alive("pier", SignOfLife(mark="m"))).mark == "m"
        consumer = await host.app()
        found = await consumer.call("GET", "/mec_service_mgmt/v1/services?ser_name=large&fields=serName")
        assert len(found.body) == quotas.app_services
    finally:
        await neighbour.announce("pier", Announcement(mark="", services=()))
        await transport.close()


@pytest.mark.parametrize("operation", TOLD, ids=lambda operation: operation.name)
async def test_what_tells_of_all_services_has_room_for_many_apps(operation: object) -> None:
    quotas = Quotas()
    assert getattr(operation, "largest", 0) == ALL_OF_A_HOST
    assert 30 * quotas.app_services * quotas.app_record_bytes <= ALL_OF_A_HOST
