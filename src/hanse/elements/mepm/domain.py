"""Rules of a platform manager: from a descriptor to demands and to a platform's configuration."""

from __future__ import annotations

from collections.abc import Iterator

from hanse.kit.values import ABSENT
from hanse.model.descriptor.application import AppD
from hanse.model.descriptor.resources import (
    BlockStorageData,
    FileStorageData,
    ObjectStorageData,
    VirtualStorageDescriptor,
)
from hanse.refpoints.mm3.management import Assignment
from hanse.refpoints.mm5.platform import AppAccess, AppConfiguration, ConflictPolicy
from hanse.refpoints.mm6.workloads import Allocation, Demand, Launch
from hanse.refpoints.mm7 import Volume

DEFAULT_GRACE = 30
"""Seconds given to an app that is ended gracefully, if neither the request nor the descriptor says."""
AUTHORITY_FILE = "platform-ca.pem"


def demand(assignment: Assignment) -> Demand:
    """What the instance needs of the host."""
    memory, cpu = assignment.descriptor.needs
    return Demand(
        app_instance_id=assignment.app_instance_id, image_id=assignment.image_id, memory=memory, cpu_milli=cpu
    )


def configuration(
    assignment: Assignment, allocation: Allocation, conflicts: ConflictPolicy = ConflictPolicy.REFUSE
) -> AppConfiguration:
    """What the platform must know of the instance."""
    appd: AppD = assignment.descriptor
    return AppConfiguration(
        app_instance_id=assignment.app_instance_id,
        app_d_id=appd.app_d_id,
        app_name=appd.app_name,
        app_provider=appd.app_provider,
        tenant=assignment.tenant,
        address=allocation.address,
        port=allocation.port,
        traffic_rules=appd.app_traffic_rule,
        dns_rules=appd.app_dns_rule,
        services_required=appd.app_service_required,
        services_optional=appd.app_service_optional,
        services_produced=appd.app_service_produced,
        storage=storage(appd),
        conflicts=conflicts,
    )


def storage(appd: AppD) -> int:
    """Bytes of persistent storage that the descriptor asks for, in a billion bytes each, of every kind together.

    A volume is a directory here: block, object and file storage are all given as one.
    """
    return sum(int(size * 1_000_000_000) for described in appd.virtual_storage_descriptor for size in _sizes(described))


def _sizes(described: VirtualStorageDescriptor) -> Iterator[int | float]:
    if isinstance(described.block_storage_data, BlockStorageData):
        yield described.block_storage_data.size_of_storage
    if isinstance(described.file_storage_data, FileStorageData):
        yield described.file_storage_data.size_of_storage
    data = described.object_storage_data
    if isinstance(data, ObjectStorageData) and isinstance(data.max_size_of_storage, int | float):
        yield data.max_size_of_storage


def launch(assignment: Assignment, allocation: Allocation, access: AppAccess) -> Launch:
    """How the instance is started: it is told where its platform is, who it is, and how it proves it."""
    volume, size = {"MEC_APP_VOLUME": access.volume} if access.volume else {}, storage(assignment.descriptor)
    return Launch(
        environment={
            "MEC_PLATFORM_URL": access.platform_url,
            "MEC_PLATFORM_CA": AUTHORITY_FILE,
            "MEC_APP_INSTANCE_ID": assignment.app_instance_id,
            "MEC_TOKEN_URL": access.token_url,
            "MEC_CLIENT_ID": access.client_id,
            "MEC_CLIENT_SECRET": access.client_secret,
            "MEC_APP_ADDRESS": allocation.address,
            "MEC_APP_PORT": str(allocation.port),
            **volume,
        },
        files={AUTHORITY_FILE: access.authority},
        largest_file=size,
        volume=Volume(path=access.volume, size=size) if access.volume else ABSENT,
    )
