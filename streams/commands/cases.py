"""Test cases beside the mappings: an event, and what is expected to become of it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import orjson
import yaml

from mapping.mappings import MappingSet
from mapping.settings import MappingSettings
from sink.lateness import LateEvents
from streams.commands.meaning import Clock, Meaning, Outcome, posted_meaning
from streams.commands.moments import read_moment
from streams.mappings_file.places import Places, Unreadable, pairs, plain, read_places
from streams.mappings_file.problems import unknown_key
from streams.settings import ConfigurationError, Problem

_FILE_KEYS = ("now", "cases")
_CASE_KEYS = ("name", "event", "now", "updates", "skipped", "rejected", "fields")
_REASONED: tuple[Outcome, ...] = ("skipped", "rejected")


@dataclass(frozen=True, slots=True)
class Case:
    """One case. What is None is not compared."""

    file: Path
    name: str
    record: bytes
    now_ms: float | None
    outcome: Outcome
    reason: str | None
    updates: list[Any] | None
    fields: list[Any] | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a case ended."""

    case: Case
    expected: dict[str, Any]
    found: dict[str, Any]

    @property
    def passed(self) -> bool:
        """Whether what was found is what was expected: 1 and true are not the same."""
        return _lines(self.expected) == _lines(self.found)

    def diff(self) -> Iterator[str]:
        """From what was expected (-) to what was found (+), as a unified diff without its head."""
        lines = difflib.unified_diff(_lines(self.expected), _lines(self.found), lineterm="", n=3)
        return (line for line in lines if not line.startswith(("---", "+++", "@@")))


def judge(
    case: Case, rules: MappingSettings, mappings: MappingSet | None, late_events: LateEvents
) -> Verdict:
    """Map the case's event as the worker would. Without a time of its own the rule of 24 hours is off."""
    meaning = posted_meaning(rules, Clock(case.now_ms, late_events), mappings)(case.record)
    expected: dict[str, Any] = {"outcome": case.outcome, "reason": case.reason}
    found: dict[str, Any] = {"outcome": meaning.outcome, "reason": meaning.reason}
    if case.updates is not None:
        expected["updates"], found["updates"] = case.updates, _updates(meaning)
    if case.fields is not None:
        expected["fields"] = case.fields
        found["fields"] = [{"field": each.field, "reason": each.reason} for each in meaning.fields]
    return Verdict(case, expected, found)


def _updates(meaning: Meaning) -> list[Any]:
    return [orjson.loads(orjson.dumps(update)) for update in meaning.updates]


def _lines(value: Any) -> list[str]:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True).splitlines()


def read_cases(path: Path) -> list[Case]:
    """The cases of a file: a list, or a map with `cases` and `now`. Raises ConfigurationError with every problem."""
    places = read_places(path)
    if isinstance(places, Problem):
        raise ConfigurationError([places])
    reader = _Reader(places)
    cases = reader.read()
    if reader.problems:
        raise ConfigurationError(reader.problems)
    return cases


class _Reader:
    def __init__(self, places: Places) -> None:
        self._places = places
        self.problems: list[Problem] = []

    def read(self) -> list[Case]:
        root = self._places.root
        now_ms = None
        if isinstance(root, yaml.MappingNode):
            top = self._keys(root, "the file", _FILE_KEYS)
            now_ms = self._now(top.get("now"), "the file")
            root = top.get("cases", root)
        if not isinstance(root, yaml.SequenceNode):
            self._say(
                root, str(self._places.path), "has no list of cases", "Write `cases:` and a list below it."
            )
            return []
        found = [self._case(item, number, now_ms) for number, item in enumerate(root.value, start=1)]
        return [case for case in found if case is not None]

    def _case(self, node: yaml.Node, number: int, now_ms: float | None) -> Case | None:
        title = f"case {number}"
        given = self._keys(node, title, _CASE_KEYS) if isinstance(node, yaml.MappingNode) else {}
        values = {key: self._plain(below, f"{title}, {key}") for key, below in given.items()}
        name = str(values.get("name") or title)
        if not isinstance(values.get("event"), dict):
            self._say(
                given.get("event", node), title, "has no `event` that is a map", "Write the Segment event."
            )
            return None
        for key in ("updates", "fields"):
            if key in values and not isinstance(values[key], list):
                self._say(given[key], f"{title}, {key}", "is not a list", "Write a list; [] for none.")
        reasons = [key for key in _REASONED if key in values]
        if len(reasons) > 1 or not (reasons or "updates" in values):
            remedy = "Write what is expected: updates, or the reason as skipped or rejected."
            self._say(node, title, "expects nothing, or two things", remedy)
            return None
        outcome: Outcome = next((key for key in get_args(Outcome) if key in reasons), "mapped")
        reason = str(values[outcome]) if reasons else None
        own_now = self._now(given.get("now"), title)
        return Case(
            self._places.path,
            name,
            json.dumps(values["event"]).encode(),
            now_ms if own_now is None else own_now,
            outcome,
            reason,
            values.get("updates"),
            values.get("fields"),
        )

    def _keys(self, node: yaml.Node, holder: str, known: tuple[str, ...]) -> dict[str, yaml.Node]:
        try:
            given = dict(pairs(node))
        except Unreadable as error:
            self._say(error.node, holder, error.message, error.remedy)
            return {}
        for key in given.keys() - set(known):
            message, remedy = unknown_key(key, known, holder, {})
            self._say(given[key], f"{holder}, {key}", message, remedy)
        return given

    def _plain(self, node: yaml.Node, key: str) -> Any:
        try:
            return plain(node)
        except Unreadable as error:
            self._say(error.node, key, error.message, error.remedy)
            return None

    def _now(self, node: yaml.Node | None, holder: str) -> float | None:
        if node is None:
            return None
        moment = read_moment(node.value) if isinstance(node, yaml.ScalarNode) else None
        if moment is None:
            self._say(node, f"{holder}, now", "is not a time", "Write ISO 8601, as 2026-01-31T08:00:00Z.")
        return moment

    def _say(self, node: yaml.Node | None, key: str, message: str, remedy: str) -> None:
        self.problems.append(Problem(key, None, message, remedy, self._places.of(node)))
