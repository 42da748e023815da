"""A user's mappings at work: consent, integrations, filters, triggers, and the part that each mapping makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from mapping.consent import is_granted
from mapping.draft import Draft
from mapping.engage import make_membership_boolean
from mapping.filters import compile_filters
from mapping.integrations import is_allowed
from mapping.making import Make, Makers
from mapping.mappings import Mapping, MappingSet
from mapping.merge import merge
from mapping.naming import compile_names
from mapping.profile import FieldProblem, MappingResult, Rejected, Skipped
from mapping.resolved import RESOLVED_TYPE, read_resolved
from mapping.settings import MappingSettings

Event = dict[str, Any]
Problems = list[FieldProblem]


class Candidate(NamedTuple):
    """An enabled mapping, compiled."""

    name: str
    matches: Callable[[Event], bool] | None
    """None if it takes every event of the types that it is asked about."""
    make: Make


class Engine:
    """A compiled mapping set. Its functions change the event they are given, which must be the caller's own."""

    def __init__(self, settings: MappingSettings, mappings: MappingSet) -> None:
        self._consent = settings.consent_categories
        self._integrations = settings.integrations_names
        self._dropped_by = compile_filters(mappings.filters) if mappings.filters else None
        makers = Makers(settings, compile_names(settings))
        self._by_type: dict[str, tuple[Candidate, ...]] = {}
        candidates = [
            (mapping.trigger.types, _candidate(mapping, makers.compile(mapping)))
            for mapping in mappings.enabled
        ]
        for kind in {kind for types, _ in candidates for kind in types or ()}:
            self._by_type[kind] = tuple(each for types, each in candidates if types is None or kind in types)
        self._of_other_types = tuple(each for types, each in candidates if types is None)

    def map_event(self, event: Event, problems: Problems) -> MappingResult:
        """What the event asks of Batch, in Segment's order. Raises DigitsLost."""
        if event.get("type") == RESOLVED_TYPE:
            return read_resolved(event)
        skipped = self.admit(event)
        if skipped is not None:
            return skipped
        drafts: list[Draft] = []
        for _, matches, make in self._candidates(event):
            if matches is not None and not matches(event):
                continue
            made = make(event, problems)
            if type(made) is Draft:
                drafts.append(made)
            elif isinstance(made, Rejected):
                return made._replace(problems=tuple(problems))
            elif skipped is None and isinstance(made, Skipped):
                skipped = made
        if drafts:
            return merge(drafts, event.get("timestamp"), event.get("messageId"), problems)
        return (skipped or Skipped("no_matching_mapping"))._replace(problems=tuple(problems))

    def matching(self, event: Event, _: Problems) -> tuple[str, ...]:
        """Names of the mappings that the event reaches, in the file's order. Raises DigitsLost."""
        if event.get("type") == RESOLVED_TYPE or self.admit(event) is not None:
            return ()
        candidates = self._candidates(event)
        return tuple(name for name, matches, _ in candidates if matches is None or matches(event))

    def admit(self, event: Event) -> Skipped | None:
        """What stands before the triggers: consent, integrations and filters, which take fields out of the event. None
        if the event goes on."""
        if self._consent and not is_granted(event.get("context"), self._consent):
            return Skipped("filtered_by_consent")
        integrations = event.get("integrations")
        if integrations and not is_allowed(integrations, self._integrations):
            return Skipped("filtered_by_integrations")
        if self._dropped_by is not None and self._dropped_by(event) is not None:
            return Skipped("filtered_by_filter")
        context = event.get("context")
        if type(context) is dict and "personas" in context:
            make_membership_boolean(event)
        return None

    def _candidates(self, event: Event) -> tuple[Candidate, ...]:
        kind = event.get("type")
        return self._by_type.get(kind, self._of_other_types) if type(kind) is str else self._of_other_types


def _candidate(mapping: Mapping, make: Make) -> Candidate:
    trigger = mapping.trigger
    return Candidate(mapping.name, None if trigger.asks_types_only else trigger.matches, make)
