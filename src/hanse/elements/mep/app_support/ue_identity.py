"""Mp1, UE identity, as the platform provides it (ETSI GS MEC 014 V2.1.1, 7.3)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import msgspec

from hanse.elements.mep.app_support.tags import TagAddresses, retagged
from hanse.elements.mep.quotas import Quotas
from hanse.elements.mep.records import AppRecord, Records
from hanse.elements.mep.steering.steering import Steering
from hanse.kit.contract.call import require_match
from hanse.kit.contract.declare import Tagged
from hanse.kit.problems import bad_request, not_found
from hanse.kit.store import Store, Transaction
from hanse.refpoints.mp1.ue_identity import TagQuery, TagState, UeIdentity, UeIdentityTag, UeIdentityTagInfo


class UeTags(UeIdentity):
    """The tags of each app. A tag left out of a request keeps its state (7.3.3.2: each *included* tag)."""

    def __init__(
        self,
        store: Store,
        records: Records,
        steering: Steering,
        addresses: TagAddresses,
        quotas: Quotas = Quotas(),  # noqa: B008 (frozen)
    ) -> None:
        self._store = store
        self._records = records
        self._steering = steering
        self._addresses = addresses
        self._quotas = quotas

    async def read_tags(self, app_instance_id: str, query: TagQuery) -> Tagged[UeIdentityTagInfo]:
        """The states of tags, in the order of the question."""
        app = self._records.apps.get(app_instance_id)
        unknown = next((tag for tag in query.ue_identity_tag if tag not in self._addresses), None)
        if unknown is not None:
            raise not_found("UE identity tag", unknown)
        return _told(app, query.ue_identity_tag)

    async def set_tags(self, app_instance_id: str, tags: UeIdentityTagInfo) -> Tagged[UeIdentityTagInfo]:
        """Register and deregister; the data plane follows before this returns."""
        asked = tags.ue_identity_tags
        wanted = {tag.ue_identity_tag: tag.state is TagState.REGISTERED for tag in asked}

        def decide(tx: Transaction) -> AppRecord:
            app = tx.get(self._records.apps, app_instance_id)
            require_match(_tag(app))
            self._check(asked)
            kept = {tag for tag in app.tags if wanted.get(tag, True)}
            tags = frozenset(kept | {tag for tag, registered in wanted.items() if registered})
            self._quotas.check_tags(len(tags))
            changed = retagged(app, tags)
            tx.put(self._records.apps, app_instance_id, changed)
            return changed

        changed = await self._store.commit(decide)
        await self._steering.apply(app_instance_id)
        return _told(changed, wanted)

    def _check(self, tags: Sequence[UeIdentityTag]) -> None:
        names = [tag.ue_identity_tag for tag in tags]
        if not names:
            raise bad_request("Invalid attribute ueIdentityTags", "give at least one tag")
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise bad_request("Invalid attribute ueIdentityTags", f"give each tag once; {twice} is there twice")
        unknown = next((name for name in names if name not in self._addresses), None)
        if unknown is not None:
            detail = f"{unknown} stands for no device of this host; nothing was changed"
            raise bad_request("Invalid attribute ueIdentityTags.ueIdentityTag", detail)


def _told(app: AppRecord, names: Iterable[str]) -> Tagged[UeIdentityTagInfo]:
    states = tuple(
        UeIdentityTag(ue_identity_tag=name, state=TagState.REGISTERED if name in app.tags else TagState.UNREGISTERED)
        for name in dict.fromkeys(names)
    )
    return Tagged(UeIdentityTagInfo(ue_identity_tags=states), _tag(app))


def _tag(app: AppRecord) -> str:
    """Of all the app's tags: what a representation shows depends on the question."""
    return hashlib.sha256(msgspec.json.encode(app.tags)).hexdigest()[:32]
