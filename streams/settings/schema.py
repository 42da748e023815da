"""The JSON Schema of segbatch.yaml: `python -m streams.settings.schema > docs/segbatch.schema.json`."""

from __future__ import annotations

import json
import sys
from typing import Any

from streams.settings.keys import FILE_SUFFIX, SETTINGS
from streams.settings.model import Settings

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEXT: dict[str, Any] = {"type": "string"}
_REFERENCE: dict[str, Any] = {"type": "string", "pattern": r"\$\{"}
"""A value from the environment: `${NAME}` or `${NAME:default}`."""
_NOTHING: dict[str, Any] = {"type": "null"}


def settings_schema() -> dict[str, Any]:
    """The JSON Schema of segbatch.yaml, for editors."""
    definitions = Settings.model_json_schema()
    model = definitions.pop("$defs", {})
    return {
        "$schema": DIALECT,
        "title": "segbatch: settings",
        "type": ["object", "null"],
        "properties": {"$schema": _TEXT} | _properties(definitions, model, ""),
        "additionalProperties": False,
    }


def _properties(section: dict[str, Any], model: dict[str, Any], prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, schema in section["properties"].items():
        key = prefix + name
        below = model.get(schema.get("$ref", "").rpartition("/")[2])
        if below is not None:
            found[name] = _section(below, model, key)
            continue
        setting = SETTINGS[key]
        found[name] = _value(schema, setting.kind) | {"description": setting.meaning}
        if setting.secret:
            meaning = f"A file with the value of `{key}`; its last line break is left out."
            found[name + FILE_SUFFIX] = {"type": ["string", "null"], "description": meaning}
    return found


def _section(section: dict[str, Any], model: dict[str, Any], key: str) -> dict[str, Any]:
    return {
        "type": ["object", "null"],
        "description": section.get("description", ""),
        "properties": _properties(section, model, f"{key}."),
        "additionalProperties": False,
    }


def _value(schema: dict[str, Any], kind: str) -> dict[str, Any]:
    """What a value may be, which includes nothing, and what comes from the environment."""
    if kind == "list":
        return {"anyOf": [{"type": "array", "items": _TEXT}, _TEXT, _NOTHING]}
    if kind == "map":
        scalar = {"type": ["string", "number", "boolean"]}
        return {"anyOf": [{"type": "object", "additionalProperties": scalar}, _TEXT, _NOTHING]}
    own = {
        name: part for name, part in schema.items() if name not in ("default", "description", "title", "unit")
    }
    choices = own.pop("anyOf", [own])
    kept = [choice for choice in choices if choice != _NOTHING]
    return {
        "anyOf": [
            *({k: v for k, v in each.items() if k not in _NOT_SHOWN} for each in kept),
            _REFERENCE,
            _NOTHING,
        ]
    }


_NOT_SHOWN = frozenset(("format", "writeOnly"))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(settings_schema(), indent=2) + "\n")
