"""What one mapping makes of an event that its trigger accepted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mapping.directives import DirectiveFailed, Template
from mapping.draft import Draft
from mapping.event_attributes import EventRules, typed_key
from mapping.mappings import Mapping
from mapping.naming import Names
from mapping.payload import (
    NO_OBJECT,
    PayloadRules,
    custom_id_of,
    draft_of,
    event_attributes_of,
    event_name_of,
    profile_attributes_of,
)
from mapping.preset import UpdateProfile
from mapping.profile import FieldProblem, Rejected, Skipped
from mapping.settings import MappingSettings

Problems = list[FieldProblem]
Made = Draft | Skipped | Rejected
Make = Callable[[dict[str, Any], Problems], Made]
"""Adds to the problems. Raises DigitsLost."""

_ANY_NAME = "event"


class Makers:
    """Compiles mappings with the settings and the name tables that they share."""

    def __init__(self, settings: MappingSettings, names: Names) -> None:
        event_rules = EventRules(
            names.attribute, settings.event_attribute_limit, typed_key, "eventAttributes"
        )
        self._rules = PayloadRules(names, event_rules)
        self._preset = UpdateProfile(settings, names, typed_key)

    def compile(self, mapping: Mapping) -> Make:
        """A function from an event to the mapping's part."""
        if mapping.template is None:
            return self._preset_alone
        if mapping.preset:
            return self._extended_preset(mapping, mapping.template)
        return self._template(mapping, mapping.template)

    def _template(self, mapping: Mapping, template: Template) -> Make:
        resolve, rules = template.resolve, self._rules

        def make(event: dict[str, Any], problems: Problems) -> Made:
            try:
                payload = resolve(event)
            except DirectiveFailed as failure:
                return failed(mapping, failure)
            made = draft_of(payload, rules, problems)
            return made if isinstance(made, Draft) else named(mapping, made)

        return make

    def _preset_alone(self, event: dict[str, Any], problems: Problems) -> Made:
        return self._preset.draft(_as_the_preset_knows_it(event), problems)

    def _extended_preset(self, mapping: Mapping, template: Template) -> Make:
        """The preset, with the template's fields added to its attributes and in the place of its other fields."""
        names, own = self._rules.names, mapping.fields

        def make(event: dict[str, Any], problems: Problems) -> Made:
            try:
                payload = template.resolve(event)
            except DirectiveFailed as failure:
                return failed(mapping, failure)
            if type(payload) is not dict:
                return named(mapping, Rejected("mapping_failed", NO_OBJECT))
            event = dict(_as_the_preset_knows_it(event, with_event="eventName" in own))
            if "identifiers" in own:
                user = custom_id_of(payload, problems)
                if not isinstance(user, str):
                    return named(mapping, user)
                event["userId"] = user
            made = self._preset.draft(event, problems)
            if not isinstance(made, Draft):
                return made
            user, attributes, name, event_attributes = made
            if "profileAttributes" in own:
                attributes.update(profile_attributes_of(payload, self._rules, problems))
            if "eventName" in own and (name is not None or event["type"] == "identify"):
                name = event_name_of(payload.get("eventName"), names.event, problems)
            if name is not None and "eventAttributes" in own:
                event_attributes = event_attributes_of(payload, self._rules, problems)
            return Draft(user, attributes, name, event_attributes if name is not None else {})

        return make


def named(mapping: Mapping, made: Skipped | Rejected) -> Skipped | Rejected:
    """A rejection says which mapping it comes from."""
    return (
        made._replace(detail=f"mapping {mapping.name!r}: {made.detail}")
        if isinstance(made, Rejected)
        else made
    )


def failed(mapping: Mapping, failure: DirectiveFailed) -> Rejected:
    """What stands for a template that failed on an event."""
    detail = f"mapping {mapping.name!r}: {failure.directive} at {failure.path}: {failure.detail}"
    return Rejected("mapping_failed", detail)


def _as_the_preset_knows_it(event: dict[str, Any], with_event: bool = False) -> dict[str, Any]:
    """The preset knows identify and track. Of other types, whose traits are not the user's (Segment, "Group"), it finds
    what context says; an event they become only where a name is given."""
    kind = event.get("type")
    if kind == "identify":
        return event
    named_event = {**event, "event": _ANY_NAME} if with_event else event
    if kind == "track":
        return named_event
    return {**named_event, "type": "track" if with_event else "identify", "traits": {}}
