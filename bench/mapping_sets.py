"""Mapping sets for the benchmark: the preset as a template, and twenty mappings of which two match."""

from __future__ import annotations

from typing import Any

from bench.templates import DEFAULT_TEMPLATE
from mapping.directives import compile_template
from mapping.fql import compile_trigger
from mapping.mappings import DEFAULT_TRIGGER, PAYLOAD_FIELDS, Mapping, MappingSet

_NOTHING = {"@path": "$.nothing"}
"""In `@merge` a member that is missing takes away what stood there."""


def preset_as_template() -> MappingSet:
    """What the preset does, as a user of Segment would write it: native attributes, every other trait, the event."""
    natives = {**DEFAULT_TEMPLATE["profileAttributes"], "email": _NOTHING, "phone": _NOTHING}
    attributes = {"@merge": {"objects": [{"@path": "$.traits"}, natives], "direction": "right"}}
    return MappingSet(
        (_mapping("preset", DEFAULT_TRIGGER, DEFAULT_TEMPLATE | {"profileAttributes": attributes}),)
    )


def default_template() -> MappingSet:
    """The template that Segment's destination starts with: native attributes and the event only."""
    return MappingSet((_mapping("default", DEFAULT_TRIGGER, DEFAULT_TEMPLATE),))


def twenty_of_which_two_match() -> MappingSet:
    """Sixteen for events that do not come, two for every identify, two for every order."""
    others = [
        _mapping(f"event {number}", f'type = "track" and event = "Event {number}"', _event(f"event_{number}"))
        for number in range(8)
    ]
    others += [
        _mapping(f"page {number}", f'type = "page" and name = "Page {number}"', _event(f"page_{number}"))
        for number in range(8)
    ]
    identifies = [
        _mapping("profiles", 'type = "identify"', DEFAULT_TEMPLATE),
        _mapping(
            "plans", 'type = "identify" and context.library.name != "x"', _attribute("plan", "$.traits.plan")
        ),
    ]
    tracks = [
        _mapping("orders", 'type = "track" and event = "Order Completed"', DEFAULT_TEMPLATE),
        _mapping(
            "totals", 'type = "track" and properties.total > 0', _attribute("total", "$.properties.total")
        ),
    ]
    return MappingSet((*others[:4], *identifies, *others[4:], *tracks))


def _mapping(name: str, trigger: str, template: dict[str, Any]) -> Mapping:
    fields = frozenset(PAYLOAD_FIELDS).intersection(template)
    return Mapping(name, compile_trigger(trigger), compile_template(template), fields)


def _event(name: str) -> dict[str, Any]:
    return {
        "identifiers": {"custom_id": {"@path": "$.userId"}},
        "eventName": name,
        "eventAttributes": {"@path": "$.properties"},
    }


def _attribute(name: str, path: str) -> dict[str, Any]:
    return {"identifiers": {"custom_id": {"@path": "$.userId"}}, "profileAttributes": {name: {"@path": path}}}
