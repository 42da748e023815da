"""Values by their path in an event (Segment, mapping kit: `$.context.traits.email`, `items[0].sku`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from mapping.directives.undefined import UNDEFINED

_BRACKETS = re.compile(r"\[(?:([0-9]+)|'([^']*)'|\"([^\"]*)\")\]")
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")

Keys = tuple[str, ...]


def strip_root(path: str) -> str:
    """The path without its `$.`: the first one, wherever it stands, as Segment does."""
    return path.replace("$.", "", 1)


def keys_of(path: str) -> Keys:
    """The keys of a path, in order; none stands for the whole event. A dot always ends a key."""
    keys: list[str] = []
    for part in path.split("."):
        keys += [key for key in _BRACKETS.split(part) if key] if "[" in part else [part]
    return tuple(filter(None, keys))


def has_stray_bracket(path: str) -> bool:
    """Whether a bracket of the path is taken as a letter of a name: it holds neither an index nor a name in quotes."""
    rest = "".join(_BRACKETS.sub("", part) for part in path.split("."))
    return "[" in rest or "]" in rest


def path_function(keys: Keys) -> Callable[[Any], Any]:
    """A function that looks the keys up, quick for the usual one to three."""
    if len(keys) == 1:
        return _one_key(*keys)
    if len(keys) == 2:
        return _two_keys(*keys)
    if len(keys) == 3:
        return _three_keys(*keys)
    return lambda root: look_up(root, keys)


def look_up(root: Any, keys: Keys) -> Any:
    """The value at the keys. A falsy value on the way is the result: with `traits: null` every trait is null."""
    value = root
    for key in keys:
        value = value.get(key, UNDEFINED) if type(value) is dict else member(value, key)
    return value


def member(value: Any, key: str) -> Any:
    """A member of what is no object: an item, a character or the length; nothing else has members."""
    if isinstance(value, list | str) and value != "":
        if key == "length":
            return len(value)
        if _INDEX.fullmatch(key) and int(key) < len(value):
            return value[int(key)]
        return UNDEFINED
    return UNDEFINED if value else value


def members_of(value: Any) -> dict[str, Any]:
    """What Object.assign takes of a value: arrays and strings by index, nothing of other scalars."""
    if isinstance(value, dict):
        return value
    return {str(index): item for index, item in enumerate(value)} if isinstance(value, list | str) else {}


def _one_key(key: str) -> Callable[[Any], Any]:
    def resolve(root: Any) -> Any:
        return root.get(key, UNDEFINED) if type(root) is dict else member(root, key)

    return resolve


def _two_keys(first: str, second: str) -> Callable[[Any], Any]:
    def resolve(root: Any) -> Any:
        value = root.get(first, UNDEFINED) if type(root) is dict else member(root, first)
        return value.get(second, UNDEFINED) if type(value) is dict else member(value, second)

    return resolve


def _three_keys(first: str, second: str, third: str) -> Callable[[Any], Any]:
    def resolve(root: Any) -> Any:
        value = root.get(first, UNDEFINED) if type(root) is dict else member(root, first)
        value = value.get(second, UNDEFINED) if type(value) is dict else member(value, second)
        return value.get(third, UNDEFINED) if type(value) is dict else member(value, third)

    return resolve
