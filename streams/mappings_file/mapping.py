"""One mapping of the file."""

from __future__ import annotations

from typing import Any

from mapping.directives import Template, TemplateError, compile_template, suspicions
from mapping.fql import compile_trigger
from mapping.mappings import DEFAULT_TRIGGER, PAYLOAD_FIELDS, PRESET, Mapping
from streams.mappings_file.entries import Entries, in_brief
from streams.mappings_file.keys import (
    INTERNAL_DIRECTIVE,
    INTERNAL_PREFIX,
    TEMPLATE_EXPORT_KEYS,
)
from streams.mappings_file.problems import unknown_key


def read_mapping(entries: Entries) -> Mapping | None:
    """The mapping, compiled; None if something is wrong with it, which the entries have said."""
    enabled = entries.flag("enabled", default=True)
    preset = _preset(entries)
    trigger = entries.condition("trigger") if "trigger" in entries.nodes else compile_trigger(DEFAULT_TRIGGER)
    own = _own_fields(entries)
    if own is None and not preset and entries.sound and "mapping" not in entries.nodes:
        entries.say("", "has neither `mapping` nor `preset`", f"Write the fields, or `preset: {PRESET}`.")
    template = _template(entries, own, preset) if own is not None else None
    if not entries.sound or trigger is None:
        return None
    if enabled and own is not None:
        _warn(entries, own)
    fields = frozenset(PAYLOAD_FIELDS).intersection(own or ())
    return Mapping(entries.name, trigger, template, fields, preset, enabled)


def _preset(entries: Entries) -> bool:
    value = entries.value("preset")
    if value is not None and value != PRESET:
        entries.say("preset", "is not a preset", f"There is one: {PRESET}.", in_brief(value))
    return value is not None


def _own_fields(entries: Entries) -> dict[str, Any] | None:
    """What `mapping` holds, without what Segment's exports carry along; None if there is nothing. Fields that there are
    not are said, and kept, so that what is wrong in them is said too."""
    value = entries.value("mapping")
    if value is None:
        return None
    if not isinstance(value, dict):
        remedy = f"Write the fields: {', '.join(PAYLOAD_FIELDS)}."
        entries.say("mapping", "is not a map of fields", remedy, in_brief(value))
        return None
    own: dict[str, Any] = {}
    for key, field in value.items():
        known = key in PAYLOAD_FIELDS or key == INTERNAL_DIRECTIVE
        if not known and (key.startswith(INTERNAL_PREFIX) or key in TEMPLATE_EXPORT_KEYS):
            continue
        own[key] = field
        if not known:
            message, remedy = unknown_key(key, PAYLOAD_FIELDS, "a template", _TEMPLATE_HINTS)
            place = entries.places.of(entries.places.find(entries.nodes["mapping"], key))
            entries.say_at(place, f"mapping.{key}", message, remedy)
    return own


_UNDER_ATTRIBUTES = "Attributes stand under profileAttributes."
_TEMPLATE_HINTS = {
    "attributes": _UNDER_ATTRIBUTES,
    "traits": _UNDER_ATTRIBUTES,
    "custom_id": "It stands under identifiers.",
    "event": "It is called eventName.",
    "properties": "They are called eventAttributes.",
}


def _template(entries: Entries, own: dict[str, Any], preset: bool) -> Template | None:
    if not _gives_an_id(own, preset):
        entries.say(
            "mapping",
            "has no identifiers.custom_id, which is required",
            'Write `identifiers: {custom_id: {"@path": "$.userId"}}`: whose profile it is.',
        )
    try:
        return compile_template(own, "mapping")
    except TemplateError as error:
        for problem in error.problems:
            place = _place(entries, problem.path)
            remedy = problem.suggestion or "docs/templates.md has the directives."
            entries.say_at(place, problem.path, problem.message, remedy)
        return None


def _warn(entries: Entries, own: dict[str, Any]) -> None:
    for suspicion in suspicions(own, "mapping"):
        entries.warn_at(_place(entries, suspicion.path), *suspicion)


def _place(entries: Entries, path: str) -> str:
    """Where in the file something of the template stands, by its path that begins with `mapping`."""
    below = path.removeprefix("mapping").removeprefix(".")
    return entries.places.of(entries.places.find(entries.nodes["mapping"], below))


def _gives_an_id(own: dict[str, Any], preset: bool) -> bool:
    """Whether an event may get a `custom_id`."""
    if "identifiers" not in own:
        return preset or INTERNAL_DIRECTIVE in own
    identifiers = own["identifiers"]
    if not isinstance(identifiers, dict):
        return False
    return identifiers.get("custom_id") is not None or any(key.startswith("@") for key in identifiers)
