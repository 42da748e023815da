"""What is said of keys that are not known."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping


def unknown_key(key: str, known: Collection[str], holder: str, hints: Mapping[str, str]) -> tuple[str, str]:
    """Message and remedy for a key that `holder` does not have."""
    message = f"is not a key of {holder}"
    if key in hints:
        return message, hints[key]
    by_lower = {name.lower().replace("_", ""): name for name in known}
    close = difflib.get_close_matches(key.lower().replace("_", ""), by_lower, n=1, cutoff=0.6)
    if close:
        return message, f"Did you mean {by_lower[close[0]]}?"
    return message, f"Remove it; there are {', '.join(known)}."
