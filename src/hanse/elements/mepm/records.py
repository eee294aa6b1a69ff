"""What a platform manager keeps."""

from __future__ import annotations

from hanse.kit.store import Shelf, Store
from hanse.kit.values import Value
from hanse.refpoints.mm1.lifecycle import InstantiationState, OperationalState
from hanse.refpoints.mm1.occurrence import Occurrence
from hanse.refpoints.mm3.management import Assignment


class InstanceRecord(Value):
    """An instance that is this manager's charge."""

    assignment: Assignment
    state: InstantiationState = InstantiationState.NOT_INSTANTIATED
    running: OperationalState | None = None


class Records:
    """The shelves of a platform manager."""

    def __init__(self, store: Store) -> None:
        self.instances: Shelf[InstanceRecord] = store.shelf("app_instance", InstanceRecord)
        self.operations: Shelf[Occurrence] = store.shelf("app_lcm_op_occ", Occurrence)
