"""The keys of the mappings file: what each means, and what is said to keys that other tools write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mapping.mappings import DEFAULT_TRIGGER, PRESET

FIELD_MEANINGS: Mapping[str, str] = {
    "identifiers": 'Whose profile it is: `custom_id`, usually `{"@path": "$.userId"}`.',
    "profileAttributes": (
        "Attributes of the profile: the native slots email_address, email_marketing, phone_number, sms_marketing, "
        "language, region, timezone; any other key is a custom attribute."
    ),
    "eventName": "Name of the event; none, no event.",
    "eventAttributes": 'Attributes of the event, usually `{"@path": "$.properties"}`.',
}
"""The fields of `mapping`, those of Segment's action "Update User Profile"."""


class Key(NamedTuple):
    """One key of a mapping or filter."""

    meaning: str
    schema: dict[str, Any]
    """Its value in JSON Schema."""
    required: bool = False


TOP_KEYS: Mapping[str, str] = {
    "mappings": "The mappings, 50 at most. All that match an event make a part of its update, in this order.",
    "filters": "Destination filters, 10 at most: events that are dropped or sampled, fields that are taken out.",
}

_TEXT = {"type": "string", "minLength": 1}

MAPPING_KEYS: Mapping[str, Key] = {
    "name": Key("What people call it; each name once.", _TEXT, required=True),
    "description": Key("For people.", {"type": "string"}),
    "enabled": Key("Whether it is used.", {"type": "boolean", "default": True}),
    "trigger": Key(
        "Which events it is for, in FQL. Without one: identify and track.",
        {"type": "string", "minLength": 1, "default": DEFAULT_TRIGGER},
    ),
    "preset": Key(
        "`update-profile` starts with what Segment's preset does; fields of `mapping` are added, or replace its own.",
        {"enum": [PRESET]},
    ),
    "mapping": Key(
        "The template: fields of Batch, each a value or a directive.", {"$ref": "#/$defs/template"}
    ),
}

FILTER_KEYS: Mapping[str, Key] = {
    "name": Key("What people call it; each name once.", _TEXT, required=True),
    "description": Key("For people.", {"type": "string"}),
    "enabled": Key("Whether it is used.", {"type": "boolean", "default": True}),
    "if": Key("Which events it is for, in FQL, 5,000 bytes at most.", _TEXT, required=True),
    "action": Key(
        "What becomes of those events: `drop` them, `sample` them by user, or take fields out of them: "
        "`block_fields`, or `allow_fields` to keep only those named.",
        {"enum": ["drop", "sample", "block_fields", "allow_fields"]},
        required=True,
    ),
    "share": Key(
        "Of `sample`: the part of the users whose events are kept.",
        {"type": "number", "minimum": 0, "maximum": 1},
    ),
    "fields": Key(
        "Of `block_fields` and `allow_fields`: dotted paths such as `properties.card`.",
        {"type": "array", "items": _TEXT, "minItems": 1},
    ),
}

ALIASES: Mapping[str, str] = {"subscribe": "trigger", "settings": "mapping", "title": "name"}
"""Keys under which Segment's own exports have them (Public API; presets in action-destinations), and ours."""
EXPORT_KEYS = frozenset(
    (
        "id",
        "actionId",
        "actionSlug",
        "partnerAction",
        "destinationId",
        "sourceId",
        "modelId",
        "type",
        "reverseETLSchedule",
        "createdAt",
        "updatedAt",
    )
)
"""Keys of Segment's exports that say nothing here. They are passed over."""
TEMPLATE_EXPORT_KEYS = frozenset(("enable_batching", "batch_size", "batch_keys", "batch_bytes"))
"""Fields that Segment hides in a template: batching is not the mapping's matter here."""
INTERNAL_PREFIX = "__segment_internal_"
INTERNAL_DIRECTIVE = "__segment_internal_directive"

HINTS: Mapping[str, str] = {
    "actions": "Write one action a filter: `action: drop`, or sample, block_fields, allow_fields.",
    "percent": "Segment's percent is a part of 1 here: write `share: 0.05` for 5 %.",
    "path": "Users are sampled by userId, else anonymousId: leave it out.",
    "subscriptions": "Name the list `mappings`.",
    "data": "Write only the list of subscriptions, under `mappings`.",
}
"""What to do with keys that cannot be taken as they are."""
