"""Settings from the YAML file. Every scalar is read as text, with its line; its setting types it later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeAlias

import yaml

from streams.settings.entries import Entry, RawValue, Reading, Unset, read_secret
from streams.settings.interpolation import interpolate, variables
from streams.settings.keys import SECRET_FILE_KEYS, SECTIONS, SETTINGS, Kind, suggestion
from streams.settings.problems import Problem, SettingError

_NULL_TAG = "tag:yaml.org,2002:null"
_SHAPES: Mapping[Kind, str] = {
    "value": "a single value",
    "list": "a list, or text with commas",
    "map": "a map of names and values",
}
_CORRECT_YAML = "Correct the file at or above that line; within [ ] and { }, ${…} needs quotes."


class _Source(NamedTuple):
    path: Path
    environ: Mapping[str, str]

    def origin(self, node: yaml.Node) -> str:
        return f"file {self.path}:{node.start_mark.line + 1}"


class _Leaf(NamedTuple):
    key: str
    node: yaml.Node
    origin: str


_Found: TypeAlias = _Leaf | Problem


def read_document(path: Path, environ: Mapping[str, str]) -> Reading:
    """The settings in the file, with `${VAR}` replaced from `environ`. An empty value counts as unset."""
    root = _parse(path)
    if isinstance(root, Problem):
        return Reading({}, (root,), readable=False)
    source = _Source(path, environ)
    entries: dict[str, Entry] = {}
    unset: dict[str, Unset] = {}
    problems: list[Problem] = []
    for found in _leaves(source, root, "") if root is not None else ():
        entry = found if isinstance(found, Problem) else _entry(source, found)
        if isinstance(entry, Problem):
            problems.append(entry)
        elif isinstance(entry, Entry) and entry.key in entries:
            problems.append(_set_twice(entry, entries[entry.key]))
        elif isinstance(entry, Entry):
            entries[entry.key] = entry
        elif entry is not None:
            unset[SECRET_FILE_KEYS.get(found.key, found.key)] = entry
    return Reading(entries, tuple(problems), unset=unset)


def _parse(path: Path) -> yaml.MappingNode | Problem | None:
    name = str(path)
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        why = error.strerror or "error"
        return Problem(
            name, None, f"cannot be read: {why}", "Correct --config or SEGBATCH_CONFIG, or the file's rights."
        )
    except UnicodeDecodeError:
        return Problem(name, None, "is not UTF-8 text", "Save the file as UTF-8.")
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        return Problem(f"{name}{line}", None, f"is not YAML: {error.problem}", _CORRECT_YAML)
    except yaml.YAMLError:
        return Problem(
            name, None, "is not YAML: it has a character that is not allowed", "Save the file as plain text."
        )
    if root is None or isinstance(root, yaml.MappingNode):
        return root
    return Problem(
        name, None, "is not a map of settings", "Write lines such as `kafka:` with settings below them."
    )


def _leaves(source: _Source, section: yaml.MappingNode, prefix: str) -> Iterator[_Found]:
    for name, node in section.value:
        origin = source.origin(name)
        if not isinstance(name, yaml.ScalarNode):
            yield Problem(f"{prefix}?", None, "is not a name", "Write `name: value`.", origin)
            continue
        key = f"{prefix}{name.value}"
        if key in SECTIONS:
            yield from _section(source, key, node, origin)
        elif key in SETTINGS or key in SECRET_FILE_KEYS:
            yield _Leaf(key, node, origin)
        else:
            remedy = suggestion(key, (*SETTINGS, *SECRET_FILE_KEYS, *SECTIONS))
            yield Problem(key, None, "is not a setting", remedy, origin)


def _section(source: _Source, key: str, node: yaml.Node, origin: str) -> Iterator[_Found]:
    if isinstance(node, yaml.MappingNode):
        yield from _leaves(source, node, f"{key}.")
    elif node.tag != _NULL_TAG:
        yield Problem(
            key, None, "is a group of settings, not a value", "Indent its settings below it.", origin
        )


def _entry(source: _Source, leaf: _Leaf) -> Entry | Unset | Problem | None:
    key = SECRET_FILE_KEYS.get(leaf.key, leaf.key)
    kind: Kind = "value" if leaf.key in SECRET_FILE_KEYS else SETTINGS[leaf.key].kind
    try:
        raw = _raw(leaf.node, kind, source.environ)
    except SettingError as error:
        return Problem(leaf.key, None, error.message, error.remedy, leaf.origin)
    names = _variables(leaf.node)
    if raw is None:
        return Unset(leaf.origin, names) if names else None
    origin = _with_variables(leaf.origin, names, source.environ)
    if leaf.key in SETTINGS:
        return Entry(key, raw, origin)
    path = Path(str(raw))
    secret = read_secret(leaf.key, path, origin)
    if isinstance(secret, Problem):
        return secret
    return Entry(key, secret, f"{origin} ({path})", path)


def _variables(node: yaml.Node) -> tuple[str, ...]:
    """The environment variables that a value refers to, in order."""
    if isinstance(node, yaml.ScalarNode):
        return variables(node.value)
    values = node.value if isinstance(node, yaml.SequenceNode) else [value for _, value in node.value]
    return tuple(dict.fromkeys(name for value in values for name in _variables(value)))


def _with_variables(origin: str, names: tuple[str, ...], environ: Mapping[str, str]) -> str:
    """`file segbatch.yaml:5 (environment KAFKA_BROKERS)`, or that the file's own default is in force."""
    if not names:
        return origin
    given = [name for name in names if environ.get(name)]
    if given:
        return f"{origin} (environment {', '.join(given)})"
    return f"{origin} (its own default: {', '.join(names)} not set)"


def _raw(node: yaml.Node, kind: Kind, environ: Mapping[str, str]) -> RawValue | None:
    if node.tag == _NULL_TAG:
        return None
    if isinstance(node, yaml.ScalarNode):
        return interpolate(node.value, environ) or None
    if kind == "list" and isinstance(node, yaml.SequenceNode):
        return [_text(item, environ) for item in node.value]
    if kind == "map" and isinstance(node, yaml.MappingNode):
        return {_text(name, {}): _text(item, environ) for name, item in node.value}
    what = "a list" if isinstance(node, yaml.SequenceNode) else "a map"
    raise SettingError(f"is {what}", f"Give it {_SHAPES[kind]}.")


def _text(node: yaml.Node, environ: Mapping[str, str]) -> str:
    if isinstance(node, yaml.ScalarNode):
        return interpolate(node.value, environ)
    raise SettingError("has an entry that is not a single value", "Give each entry one value.")


def _set_twice(second: Entry, first: Entry) -> Problem:
    return Problem(
        second.key,
        None,
        f"is set twice: it stands in {first.origin} too",
        "Keep only one of the two.",
        second.origin,
    )
