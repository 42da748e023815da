"""From the value of a Kafka record to what it asks of Batch: no clock, no I/O, no exception."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from mapping.draft import Draft
from mapping.encode import encode
from mapping.engine import Engine
from mapping.event_attributes import typed_key
from mapping.mappings import MappingSet, preset_alone
from mapping.naming import compile_names
from mapping.preset import UpdateProfile
from mapping.profile import FieldProblem, MappingResult, Rejected, Skipped
from mapping.read import read_record
from mapping.resolved import RESOLVED_TYPE, read_resolved
from mapping.settings import MappingSettings

MapRecord: TypeAlias = Callable[[bytes | None], MappingResult]
MatchRecord: TypeAlias = Callable[[bytes | None], tuple[str, ...]]
MapEvent: TypeAlias = Callable[[dict[str, Any], list[FieldProblem]], MappingResult]
"""From a decoded event, which it may change, to its meaning; adds to the problems. Raises DigitsLost (see
`read_record`)."""


def compile_mapper(settings: MappingSettings, mappings: MappingSet | None = None) -> MapRecord:
    """A function from a record's value to its meaning, which returns for any bytes. None is a tombstone.

    Without mappings the preset "Update Profile" is in force, by code of its own.
    """
    return partial(read_record, compile_event_mapper(settings, mappings))


def compile_event_mapper(settings: MappingSettings, mappings: MappingSet | None = None) -> MapEvent:
    """As `compile_mapper`, for events that are decoded already."""
    mappings = preset_alone() if mappings is None else mappings
    if settings.consent_categories or not mappings.is_plain_preset:
        return Engine(settings, mappings).map_event
    preset = UpdateProfile(settings, compile_names(settings), typed_key)

    def map_event(event: dict[str, Any], problems: list[FieldProblem]) -> MappingResult:
        draft = preset.draft(event, problems)
        if isinstance(draft, Draft):
            return encode(draft, event.get("timestamp"), event.get("messageId"), problems)
        if event.get("type") == RESOLVED_TYPE:
            return read_resolved(event)
        return draft._replace(problems=tuple(problems)) if problems else draft

    return map_event


def compile_matcher(settings: MappingSettings, mappings: MappingSet | None = None) -> MatchRecord:
    """A function from a record's value to the names of the mappings that it reaches; none if it cannot be read."""
    engine = Engine(settings, preset_alone() if mappings is None else mappings)

    def matching(record: bytes | None) -> tuple[str, ...]:
        found = read_record(engine.matching, record)
        return () if isinstance(found, Skipped | Rejected) else found

    return matching
