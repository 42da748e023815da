"""The preset "Update Profile" of Segment's "Batch (Actions)": identify and track, as documented."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from mapping.draft import Draft, new_draft
from mapping.engage import Membership, read_membership
from mapping.event_attributes import EventRules, WireKey, event_attributes
from mapping.identity import custom_id
from mapping.integrations import is_allowed
from mapping.naming import Names
from mapping.numbers import WrittenFloat, number_text
from mapping.profile import FieldProblem, Rejected, Skipped
from mapping.profile_attributes import (
    Attributes,
    add_context_natives,
    add_context_trait_natives,
    add_native_traits,
    with_traits,
)
from mapping.settings import MappingSettings

TYPES = ("identify", "track")
Problems = list[FieldProblem]


class UpdateProfile:
    """The preset with its settings: `draft` maps one decoded event."""

    def __init__(self, settings: MappingSettings, names: Names, wire_key: WireKey) -> None:
        self._integrations = settings.integrations_names
        self._audience_tracks = settings.audience_tracks
        self._names = names
        self._event_rules = EventRules(names.attribute, settings.event_attribute_limit, wire_key)

    def draft(self, event: dict[str, Any], problems: Problems) -> Draft | Skipped | Rejected:
        """In Segment's order: integrations, trigger, identifiers, fields. Adds to `problems`.

        Raises DigitsLost.
        """
        integrations = event.get("integrations")
        if integrations and not is_allowed(integrations, self._integrations):
            return Skipped("filtered_by_integrations")
        kind = event.get("type")
        if kind != "identify" and kind != "track":
            return Skipped("no_matching_mapping")
        user = custom_id(event.get("userId"))
        if not isinstance(user, str):
            return user
        context = event.get("context")
        if type(context) is not dict:
            context = no_object(context, "context", problems)
        attributes: Attributes = {}
        if "locale" in context or "timezone" in context:
            add_context_natives(attributes, context, problems)
        claimed: Container[str] = ()
        context_traits = context.get("traits")
        if context_traits is not None:
            if type(context_traits) is not dict:
                context_traits = no_object(context_traits, "context.traits", problems)
            claimed = add_context_trait_natives(attributes, context_traits, problems)
        traits = event.get("traits")
        if type(traits) is not dict:
            traits = no_object(traits, "traits", problems)
        if kind == "track":
            if traits:
                add_native_traits(attributes, traits, claimed, problems)
            return self._track(event, user, attributes, context, problems)
        personas = context.get("personas")
        membership = None if personas is None else read_membership(personas, traits)
        if membership is not None:
            traits = {**traits, membership.key: membership.member}
        attributes = with_traits(attributes, traits, self._names.trait, claimed, problems)
        return new_draft((user, attributes, None, {}))

    def _track(
        self,
        event: dict[str, Any],
        user: str,
        attributes: Attributes,
        context: dict[str, Any],
        problems: Problems,
    ) -> Draft:
        properties = event.get("properties")
        if type(properties) is not dict:
            properties = no_object(properties, "properties", problems)
        personas = context.get("personas")
        membership = None if personas is None else read_membership(personas, properties)
        if membership is not None and self._audience_tracks != "event":
            self._add_membership(attributes, membership, problems)
            if self._audience_tracks == "membership":
                return Draft(user, attributes, None, {})
        name = self._event_name(event.get("event"), problems)
        if name is None:
            return Draft(user, attributes, None, {})
        return new_draft((user, attributes, name, event_attributes(properties, self._event_rules, problems)))

    def _add_membership(self, attributes: Attributes, membership: Membership, problems: Problems) -> None:
        name = self._names.attribute[membership.key]
        if name:
            attributes[name] = membership.member
        else:
            problems.append(FieldProblem(f"properties.{membership.key}", "name_empty"))

    def _event_name(self, event: Any, problems: Problems) -> str | None:
        if type(event) is not str:
            event = _text(event)
        if not event:
            problems.append(FieldProblem("event", "missing_event_name"))
            return None
        name = self._names.event[event]
        if not name:
            problems.append(FieldProblem("event", "name_empty"))
            return None
        return name


def _text(event: Any) -> str:
    """Segment takes a number or a boolean for an event's name as its text; "" for what has none."""
    if type(event) is bool:
        return "true" if event else "false"
    return number_text(event) if type(event) in (int, float, WrittenFloat) else ""


def no_object(value: Any, path: str, problems: Problems) -> dict[str, Any]:
    """What stands for a missing or null object: an empty one. Anything else in its place is reported."""
    if value is not None:
        problems.append(FieldProblem(path, "object_expected"))
    return {}
