"""The settings that change what an event means. The rest is fixed by Segment's and Batch's rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

_BATCH_NAME = re.compile(r"[a-z0-9_]{1,30}\Z")


@dataclass(frozen=True, slots=True)
class MappingSettings:
    """Raises ValueError for a chosen name that Batch would refuse, or a limit below 1."""

    naming: Literal["segment", "snake"] = "segment"
    """`segment`: names as Segment's connector makes them. `snake`: `firstName` becomes `first_name`."""
    names: Mapping[str, str] = field(default_factory=dict)
    """A trait, property or event name as it comes, and the name it has in Batch (`[a-z0-9_]`, 1 to 30)."""
    integrations_names: tuple[str, ...] = ("Batch (Actions)", "Kafka")
    """Keys of an event's `integrations` object that speak for this destination; the first present decides."""
    audience_tracks: Literal["membership", "event", "both"] = "membership"
    """What an Engage audience's track becomes: the membership attribute, an event, or both."""
    event_attribute_limit: int = 20
    """Attributes an object in an event may have (Batch's SDKs, "Custom events": 20)."""

    consent_categories: tuple[str, ...] = ()
    """Consent categories that must all be true in an event that has a consent object."""

    def __post_init__(self) -> None:
        for key, name in self.names.items():
            if not _BATCH_NAME.match(name):
                raise ValueError(f"names: {name!r}, chosen for {key!r}, is not 1 to 30 of a-z, 0-9 and _")
        if self.event_attribute_limit < 1:
            raise ValueError("event_attribute_limit must be at least 1")
