"""How values are shown to people: secrets never are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import SecretStr

MASK = "********"
_SECRET_NAME = re.compile(r"password|passphrase|secret|key|jaas|token|pem|\.config$", re.IGNORECASE)
_LOGIN = re.compile(r"//[^/@]*@")


def masked_map(entries: Mapping[str, Any]) -> dict[str, str]:
    """The entries of a map of librdkafka settings, those masked whose names tell of a secret."""
    return {name: MASK if _SECRET_NAME.search(name) else str(value) for name, value in entries.items()}


def shown(value: Any, *, secret: bool, mask_entries: bool) -> str:
    """A value as people read it; `secret` masks all of it, `mask_entries` the secret entries of a map."""
    if value is None or value in ((), {}):
        return ""
    if secret or isinstance(value, SecretStr):
        return MASK
    if isinstance(value, Mapping):
        return json.dumps(masked_map(value) if mask_entries else dict(value), ensure_ascii=False)
    if mask_entries and isinstance(value, str):
        return MASK
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return _LOGIN.sub(f"//{MASK}@", str(value))
