"""A service that is for its locality alone is consumed by nobody outside of it."""

from __future__ import annotations

import msgspec
import pytest

from hanse.elements.mep.service_management import locality
from hanse.kit.contract.call import Caller, first_call, serving
from hanse.kit.contract.exchange import Exchange
from hanse.kit.problems import Problem
from hanse.refpoints.mp1.services import LocalityType
from tests.unit.elements.mep.parts import Bench, configuration, nothing, service

NEIGHBOUR = Caller(role="mep", name="mep.airport", operator="north", trusted=True)
BORDER = Caller(role="border", name="border", operator="north", trusted=True)


@pytest.mark.parametrize("scope", LocalityType)
@pytest.mark.parametrize("local_only", [True, False])
def test_the_scope_bounds_only_what_is_for_its_locality_alone(scope: LocalityType, local_only: bool) -> None:
    one = msgspec.structs.replace(service("speech"), scope_of_locality=scope, consumed_local_only=local_only)
    assert locality.leaves_system(one) is not local_only
    assert locality.leaves_host(one) is (not local_only or scope is LocalityType.MEC_SYSTEM)
    assert locality.of_the_system(one) is (scope is LocalityType.MEC_SYSTEM)


@pytest.mark.parametrize(
    ("scope", "local_only", "caller", "reached"),
    [
        (LocalityType.MEC_SYSTEM, True, NEIGHBOUR, True),
        (LocalityType.MEC_SYSTEM, True, BORDER, False),
        (LocalityType.MEC_HOST, True, NEIGHBOUR, False),
        (LocalityType.ZONE, True, NEIGHBOUR, False),
        (LocalityType.MEC_HOST, False, NEIGHBOUR, True),
        (LocalityType.MEC_SYSTEM, False, BORDER, True),
    ],
)
async def test_a_call_from_outside_of_the_locality_finds_no_service(
    bench: Bench, scope: LocalityType, local_only: bool, caller: Caller, reached: bool
) -> None:
    await bench.platform.configuration.configure("one", configuration("one", "speech"))
    wanted = msgspec.structs.replace(service("speech"), scope_of_locality=scope, consumed_local_only=local_only)
    known = (await bench.platform.services.register_service("one", wanted)).value
    request = Exchange("GET", "", {}, nothing())
    with serving(first_call(caller)):
        if reached:
            assert (await bench.platform.local.consume(str(known.ser_instance_id), "x", request)).status == 299
            return
        with pytest.raises(Problem) as caught:
            await bench.platform.local.consume(str(known.ser_instance_id), "x", request)
    assert caught.value.status == 404
    assert bench.calls == []
