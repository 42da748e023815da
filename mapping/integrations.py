"""Whether an event is meant for this destination (Segment, "Filtering with the Integrations object")."""

from __future__ import annotations

from typing import Any


def is_allowed(integrations: Any, names: tuple[str, ...]) -> bool:
    """The first of `names` that is present decides: only `false` forbids. If none is, `All` does the same."""
    if type(integrations) is not dict:
        return True
    for name in names:
        if name in integrations:
            return integrations[name] is not False
    return integrations.get("All") is not False
