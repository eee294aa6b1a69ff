"""How DBOS writes its log."""

from __future__ import annotations

from typing import Any

import msgspec
from dbos import Serializer


class JsonSerializer(Serializer):
    """JSON instead of DBOS's pickle: what is in the log can be read and cannot run code."""

    def serialize(self, data: Any) -> str:
        return msgspec.json.encode(data, enc_hook=repr).decode()

    def deserialize(self, serialized_data: str) -> Any:
        return msgspec.json.decode(serialized_data)

    def name(self) -> str:
        return "hanse_json"
