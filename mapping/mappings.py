"""What a user's mappings file says, checked and compiled: mappings, and the destination filters before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from mapping.directives import Template
from mapping.fql import Trigger, compile_trigger

MAPPING_LIMIT = 50
"""Mappings of a destination (Segment, "Batch (Actions) Destination", "Available Actions")."""
FILTER_LIMIT = 10
"""Destination filters of a destination (Segment, "Destination Filters", "Limitations")."""
CONDITION_LIMIT = 5_000
"""Bytes of a destination filter's condition (Segment, "Destination Filters", "Limitations": 5 KB)."""

DEFAULT_TRIGGER = 'type = "identify" or type = "track"'
"""Trigger of the action "Update User Profile" (Segment, "Batch (Actions) Destination")."""

PRESET = "update-profile"
PRESET_NAME = "Update Profile"

PAYLOAD_FIELDS = ("identifiers", "profileAttributes", "eventName", "eventAttributes")
"""The fields of the action "Update User Profile"."""

FilterAction = Literal["sample", "drop", "block_fields", "allow_fields"]


@dataclass(frozen=True, slots=True)
class Mapping:
    """One mapping: what it makes of the events that its trigger accepts."""

    name: str
    trigger: Trigger
    template: Template | None = None
    """Its own fields; None if it has none."""
    fields: frozenset[str] = frozenset()
    """Which of PAYLOAD_FIELDS the template has."""
    preset: bool = False
    """Whether the preset "Update Profile" gives what the template does not."""
    enabled: bool = True

    @property
    def is_plain_preset(self) -> bool:
        """Whether it is the preset and nothing else."""
        return self.preset and self.template is None and self.trigger.text == DEFAULT_TRIGGER


@dataclass(frozen=True, slots=True)
class Filter:
    """A destination filter: what becomes of the events that its condition accepts."""

    name: str
    condition: Trigger
    action: FilterAction
    share: float = 1.0
    """Of `sample`: the part of the users whose events are kept, 0 to 1."""
    fields: tuple[str, ...] = ()
    """Of `block_fields` and `allow_fields`: dotted paths."""


@dataclass(frozen=True, slots=True)
class MappingSet:
    """A mappings file as a whole."""

    mappings: tuple[Mapping, ...]
    filters: Sequence[Filter] = ()

    @property
    def enabled(self) -> tuple[Mapping, ...]:
        """The mappings that are used, in the file's order."""
        return tuple(mapping for mapping in self.mappings if mapping.enabled)

    @property
    def is_plain_preset(self) -> bool:
        """Whether it says what is done without a file."""
        return not self.filters and len(self.enabled) == 1 and self.enabled[0].is_plain_preset


@cache
def preset_alone() -> MappingSet:
    """What is in force without a mappings file."""
    return MappingSet((Mapping(PRESET_NAME, compile_trigger(DEFAULT_TRIGGER), preset=True),))
