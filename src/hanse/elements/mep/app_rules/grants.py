"""Grants: the traffic rules that an app was given over Mm5, whatever it has made of them since.

The manager's word is kept with the app's configuration, beside the rules as they stand: so a platform that starts anew
knows it, and no app can widen its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from hanse.elements.mep.app_rules.claims import Claim, Claims, claim_of
from hanse.elements.mep.app_rules.overlap import Described, described
from hanse.elements.mep.app_rules.regions import Region, common, from_anywhere, regions, uncovered
from hanse.elements.mep.app_rules.rules import traffic_rule
from hanse.refpoints.mm5.platform import AppConfiguration
from hanse.refpoints.mp1.support import TrafficFilter, TrafficRule

_DESTINATION = ("dstAddress", "dstPort", "protocol")
"""The first parts of a region."""


class Grants:
    """Of all apps of a host, found by what they take."""

    def __init__(self) -> None:
        self._taking = Claims()
        self._known: dict[str, AppConfiguration] = {}
        self._rules: dict[str, dict[str, TrafficRule]] = {}
        self._of: dict[str, dict[str, Claim]] = {}

    def hold(self, app: AppConfiguration) -> None:
        """An app is there, with what it was given; held already, nothing changes."""
        if self._known.get(app.app_instance_id) is app:
            return
        self.release(app.app_instance_id)
        rules = {rule.traffic_rule_id: traffic_rule(rule) for rule in app.traffic_rules}
        claims = {rule_id: claim_of(app, rule) for rule_id, rule in rules.items()}
        self._known[app.app_instance_id] = app
        self._rules[app.app_instance_id], self._of[app.app_instance_id] = rules, claims
        for claim in _taking(claims.values()):
            self._taking.add(claim)

    def release(self, app_instance_id: str) -> None:
        """An app is there no more."""
        self._known.pop(app_instance_id, None)
        self._rules.pop(app_instance_id, None)
        for claim in _taking(self._of.pop(app_instance_id, {}).values()):
            self._taking.remove(claim)

    def claim(self, app: AppConfiguration, rule: TrafficRule) -> Claim:
        """What a rule of an app that is held claims: most rules are as they were given, and are not read twice."""
        given = self._rules[app.app_instance_id].get(rule.traffic_rule_id)
        if given is not None and given == replace(rule, state=given.state):
            return self._of[app.app_instance_id][rule.traffic_rule_id]
        return claim_of(app, rule)

    def near(self, claim: Claim) -> Iterable[Claim]:
        """Grants, of whichever app, that take what this claim may meet; copies take nothing."""
        return self._taking.anywhere(claim)

    def allow(self, claim: Claim, other: Claim) -> bool:
        """Whether an app may have the packets that ``claim`` wants of another's, by its own grant.

        It may have what was granted so that the other does not come before it, and whatever the other leaves of what
        was granted at all. Copies need a grant that copies, or one that would have taken the packets.
        """
        covers = [
            region
            for grant in self._of.get(claim.owner, {}).values()
            if (grant.copies and claim.copies)
            or (not grant.copies and (grant.priority <= other.priority or _behind(claim, other)))
            for given in grant.filters
            if any(given.meets(wanted) for wanted in claim.filters)
            for region in regions(given)
        ]
        met = ((mine, theirs) for mine in claim.filters for theirs in other.filters if mine.meets(theirs))
        return all(uncovered(both, covers) is None for mine, theirs in met for both in common(mine, theirs))

    def outside(self, app_instance_id: str, wanted: TrafficFilter) -> str | None:
        """The attribute by which a filter is beyond all that the app was granted; nothing if it keeps within that.

        Who sends is free where the grant names the addresses sent to; a grant that names none, of a tap or a DROP,
        is of those senders alone, and ``srcAddress`` stands for all that tells them.
        """
        asked = described(wanted)
        granted = [given for claim in self._of.get(app_instance_id, {}).values() for given in claim.filters]
        if asked in granted:
            return None
        anybody = asked._replace(
            src_address=None,
            src_port=None,
            tunnel=(None,) * len(asked.tunnel),
            tag=None,
            equal=(None,) * len(asked.equal),
        )
        covers = [region for given in granted if given.meets(anybody) for region in _destinations(given)]
        found = (uncovered(region, covers) for region in regions(asked))
        beyond = next((rest for rest in found if rest is not None), None)
        return None if beyond is None else _at_fault(beyond, granted)


def _at_fault(beyond: Region, granted: Iterable[Described]) -> str:
    """The first attribute without which it would not be beyond."""
    covers = [region for given in granted for region in _destinations(given)]
    for end, name in enumerate(_DESTINATION, 1):
        if uncovered(beyond[:end], [region[:end] for region in covers]) is not None:
            return name
    return "srcAddress"


def _destinations(given: Described) -> Iterator[Region]:
    return regions(given) if given.dst_address is None else map(from_anywhere, regions(given))


def _taking(claims: Iterable[Claim]) -> list[Claim]:
    return [claim for claim in claims if not claim.copies]


def _behind(claim: Claim, other: Claim) -> bool:
    """Whether the other decides first, so that only what it leaves is taken."""
    return not claim.copies and other.priority < claim.priority
