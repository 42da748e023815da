"""Whether the end user agreed (Segment, "Consent Management": the consent object)."""

from __future__ import annotations

from typing import Any


def is_granted(context: Any, required: tuple[str, ...]) -> bool:
    """Every required category must be true. An event without a consent object is allowed; one whose object says nothing
    of a category is not."""
    if not required or type(context) is not dict:
        return True
    consent = context.get("consent")
    if consent is None:
        return True
    preferences = consent.get("categoryPreferences") if type(consent) is dict else None
    if type(preferences) is not dict:
        return False
    return all(preferences.get(category) is True for category in required)
