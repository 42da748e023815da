"""Loading the mappings file: everything that is wrong with it at once, each with its place."""

from __future__ import annotations

from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from mapping.mappings import FILTER_LIMIT, MAPPING_LIMIT, Filter, Mapping, MappingSet, preset_alone
from streams.mappings_file.entries import Entries
from streams.mappings_file.filters import read_filter
from streams.mappings_file.keys import HINTS, TOP_KEYS
from streams.mappings_file.mapping import read_mapping
from streams.mappings_file.places import Places, Unreadable, pairs, read_places
from streams.mappings_file.problems import unknown_key
from streams.settings import ConfigurationError, Problem, Settings

DEFAULT_FILE = Path("mappings.yaml")
_NAME_THEM = "Write `mappings:` and a list below it."


@dataclass(frozen=True)
class LoadedMappings:
    """The mappings in force, and where they come from."""

    path: Path | None = None
    """None: there is no file, the preset is in force."""
    mapping_set: MappingSet | None = None
    places: Table[str, str] = field(default_factory=dict)
    """Where the trigger of each mapping of the file stands, by the mapping's name."""
    warnings: tuple[Problem, ...] = ()
    """What can be used, and is hardly meant, such as a constant `custom_id`."""


def mappings_path(settings: Settings, chosen: Path | None = None) -> Path | None:
    """The file: `chosen`, else that of the settings, else ./mappings.yaml if there is one."""
    if chosen is not None:
        return chosen
    if settings.mappings is not None:
        return Path(settings.mappings)
    return DEFAULT_FILE if DEFAULT_FILE.exists() else None


def load_mappings(path: Path | None) -> LoadedMappings:
    """The file, read and compiled. None is no file. Raises ConfigurationError with every problem found."""
    if path is None:
        return LoadedMappings()
    places = read_places(path)
    if isinstance(places, Problem):
        raise ConfigurationError([places])
    reader = _Reader(places)
    loaded = reader.read()
    if reader.problems:
        raise ConfigurationError(sorted(reader.problems, key=_place))
    return loaded


class _Reader:
    def __init__(self, places: Places) -> None:
        self._places = places
        self.problems: list[Problem] = []

    def read(self) -> LoadedMappings:
        top = self._top()
        mappings = self._list(top.get("mappings"), "mappings", MAPPING_LIMIT)
        filters = self._list(top.get("filters"), "filters", FILTER_LIMIT)
        compiled: list[Mapping] = []
        where: dict[str, str] = {}
        for entries in mappings:
            mapping = read_mapping(entries)
            if mapping is not None:
                compiled.append(mapping)
                where[mapping.name] = self._places.of(entries.nodes.get("trigger", entries.node))
        if "mappings" not in top:
            compiled += preset_alone().mappings
        kept: list[Filter] = [found for entries in filters if (found := read_filter(entries)) is not None]
        mapping_set = MappingSet(tuple(compiled), tuple(kept))
        warnings = tuple(warning for entries in mappings for warning in entries.warnings)
        return LoadedMappings(self._places.path, mapping_set, where, warnings)

    def _top(self) -> dict[str, yaml.Node]:
        root = self._places.root
        if isinstance(root, yaml.SequenceNode):
            return {"mappings": root}
        if not isinstance(root, yaml.MappingNode):
            self._say(root, "is not a map with `mappings`", _NAME_THEM)
            return {}
        try:
            top = dict(pairs(root))
        except Unreadable as error:
            self._say(error.node, error.message, error.remedy)
            return {}
        for key in top.keys() - TOP_KEYS.keys() - {"$schema"}:
            message, remedy = unknown_key(key, TOP_KEYS, "the file", HINTS)
            self.problems.append(Problem(key, None, message, remedy, self._places.of(top[key])))
        if not top.keys() & TOP_KEYS.keys() and not self.problems:
            self._say(root, "has no `mappings`", _NAME_THEM)
        return top

    def _list(self, node: yaml.Node | None, key: str, limit: int) -> list[Entries]:
        """The entries of one of the two lists, each name once."""
        if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
            return []
        if not isinstance(node, yaml.SequenceNode):
            self._say(node, f"has {key} that are not a list", f"Write `{key}:` and a list below it.")
            return []
        if len(node.value) > limit:
            problem = f"has {len(node.value)} {key}"
            self._say(node.value[limit], problem, f"There may be {limit}, as in Segment.")
        found = [
            Entries(self._places, item, key, number, self.problems) for number, item in enumerate(node.value)
        ]
        named: dict[str, str] = {}
        for entries in found:
            if entries.name and entries.name in named:
                message = f"has a name that stands twice: also at {named[entries.name]}"
                entries.say("name", message, "Give each a name of its own.")
            named.setdefault(entries.name, self._places.of(entries.nodes.get("name")))
        return found

    def _say(self, node: yaml.Node | None, message: str, remedy: str) -> None:
        self.problems.append(Problem(str(self._places.path), None, message, remedy, self._places.of(node)))


def _place(problem: Problem) -> tuple[int, int]:
    _, line, column = (problem.origin or "").rsplit(":", 2)
    return int(line), int(column)
