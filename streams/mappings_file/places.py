"""A YAML or JSON file as plain values, and where in the file each of them stands."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from streams.settings import Problem

DEPTH_LIMIT = 100

_NULL = re.compile(r"~|null|Null|NULL|")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_BLOCK_STYLES = ("|", ">")
_PATH_PART = re.compile(r"\.?([^.\[\]]+)|\[([0-9]+)\]")


class Places:
    """The file's tree, for looking up places by path."""

    def __init__(self, path: Path, text: str, root: yaml.Node | None) -> None:
        self.path = path
        self.root = root
        self._lines = text.splitlines()

    def of(self, node: yaml.Node | None) -> str:
        """`file mappings.yaml:12:14`; lines and columns count from 1."""
        line, column = (node.start_mark.line, node.start_mark.column) if node is not None else (0, 0)
        return f"file {self.path}:{line + 1}:{column + 1}"

    def within(self, node: yaml.Node, line: int, column: int) -> str:
        """A place in the text of a scalar, where `line` and `column` count from 1 within that text. The scalar's own
        place where the text cannot be traced back, as with folded lines."""
        if not isinstance(node, yaml.ScalarNode):
            return self.of(node)
        start, end = node.start_mark, node.end_mark
        if node.style == "|":
            at = start.line + line
            shown = self._lines[at] if at < len(self._lines) else ""
            first = self._lines[start.line + 1] if start.line + 1 < len(self._lines) else shown
            indent = len(first) - len(first.lstrip(" "))
            return f"file {self.path}:{at + 1}:{indent + column}"
        if line > 1 or node.style in _BLOCK_STYLES or start.line != end.line:
            return self.of(node)
        quote = 1 if node.style in ("'", '"') else 0
        return f"file {self.path}:{start.line + 1}:{start.column + quote + column}"

    def find(self, start: yaml.Node, path: str) -> yaml.Node:
        """The deepest node on a dotted path (`profileAttributes.email.@if`, `objects[0]`) from a node."""
        node = start
        while path:
            below, path = _step(node, path)
            if below is None:
                return node
            node = below
        return node


def _step(node: yaml.Node, path: str) -> tuple[yaml.Node | None, str]:
    """The longest key that begins the path, because keys may hold dots."""
    if isinstance(node, yaml.MappingNode):
        keys = sorted(node.value, key=lambda pair: -len(str(pair[0].value)))
        for key, value in keys:
            rest = path.removeprefix(".").removeprefix(str(key.value))
            if rest != path.removeprefix(".") and (not rest or rest[0] in ".["):
                return value, rest
    if isinstance(node, yaml.SequenceNode):
        found = _PATH_PART.match(path)
        index = (found[1] or found[2]) if found else ""
        if found and index.isdigit() and int(index) < len(node.value):
            return node.value[int(index)], path[found.end() :]
    return None, ""


def read_places(path: Path) -> Places | Problem:
    """The file's tree, or why there is none."""
    name = str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        why = error.strerror or "error"
        remedy = "Correct the path, or the file's rights; without `mappings` in the settings the preset is in force."
        return Problem(name, None, f"cannot be read: {why}", remedy)
    except UnicodeDecodeError:
        return Problem(name, None, "is not UTF-8 text", "Save the file as UTF-8.")
    if path.suffix == ".json":
        text = text.replace("\t", " ")
    try:
        return Places(path, text, yaml.compose(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"file {path}:{mark.line + 1}:{mark.column + 1}" if mark else None
        kind = "JSON" if path.suffix == ".json" else "YAML"
        return Problem(name, None, f"is not {kind}: {error.problem}", _remedy(str(error.problem)), place)
    except (yaml.YAMLError, RecursionError):
        return Problem(
            name, None, "is not YAML: a character or nesting that is not allowed", "Correct the file."
        )


_REMEDIES = {
    "found character '@'": 'A directive stands in braces, its name in quotes: {"@path": $.userId}.',
    "but found '<scalar>'": "A value that begins with a quote ends with that quote: put the other kind around all "
    "of it, or begin with something else.",
    "mapping values are not allowed": "A value with `: ` in it needs quotes around it; so does one with ` #`.",
}
"""What to do, by a part of what YAML's parser says."""


def _remedy(said: str) -> str:
    found = (remedy for part, remedy in _REMEDIES.items() if part in said)
    return next(found, "Correct it at or above that place.")


class Unreadable(Exception):
    """A node that is no plain value."""

    def __init__(self, node: yaml.Node, message: str, remedy: str) -> None:
        super().__init__(message)
        self.node = node
        self.message = message
        self.remedy = remedy


def plain(node: yaml.Node, depth: int = 0) -> Any:
    """The JSON value of a node. Words are text but for true, false and null: `yes` and `2026-01-31` stay text.

    Raises Unreadable.
    """
    if depth > DEPTH_LIMIT:
        raise Unreadable(node, "is nested too deeply", f"Nest it at most {DEPTH_LIMIT} levels deep.")
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return [plain(item, depth + 1) for item in node.value]
    found: dict[str, Any] = {}
    for key, value in pairs(node):
        if key in found:
            raise Unreadable(value, f"sets {key!r} a second time", "Keep only one of the two.")
        found[key] = plain(value, depth + 1)
    return found


def pairs(node: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
    """A map's keys and the nodes of their values. Raises Unreadable for a key that is not text."""
    members: Sequence[tuple[yaml.Node, yaml.Node]] = node.value
    for key, value in members:
        if isinstance(key, yaml.MappingNode):
            remedy = """{{…}} without quotes is a map to YAML: write {"@template": "{{userId}}"}."""
            raise Unreadable(key, "has a map where a key belongs", remedy)
        if not isinstance(key, yaml.ScalarNode):
            raise Unreadable(key, "has a key that is not text", "Write `name: value`.")
        if key.value == "<<" and key.style is None:
            raise Unreadable(key, "has a merge key, which is not read", "Write the keys out.")
        yield _text(key.value), value


def _scalar(node: yaml.ScalarNode) -> Any:
    text: str = node.value
    if node.style is not None:
        return _text(text)
    if _NULL.fullmatch(text):
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) < 100 else text
    if _NUMBER.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else text
    return _text(text)


def _text(text: str) -> str:
    """JSON writes characters beyond U+FFFF as two surrogates, which YAML's reader leaves apart."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
