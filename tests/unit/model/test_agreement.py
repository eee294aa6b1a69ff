"""What is not shared with a partner by name is not shared."""

from __future__ import annotations

from hanse.model.agreement import Agreement


def test_an_agreement_that_names_nothing_shares_no_service() -> None:
    assert not Agreement(partner="south").shares_service("speech")


def test_only_named_services_are_shared_and_only_exactly() -> None:
    agreed = Agreement(partner="south", services=("speech",))
    assert agreed.shares_service("speech")
    for other in ("Speech", "speech-recognition", "", "*"):
        assert not agreed.shares_service(other)


def test_all_zones_are_shared_unless_some_are_named() -> None:
    assert Agreement(partner="south").shares_zone("coast")
    agreed = Agreement(partner="south", zones=("inland",))
    assert agreed.shares_zone("inland")
    assert not agreed.shares_zone("coast")
