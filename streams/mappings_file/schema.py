"""The JSON Schema of mappings files: `python -m streams.mappings_file.schema > docs/mappings.schema.json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from mapping.directives.compiler import DIRECTIVES
from mapping.mappings import FILTER_LIMIT, MAPPING_LIMIT
from streams.mappings_file.keys import (
    ALIASES,
    EXPORT_KEYS,
    FIELD_MEANINGS,
    FILTER_KEYS,
    INTERNAL_PREFIX,
    MAPPING_KEYS,
    TEMPLATE_EXPORT_KEYS,
    TOP_KEYS,
    Key,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ANYTHING: dict[str, Any] = {}


def mappings_schema() -> dict[str, Any]:
    """The JSON Schema of a mappings file, for editors. FQL and what directives take is checked by segbatch only."""
    mappings = {"type": ["array", "null"], "maxItems": MAPPING_LIMIT, "items": {"$ref": "#/$defs/mapping"}}
    filters = {"type": ["array", "null"], "maxItems": FILTER_LIMIT, "items": {"$ref": "#/$defs/filter"}}
    return {
        "$schema": DIALECT,
        "title": "segbatch: mappings and destination filters",
        "anyOf": [{"$ref": "#/$defs/file"}, {"type": "array", "items": {"$ref": "#/$defs/mapping"}}],
        "$defs": {
            "file": {
                "type": "object",
                "properties": {
                    "$schema": {"type": "string"},
                    "mappings": mappings | {"description": TOP_KEYS["mappings"]},
                    "filters": filters | {"description": TOP_KEYS["filters"]},
                },
                "anyOf": [{"required": ["mappings"]}, {"required": ["filters"]}],
                "additionalProperties": False,
            },
            "mapping": _entry(MAPPING_KEYS) | {"anyOf": _ONE_OF_THESE},
            "filter": _entry(FILTER_KEYS) | {"allOf": _FILTER_NEEDS},
            "template": _template(),
            "value": _value(),
        },
    }


_ONE_OF_THESE = [{"required": [key]} for key in ("preset", "mapping", "settings")]
_FILTER_NEEDS = [
    {
        "if": {"properties": {"action": {"const": action}}, "required": ["action"]},
        "then": {"required": [key]},
    }
    for action, key in (("sample", "share"), ("block_fields", "fields"), ("allow_fields", "fields"))
]


def _entry(keys: Mapping[str, Key]) -> dict[str, Any]:
    properties = {name: key.schema | {"description": key.meaning} for name, key in keys.items()}
    for alias, name in ALIASES.items():
        if name in keys and not keys[name].required:
            properties[alias] = properties[name] | {"description": f"Segment's word for `{name}`."}
    exported = dict.fromkeys(sorted(EXPORT_KEYS), _ANYTHING)
    required = [name for name, key in keys.items() if key.required]
    return {
        "type": "object",
        "properties": properties | exported,
        "required": required,
        "additionalProperties": False,
    }


def _template() -> dict[str, Any]:
    fields = {
        name: {"$ref": "#/$defs/value", "description": meaning} for name, meaning in FIELD_MEANINGS.items()
    }
    return {
        "type": "object",
        "properties": fields | dict.fromkeys(sorted(TEMPLATE_EXPORT_KEYS), _ANYTHING),
        "patternProperties": {f"^{INTERNAL_PREFIX}": _ANYTHING},
        "additionalProperties": False,
    }


def _value() -> dict[str, Any]:
    """Any JSON; an object is one directive, or has none."""
    return {
        "type": ["string", "number", "boolean", "null", "array", "object"],
        "items": {"$ref": "#/$defs/value"},
        "properties": dict.fromkeys(DIRECTIVES, _ANYTHING),
        "patternProperties": {"^[^@]": {"$ref": "#/$defs/value"}},
        "propertyNames": {"anyOf": [{"enum": list(DIRECTIVES)}, {"pattern": "^(?!@)"}]},
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(mappings_schema(), indent=2) + "\n")
