"""From the value of a Kafka record to what it asks of Batch: no clock, no I/O, no exception."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from mapping.draft import Draft
from mapping.encode import encode
from mapping.event_attributes import typed_key
from mapping.naming import compile_names
from mapping.preset import UpdateProfile
from mapping.profile import FieldProblem, MappingResult
from mapping.read import read_record
from mapping.settings import MappingSettings


def compile_mapper(settings: MappingSettings) -> Callable[[bytes | None], MappingResult]:
    """A function from a record's value to its meaning, which returns for any bytes. None is a tombstone."""
    preset = UpdateProfile(settings, compile_names(settings), typed_key)

    def map_event(event: dict[str, Any], problems: list[FieldProblem]) -> MappingResult:
        draft = preset.draft(event, problems)
        if isinstance(draft, Draft):
            return encode(draft, event.get("timestamp"), problems)
        return draft._replace(problems=tuple(problems)) if problems else draft

    return partial(read_record, map_event)
