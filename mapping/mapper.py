"""From the value of a Kafka record to what it asks of Batch: no clock, no I/O, no exception."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from mapping.draft import Draft
from mapping.encode import encode
from mapping.event_attributes import typed_key
from mapping.naming import compile_names
from mapping.preset import NAME, TYPES, UpdateProfile
from mapping.profile import FieldProblem, MappingResult, Rejected, Skipped
from mapping.read import read_record
from mapping.resolved import RESOLVED_TYPE, read_resolved
from mapping.settings import MappingSettings

MapEvent: TypeAlias = Callable[[dict[str, Any], list[FieldProblem]], MappingResult]
"""From a decoded event to its meaning; adds to the problems. Raises DigitsLost (see `read_record`)."""


def compile_mapper(settings: MappingSettings) -> Callable[[bytes | None], MappingResult]:
    """A function from a record's value to its meaning, which returns for any bytes. None is a tombstone."""
    return partial(read_record, compile_event_mapper(settings))


def compile_event_mapper(settings: MappingSettings) -> MapEvent:
    """As `compile_mapper`, for events that are decoded already."""
    preset = UpdateProfile(settings, compile_names(settings), typed_key)

    def map_event(event: dict[str, Any], problems: list[FieldProblem]) -> MappingResult:
        if event.get("type") == RESOLVED_TYPE:
            return read_resolved(event)
        draft = preset.draft(event, problems)
        if isinstance(draft, Draft):
            return encode(draft, event.get("timestamp"), problems)
        return draft._replace(problems=tuple(problems)) if problems else draft

    return map_event


def preset_of(record: bytes | None) -> tuple[str, ...]:
    """The name of the preset, if it matches the record; none for a record that cannot be read."""
    matches = read_record(lambda event, _: event.get("type") in TYPES, record)
    return () if isinstance(matches, Skipped | Rejected) or not matches else (NAME,)
