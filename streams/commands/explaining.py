"""An explanation as JSON and as text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import orjson

from mapping.directives import UNDEFINED
from mapping.explain import Explanation, FilterStep, MappingStep
from mapping.fql import Decision
from mapping.profile import FieldProblem
from streams.commands.meaning import Clock, Meaning, meaning_of

Shown = dict[str, Any]

_GOES_ON, _STOPS = "->", "x "


def explanation_json(explained: Explanation, clock: Clock) -> Shown:
    """The steps as plain values; a step that the event did not reach is null or empty."""
    found = meaning_of(explained.result, clock)
    integrations = {"allowed": explained.integrations, "decided_by": explained.integrations_by}
    return {
        "decoded": explained.decoded,
        "consent": explained.consent,
        "integrations": None if explained.integrations is None else integrations,
        "filters": [_filter_json(step) for step in explained.filters],
        "mappings": [_mapping_json(step, clock) for step in explained.mappings],
        **_meaning_json(found),
        "detail": getattr(explained.result, "detail", None),
        "tokens": len(found.updates),
    }


def _meaning_json(found: Meaning) -> Shown:
    return {
        "outcome": found.outcome,
        "reason": found.reason,
        "updates": [orjson.loads(orjson.dumps(update)) for update in found.updates],
        "fields": [_field(problem) for problem in found.fields],
    }


def _field(problem: FieldProblem) -> Shown:
    return {"field": problem.field, "reason": problem.reason}


def _decision(decision: Decision) -> Shown:
    found = [{"expression": each.expression, "value": each.value} for each in decision.found]
    return {
        "result": decision.result,
        "expression": decision.expression,
        "found": found,
        "reasons": [_decision(reason) for reason in decision.reasons],
    }


def _filter_json(step: FilterStep) -> Shown:
    return {
        "name": step.name,
        "action": step.action,
        "if": _decision(step.decision),
        "passed": step.passed,
        "removed": list(step.removed),
    }


def _mapping_json(step: MappingStep, clock: Clock) -> Shown:
    shown: Shown = {
        "name": step.name,
        "matched": step.decision.result,
        "trigger": _decision(step.decision),
        "resolved": None if step.resolved is UNDEFINED else step.resolved,
    }
    if step.part is None:
        return shown
    detail = getattr(step.part, "detail", None)
    return shown | _meaning_json(meaning_of(step.part, clock)) | {"detail": detail}


def explanation_lines(explained: Explanation, shown: Shown) -> Iterator[str]:
    """The same for people: a paragraph for each step, in the order in which the worker takes them."""
    if not explained.decoded:
        yield f"{_STOPS} Decoding: {_ending(shown)}"
        return
    yield f"{_GOES_ON} Decoding: the record is an event"
    yield from (f"     {problem.field}: {problem.reason}" for problem in explained.decoding_problems)
    yield from _gates(explained)
    for filter_step in explained.filters:
        yield from _filter_lines(filter_step)
    for step, as_json in zip(explained.mappings, shown["mappings"], strict=True):
        yield from _mapping_lines(step, as_json)
    yield ""
    yield f"Outcome: {_ending(shown)}"
    told = [_field(problem) for problem in explained.decoding_problems]
    told += [field for step in shown["mappings"] for field in step.get("fields", ())]
    yield from _fields([field for field in shown["fields"] if field not in told])


def _gates(explained: Explanation) -> Iterator[str]:
    if explained.consent is not None:
        yield (
            f"{_GOES_ON} Consent: every required category is given, or the event has no consent object"
            if explained.consent
            else f"{_STOPS} Consent: a category of consent.required_categories is not true in context.consent"
        )
    if explained.integrations is None:
        return
    by = explained.integrations_by
    said = "the event names none of integrations.names, and no All" if by is None else f"{by!r} decides"
    mark, verb = (_GOES_ON, "allowed") if explained.integrations else (_STOPS, "not allowed")
    yield f"{mark} Integrations: {verb}: {said}"


def _filter_lines(step: FilterStep) -> Iterator[str]:
    if not step.decision.result:
        effect = "not for this event"
    elif not step.passed:
        effect = "drops the event"
    elif step.action == "sample":
        effect = "the user is in the sample"
    else:
        effect = f"takes out {', '.join(step.removed) or 'nothing'}"
    yield f"{_GOES_ON if step.passed else _STOPS} Filter {step.name!r} ({step.action}): {effect}"
    yield from step.decision.lines(2)


def _mapping_lines(step: MappingStep, shown: Shown) -> Iterator[str]:
    yield f"{_GOES_ON if step.decision.result else _STOPS} Mapping {step.name!r}: " + (
        "its trigger accepts the event" if step.decision.result else "its trigger does not accept the event"
    )
    yield from step.decision.lines(2)
    if step.part is None:
        return
    if step.resolved is not UNDEFINED:
        yield "     template resolved:"
        yield from indented(step.resolved, 7)
    yield f"     {_ending(shown)}" + (":" if shown["updates"] else "")
    for update in shown["updates"]:
        yield from indented(update, 7)
    yield from _fields(shown["fields"])


def _fields(fields: list[Shown]) -> Iterator[str]:
    for problem in fields:
        yield f"     field {problem['field']}: {problem['reason']}"


def _ending(shown: Shown) -> str:
    words = [shown["outcome"], shown["reason"], shown["detail"]]
    return ": ".join(word for word in words if word)


def indented(value: Any, spaces: int) -> Iterator[str]:
    """JSON over several lines."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return (" " * spaces + line for line in text.splitlines())
