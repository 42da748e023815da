"""Which events a backfill brings over, and what they say."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from mapping.mapper import MapEvent
from mapping.profile import FieldProblem, MappingResult, ProfileUpdate, ProfileUpdates, Skipped
from mapping.read import read_record
from mapping.resolved import RESOLVED_TYPE
from streams.backfill.plan import Plan

Matches: TypeAlias = Callable[[dict[str, Any]], bool]


class Beside(NamedTuple):
    """An event that the backfill leaves out, of a topic that the workers deliver: they do send what it says."""

    reason: str
    said: MappingResult


class Selection:
    """The filters of a plan, in front of a mapping."""

    def __init__(self, plan: Plan, map_event: MapEvent, map_live: MapEvent, matches: Matches | None) -> None:
        self._types = frozenset(plan.types)
        self._sources = frozenset(plan.sources)
        self._matches = matches
        self._map_event = map_event
        self._map_live = map_live
        self.of_history: Callable[[bytes | None], MappingResult] = partial(read_record, self._taken)
        """What a line of a file says, or a record of a topic that no worker reads."""
        self.of_live_history: Callable[[bytes | None], MappingResult | Beside] = partial(
            read_record, self._taken_or_beside
        )
        """What a record of the range says, of a topic that the workers deliver."""
        self.of_live: Callable[[bytes | None], MappingResult] = partial(read_record, map_live)
        """What the workers make of a record."""

    def _taken(self, event: dict[str, Any], problems: list[FieldProblem]) -> MappingResult:
        reason = self._left_out(event)
        if reason is not None:
            return Skipped(reason)
        if not event.get("timestamp"):
            event["timestamp"] = event.get("receivedAt")
        return self._map_event(event, problems)

    def _taken_or_beside(self, event: dict[str, Any], problems: list[FieldProblem]) -> MappingResult | Beside:
        reason = self._left_out(event)
        return (
            self._map_event(event, problems)
            if reason is None
            else Beside(reason, self._map_live(event, problems))
        )

    def _left_out(self, event: dict[str, Any]) -> str | None:
        """Why the event is not of the range; None if it is."""
        kind = event.get("type")
        if not (isinstance(kind, str) and (kind in self._types or kind == RESOLVED_TYPE)):
            return "other_type"
        if self._sources and not self._is_of_source(event):
            return "other_source"
        if self._matches is not None and not self._matches(event):
            return "not_where"
        return None

    def _is_of_source(self, event: dict[str, Any]) -> bool:
        named = (event.get("projectId"), event.get("writeKey"))
        return any(isinstance(name, str) and name in self._sources for name in named)


def updates_of(result: MappingResult) -> tuple[ProfileUpdate, ...]:
    """The updates that an event asks for, of a profile each."""
    if isinstance(result, ProfileUpdate):
        return (result,)
    return result.updates if isinstance(result, ProfileUpdates) else ()
