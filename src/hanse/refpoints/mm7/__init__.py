"""Mm7: between the VIM and the virtualisation infrastructure (ETSI GS MEC 003, 7.2.3). See `README.md`."""

from hanse.refpoints.mm7.compute import (
    Capabilities,
    Compute,
    ExitRecord,
    Image,
    Limits,
    Volume,
    Workload,
    WorkloadEvent,
    WorkloadState,
    WorkloadStatus,
)

__all__ = [
    "Capabilities",
    "Compute",
    "ExitRecord",
    "Image",
    "Limits",
    "Volume",
    "Workload",
    "WorkloadEvent",
    "WorkloadState",
    "WorkloadStatus",
]
