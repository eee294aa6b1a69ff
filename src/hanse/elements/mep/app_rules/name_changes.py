"""An app's change of one of its DNS rules: within the names and addresses that it was granted (MEC 011, 7.2.10.3.2)."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from hanse.elements.mep.app_rules.destinations import OWN_ADDRESS
from hanse.elements.mep.app_rules.limits import SETTING, Limits, not_allowed
from hanse.elements.mep.app_rules.rules import dns_rule
from hanse.elements.mep.records import AppRecord, Records
from hanse.elements.mep.steering.steering import Steering
from hanse.kit.contract.call import require_match
from hanse.kit.contract.tags import tag_of
from hanse.kit.problems import Problem, bad_request, not_found
from hanse.kit.store import Store, Transaction
from hanse.kit.values import ABSENT
from hanse.model.descriptor.rules_traffic import dns_violations
from hanse.model.descriptor.traffic import DNSRuleDescriptor
from hanse.refpoints.mp1.support import DnsRule
from hanse.refpoints.mp2.ranges import address_range

LONGEST_TTL = 2**31 - 1
"""Seconds (RFC 2181, 8)."""


def dns_rule_of(app: AppRecord, identifier: str) -> DnsRule:
    """A DNS rule of an app; a problem 404 if it has none by that id."""
    rule = next((r for r in app.dns_rules if r.dns_rule_id == identifier), None)
    if rule is None:
        raise not_found("DNS rule", identifier)
    return rule


class NameChanges:
    """Decides a change and has it answered; state and TTL are the app's own matter, names and addresses are not."""

    def __init__(self, store: Store, records: Records, steering: Steering, limits: Limits) -> None:
        self._store = store
        self._records = records
        self._steering = steering
        self._limits = limits

    async def change(self, app_instance_id: str, dns_rule_id: str, rule: DnsRule) -> DnsRule:
        """The rule as it is answered; a problem 400 for what is no record, 403 for what is not the app's."""

        def decide(tx: Transaction) -> None:
            app = tx.get(self._records.apps, app_instance_id)
            before = dns_rule_of(app, dns_rule_id)
            require_match(tag_of(before))
            if rule.dns_rule_id != dns_rule_id:
                raise bad_request("Invalid attribute dnsRuleId", "must be that of the URI")
            if before != replace(rule, state=before.state):
                _check_shape(rule)
                self._check_name(app, before, rule)
                self._check_address(app, before, rule)
            rules = tuple(rule if each is before else each for each in app.dns_rules)
            tx.put(self._records.apps, app_instance_id, replace(app, dns_rules=rules))

        await self._store.commit(decide)
        await self._steering.apply(app_instance_id)
        return rule

    def _check_name(self, app: AppRecord, before: DnsRule, rule: DnsRule) -> None:
        wanted, granted = _plain(rule.domain_name), {_plain(each.domain_name): each for each in _granted(app)}
        if wanted == _plain(before.domain_name):
            return
        if wanted not in granted and not self._limits.free:
            names = ", ".join(sorted(granted))
            raise not_allowed("domainName", f"one of your descriptor's names ({names}); got {rule.domain_name}")
        others = (other for other in self._records.apps.values() if other.app_instance_id != app.app_instance_id)
        if any(wanted in _names(other) for other in others):
            raise not_allowed("domainName", f"a name that no other application has; got {rule.domain_name}")

    def _check_address(self, app: AppRecord, before: DnsRule, rule: DnsRule) -> None:
        wanted = rule.ip_address
        known = wanted in (before.ip_address, *(each.ip_address for each in _granted(app)))
        led = wanted != OWN_ADDRESS and self._limits.leads_to(app, wanted)
        if known or led or _is_taken(app, wanted):
            return
        right = "your own address, one of your descriptor's DNS rules, one that its traffic rules take or lead to"
        raise not_allowed("ipAddress", f"{right}, or one that the operator allows ({SETTING}); got {wanted}")


def _check_shape(rule: DnsRule) -> None:
    """As in a descriptor (ETSI GS MEC 010-2 V3.1.1, 6.2.1.13)."""
    written = DNSRuleDescriptor(
        dns_rule_id=rule.dns_rule_id,
        domain_name=rule.domain_name,
        ip_address_type=rule.ip_address_type,
        ip_address=rule.ip_address,
        ttl=rule.ttl,
    )
    for violation in dns_violations((written,)):
        raise bad_request(f"Invalid attribute {violation.path.rpartition('.')[2]}", violation.message)
    if rule.ttl is not ABSENT and rule.ttl > LONGEST_TTL:
        raise bad_request("Invalid attribute ttl", f"1 to {LONGEST_TTL} seconds; got {rule.ttl}")


def _granted(app: AppRecord) -> list[DnsRule]:
    return [dns_rule(described) for described in app.configuration.dns_rules]


def _names(app: AppRecord) -> Iterator[str]:
    """Those that it was granted and those that it has."""
    return (_plain(rule.domain_name) for rule in (*app.dns_rules, *_granted(app)))


def _plain(name: str) -> str:
    return name.removesuffix(".").lower()


def _is_taken(app: AppRecord, address: str) -> bool:
    """Whether a granted traffic rule names it as a destination of devices: a virtual address of the app."""
    for written in (
        text for rule in app.configuration.traffic_rules for f in rule.traffic_filter for text in f.dst_address
    ):
        try:
            named, wanted = address_range(written, "dstAddress"), address_range(address, "ipAddress")
        except Problem:
            continue
        if named.has(wanted.version, wanted.low):
            return True
    return False
