"""What becomes of one event and why, step by step: the same functions as the worker's, with their reasons."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from mapping.consent import is_granted
from mapping.directives import UNDEFINED, DirectiveFailed
from mapping.draft import Draft
from mapping.engage import make_membership_boolean
from mapping.filters import compile_filter, in_order
from mapping.fql import Decision
from mapping.integrations import is_allowed
from mapping.making import Makers
from mapping.mapper import compile_mapper
from mapping.mappings import Filter, FilterAction, Mapping, MappingSet, preset_alone
from mapping.merge import merge
from mapping.naming import compile_names
from mapping.profile import FieldProblem, MappingResult, Rejected, Skipped
from mapping.read import read_record
from mapping.settings import MappingSettings

Event = dict[str, Any]


class FilterStep(NamedTuple):
    """One destination filter."""

    name: str
    action: FilterAction
    decision: Decision
    """Whether its condition accepts the event, and why."""
    passed: bool
    """Whether the event goes on."""
    removed: tuple[str, ...]
    """Paths of the fields that it took out."""


class MappingStep(NamedTuple):
    """One enabled mapping."""

    name: str
    preset: bool
    decision: Decision
    """Whether its trigger accepts the event, and why."""
    resolved: Any = UNDEFINED
    """What its own fields are for this event; UNDEFINED if it has none, or is not for it, or fails."""
    part: MappingResult | None = None
    """What it would ask of Batch alone; None if it is not for the event."""


class Explanation(NamedTuple):
    """The steps, as far as the event came, and what the worker would make of it."""

    result: MappingResult
    decoded: bool
    """Whether the record is an event at all."""
    decoding_problems: tuple[FieldProblem, ...] = ()
    consent: bool | None = None
    """Whether consent lets it pass; None if no category is required, or if it did not come so far."""
    integrations: bool | None = None
    """Whether `integrations` lets it pass."""
    integrations_by: str | None = None
    """The key of `integrations` that decided; None if there is none."""
    filters: tuple[FilterStep, ...] = ()
    mappings: tuple[MappingStep, ...] = ()


def explain(
    record: bytes | None, settings: MappingSettings, mappings: MappingSet | None = None
) -> Explanation:
    """What becomes of a record. Never raises. Without mappings the preset is in force."""
    result = compile_mapper(settings, mappings)(record)
    used = preset_alone() if mappings is None else mappings
    steps = read_record(
        lambda event, problems: _explained(event, tuple(problems), result, settings, used), record
    )
    return Explanation(result, decoded=False) if isinstance(steps, Skipped | Rejected) else steps


def _explained(
    event: Event,
    problems: tuple[FieldProblem, ...],
    result: MappingResult,
    settings: MappingSettings,
    mappings: MappingSet,
) -> Explanation:
    steps = Explanation(result, decoded=True, decoding_problems=problems)
    if settings.consent_categories:
        steps = steps._replace(consent=is_granted(event.get("context"), settings.consent_categories))
        if not steps.consent:
            return steps
    integrations = event.get("integrations")
    steps = steps._replace(
        integrations=is_allowed(integrations, settings.integrations_names),
        integrations_by=_deciding_key(integrations, settings.integrations_names),
    )
    if not steps.integrations:
        return steps
    filters = tuple(_filter_steps(event, mappings))
    steps = steps._replace(filters=filters)
    if filters and not filters[-1].passed:
        return steps
    make_membership_boolean(event)
    makers = Makers(settings, compile_names(settings))
    return steps._replace(
        mappings=tuple(_mapping_step(event, mapping, makers) for mapping in mappings.enabled)
    )


def _deciding_key(integrations: Any, names: tuple[str, ...]) -> str | None:
    if type(integrations) is not dict:
        return None
    return next((name for name in (*names, "All") if name in integrations), None)


def _filter_steps(event: Event, mappings: MappingSet) -> Iterator[FilterStep]:
    """Up to the filter that drops the event; changes the event."""
    for each in in_order(mappings.filters):
        step = _filter_step(event, each)
        yield step
        if not step.passed:
            return


def _filter_step(event: Event, filter: Filter) -> FilterStep:
    decision = filter.condition.explain(event)
    before = set(_paths(event, ""))
    passed = compile_filter(filter)(event)
    removed = before - set(_paths(event, "")) if passed else set()
    outermost = {path for path in removed if path.rpartition(".")[0] not in removed}
    return FilterStep(filter.name, filter.action, decision, passed, tuple(sorted(outermost)))


def _paths(value: Any, path: str) -> Iterator[str]:
    """The paths of all members; items of arrays share theirs, as in a filter's fields."""
    pending = [(value, path)]
    while pending:
        holder, above = pending.pop()
        if isinstance(holder, dict):
            for key, member in holder.items():
                below = f"{above}.{key}" if above else key
                yield below
                pending.append((member, below))
        elif isinstance(holder, list):
            pending.extend((item, above) for item in holder)


def _mapping_step(event: Event, mapping: Mapping, makers: Makers) -> MappingStep:
    decision = mapping.trigger.explain(event)
    step = MappingStep(mapping.name, mapping.preset, decision)
    if not decision.result:
        return step
    if mapping.template is not None:
        with suppress(DirectiveFailed):
            step = step._replace(resolved=copy.deepcopy(mapping.template.resolve(event)))
    problems: list[FieldProblem] = []
    made = makers.compile(mapping)(event, problems)
    if isinstance(made, Draft):
        return step._replace(part=merge([made], event.get("timestamp"), event.get("messageId"), problems))
    return step._replace(part=made._replace(problems=tuple(problems)))
