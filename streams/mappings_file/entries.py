"""One entry of a list in the mappings file: its keys, read one by one, with a place for every problem."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

from mapping.fql import FqlError, Trigger, compile_trigger
from streams.mappings_file.keys import ALIASES, EXPORT_KEYS, FILTER_KEYS, HINTS, MAPPING_KEYS, Key
from streams.mappings_file.places import Places, Unreadable, pairs, plain
from streams.mappings_file.problems import unknown_key
from streams.settings import Problem

_SHOWN_CHARACTERS = 60
_NAME_KEYS = ("name", "title")
_KINDS = {"mappings": "mapping", "filters": "filter"}


def in_brief(value: Any) -> str | None:
    """A value of the file for a problem; None, which shows nothing, for one that is empty or long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if text.strip() and len(text) <= _SHOWN_CHARACTERS else None


class Entries:
    """The keys of one mapping or filter. What is wrong is added to `problems`."""

    def __init__(
        self, places: Places, node: yaml.Node, list_key: str, number: int, problems: list[Problem]
    ) -> None:
        self.places = places
        self.node = node
        self.kind = _KINDS[list_key]
        self.problems = problems
        self.warnings: list[Problem] = []
        """What can be used, and is hardly meant."""
        self.nodes: dict[str, yaml.Node] = {}
        """By key, in our words."""
        self.title = f"{self.kind} number {number + 1}"
        """How a problem calls it."""
        self.name = ""
        self.sound = True
        """Whether no problem was found in it."""
        keys = MAPPING_KEYS if list_key == "mappings" else FILTER_KEYS
        self._read_keys(keys)
        self.name = self.text("name") or ""
        for key, known in keys.items():
            if known.required and key not in self.nodes and self.nodes:
                self.say(key, "is required and not set", f"Write `{key}:`. {known.meaning}")

    def _read_keys(self, keys: Mapping[str, Key]) -> None:
        if not isinstance(self.node, yaml.MappingNode):
            self.say("", "is not a map", f"Write the {self.kind}'s keys: {', '.join(keys)}.")
            return
        try:
            given = list(pairs(self.node))
        except Unreadable as error:
            self.say_at(self.places.of(error.node), "", error.message, error.remedy)
            return
        named = next((node.value for written, node in given if written in _NAME_KEYS), None)
        if isinstance(named, str) and named:
            self.title = f"{self.kind} {named!r}"
        for written, node in given:
            key = written if written in keys else ALIASES.get(written, written)
            if key not in keys:
                if key not in EXPORT_KEYS:
                    message, remedy = unknown_key(written, keys, f"a {self.kind}", HINTS)
                    self.say_at(self.places.of(node), written, message, remedy)
            elif key in self.nodes:
                self.say_at(
                    self.places.of(node), written, f"sets {key} a second time", "Keep only one of the two."
                )
            else:
                self.nodes[key] = node

    def say(self, key: str, message: str, remedy: str, value: str | None = None) -> None:
        """A problem with a key, at its place."""
        self.say_at(self.places.of(self.nodes.get(key, self.node)), key, message, remedy, value)

    def warn_at(self, place: str, key: str, message: str, remedy: str) -> None:
        """A warning at a place."""
        self.warnings.append(Problem(f"{self.title}, {key}", None, message, remedy, place))

    def say_at(self, place: str, key: str, message: str, remedy: str, value: str | None = None) -> None:
        """A problem at a place."""
        self.sound = False
        self.problems.append(
            Problem(f"{self.title}, {key}" if key else self.title, value, message, remedy, place)
        )

    def value(self, key: str) -> Any:
        """A key's plain value; None if it is not there or cannot be read."""
        node = self.nodes.get(key)
        if node is None:
            return None
        try:
            return plain(node)
        except Unreadable as error:
            self.say_at(self.places.of(error.node), key, error.message, error.remedy)
            return None

    def text(self, key: str) -> str | None:
        """A key's text, which may not be blank."""
        value = self.value(key)
        if isinstance(value, str) and value.strip():
            return value
        if value is not None:
            message = "is not text" if value != "" else "is empty"
            self.say(key, message, "Write text; in quotes if in doubt.", in_brief(value))
        return None

    def flag(self, key: str, default: bool) -> bool:
        """A key's boolean."""
        value = self.value(key)
        if value is not None and not isinstance(value, bool):
            self.say(key, "is neither true nor false", "Write true or false.", in_brief(value))
        return value if isinstance(value, bool) else default

    def condition(self, key: str) -> Trigger | None:
        """A key's FQL, compiled."""
        text = self.text(key)
        if text is None:
            return None
        try:
            return compile_trigger(text)
        except FqlError as error:
            place = self.places.within(self.nodes[key], error.line, error.column)
            remedy = error.suggestion or "docs/triggers.md has the language"
            sentence = remedy[0].upper() + remedy[1:] + ("" if remedy.endswith("?") else ".")
            self.say_at(place, key, f"is not FQL: {error.message}", sentence, text)
            return None
