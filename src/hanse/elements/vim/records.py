"""What a VIM keeps."""

from __future__ import annotations

from hanse.kit.values import Value


class StoredImage(Value):
    """An image in the host's store; ``command`` is how it is run, by its own word."""

    image_id: str
    command: tuple[str, ...]


class Taken(Value):
    """Resources that an instance has: memory in bytes, processors in thousandths of a core, an address of its own."""

    app_instance_id: str
    image_id: str
    memory: int
    cpu_milli: int
    address: str
    port: int
