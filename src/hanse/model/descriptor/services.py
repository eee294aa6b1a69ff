"""Services an application needs or offers, and their transports (ETSI GS MEC 010-2 V3.1.1, 6.2.1.7, .8, .17-.19)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from hanse.kit.values import ABSENT, Absent
from hanse.model.descriptor.base import Part


class SerializerType(StrEnum):
    """Encodings of a service's messages (ETSI GS MEC 011 V3.1.1, 8.1.6.3)."""

    JSON = "JSON"
    XML = "XML"
    PROTOBUF3 = "PROTOBUF3"


class TransportType(StrEnum):
    """Kinds of transport (ETSI GS MEC 011 V3.1.1, 8.1.6.4)."""

    REST_HTTP = "REST_HTTP"
    MB_TOPIC_BASED = "MB_TOPIC_BASED"
    MB_ROUTING = "MB_ROUTING"
    MB_PUBSUB = "MB_PUBSUB"
    RPC = "RPC"
    RPC_STREAMING = "RPC_STREAMING"
    WEBSOCKET = "WEBSOCKET"


class GrantType(StrEnum):
    """OAuth 2.0 grants (ETSI GS MEC 011 V3.1.1, 8.1.5.4)."""

    AUTHORIZATION_CODE = "OAUTH2_AUTHORIZATION_CODE"
    IMPLICIT_GRANT = "OAUTH2_IMPLICIT_GRANT"
    RESOURCE_OWNER = "OAUTH2_RESOURCE_OWNER"
    CLIENT_CREDENTIALS = "OAUTH2_CLIENT_CREDENTIALS"


class OAuth2Info(Part):
    """How to get a token; the endpoint is there unless the grant is implicit."""

    grant_types: tuple[GrantType, ...]
    token_endpoint: str | Absent = ABSENT


class SecurityInfo(Part):
    """Security of a transport; open for other schemes, of which we know none."""

    o_auth2_info: OAuth2Info | Absent = msgspec.field(default=ABSENT, name="oAuth2Info")


class TransportDescriptor(Part):
    """A transport; ``protocol`` is ``HTTP`` for REST_HTTP (6.2.1.19)."""

    name: str
    type: TransportType
    protocol: str
    version: str
    security: SecurityInfo
    description: str | Absent = ABSENT
    impl_specific_info: dict[str, Any] | Absent = ABSENT


class TransportsSupported(Part):
    """A transport on which a service is offered, with one or more encodings (6.2.1.7)."""

    transport: TransportDescriptor
    serializers: tuple[SerializerType, ...]


class TransportDependency(Part):
    """A transport that is needed; all entries that share one label make one alternative (6.2.1.18)."""

    transport: TransportDescriptor
    serializers: tuple[SerializerType, ...]
    labels: tuple[str, ...]


class CategoryRef(Part):
    """A category of services (ETSI GS MEC 011 V3.1.1, 8.1.5.2)."""

    href: str
    id: str
    name: str
    version: str


class Permission(Part):
    """A permission on a service that an application asks for (ETSI GS MEC 037 V3.2.1, 5.2.5.12)."""

    id: str
    display_name: str | Absent = ABSENT


class ServiceDependency(Part):
    """A service that the application needs or would use; no transport named means REST with JSON (6.2.1.17)."""

    ser_name: str
    version: str
    ser_category: CategoryRef | Absent = ABSENT
    ser_transport_dependencies: tuple[TransportDependency, ...] = ()
    requested_permissions: tuple[Permission, ...] = ()


class ServiceDescriptor(Part):
    """A service that the application offers; no transport named means REST with JSON (6.2.1.7)."""

    ser_name: str
    version: str
    ser_category: CategoryRef | Absent = ABSENT
    transports_supported: tuple[TransportsSupported, ...] = ()


class FeatureDependency(Part):
    """A feature of the platform that the application needs or would use (6.2.1.8)."""

    feature_name: str
    version: str
