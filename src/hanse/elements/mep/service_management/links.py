"""Where services and what belongs to them are found at a platform (MEC 011 V3.1.1, 8.2.2), and called through it."""

from __future__ import annotations

from hanse.refpoints.mp1.remote import RemoteServices
from hanse.refpoints.mp1.services import ServiceManagement

_MANAGED = ServiceManagement.api_bases[0]
_CALLED = RemoteServices.api_bases[0]


def service_uri(url: str, service_id: str) -> str:
    """The URI of a service, as all apps of the platform at ``url`` read it."""
    return f"{url}{_MANAGED}/services/{service_id}"


def own_service_uri(url: str, app_instance_id: str, service_id: str) -> str:
    """The same as its producer reads and changes it."""
    return f"{url}{_MANAGED}/applications/{app_instance_id}/services/{service_id}"


def subscription_uri(url: str, app_instance_id: str, subscription_id: str) -> str:
    """The URI of a subscription to availability."""
    return f"{url}{_MANAGED}/applications/{app_instance_id}/subscriptions/{subscription_id}"


def through_platform(url: str, service_id: str) -> str:
    """The URI at which apps call a service that the platform carries calls to."""
    return f"{url}{_CALLED}/services/{service_id}"
