"""Mapping sets for tests, and what they make of events."""

from __future__ import annotations

from typing import Any

import orjson

from mapping.directives import compile_template
from mapping.fql import compile_trigger
from mapping.mapper import compile_mapper
from mapping.mappings import DEFAULT_TRIGGER, PAYLOAD_FIELDS, Filter, Mapping, MappingSet
from mapping.profile import MappingResult, ProfileUpdate
from mapping.settings import MappingSettings

CUSTOM_ID = {"custom_id": {"@path": "$.userId"}}


def mapping_of(
    name: str = "m",
    trigger: str = DEFAULT_TRIGGER,
    *,
    preset: bool = False,
    enabled: bool = True,
    root: Any = None,
    **fields: Any,
) -> Mapping:
    """A mapping with these fields; without a preset, `identifiers` is the userId unless it is given. `root` is a
    template in the place of fields."""
    own = fields if preset else {"identifiers": CUSTOM_ID} | fields
    template = compile_template(root or own) if root or own else None
    return Mapping(
        name, compile_trigger(trigger), template, frozenset(PAYLOAD_FIELDS).intersection(own), preset, enabled
    )


def filter_of(condition: str, action: Any, **more: Any) -> Filter:
    return Filter("f", compile_trigger(condition), action, **more)


def result_of(event: Any, *mappings: Mapping, filters: Any = (), **settings: Any) -> MappingResult:
    record = event if isinstance(event, bytes) else orjson.dumps(event)
    return compile_mapper(MappingSettings(**settings), MappingSet(mappings, filters))(record)


def update_by(event: Any, *mappings: Mapping, **settings: Any) -> ProfileUpdate:
    result = result_of(event, *mappings, **settings)
    assert isinstance(result, ProfileUpdate), result
    return result


def events_of(update: ProfileUpdate) -> list[dict[str, Any]]:
    return [orjson.loads(event.body) for event in update.events]


def reported(result: MappingResult) -> list[tuple[str, str]]:
    return [(problem.field, problem.reason) for problem in result.problems]
