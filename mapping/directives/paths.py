"""`@path`: values by their path in an event (Segment, mapping kit: `$.context.traits.email`, `items[0].sku`)."""

from __future__ import annotations

import re
from typing import Any

from mapping.directives.arguments import directive_keys, kind_of
from mapping.directives.place import Place, Resolver
from mapping.directives.undefined import UNDEFINED

_BRACKETS = re.compile(r"\[(?:([0-9]+)|'([^']*)'|\"([^\"]*)\")\]")
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


def compile_path(argument: Any, place: Place) -> Resolver:
    """`@path`: a path, or a directive that gives one."""
    if isinstance(argument, str):
        return path_resolver(strip_root(argument), place)
    if not directive_keys(argument):
        return place.refused(
            f"is {kind_of(argument)}", "Write a path such as $.traits.email, or a directive."
        )
    path = place.compiled(argument)
    place.reads.everything = True

    def resolve(root: Any) -> Any:
        found = path(root)
        if isinstance(found, str):
            return look_up(root, segments_of(strip_root(found)))
        raise place.failed(f"needs a path, and its directive gave {kind_of(found)}")

    return resolve


def strip_root(path: str) -> str:
    """The path without its `$.`: the first one, wherever it stands, as Segment does."""
    return path.replace("$.", "", 1)


def segments_of(path: str) -> tuple[str, ...]:
    """The keys of a path, in order; none stands for the whole event. A dot always ends a key."""
    keys: list[str] = []
    for part in path.split("."):
        keys += [key for key in _BRACKETS.split(part) if key] if "[" in part else [part]
    return tuple(filter(None, keys))


def path_resolver(path: str, place: Place) -> Resolver:
    """The resolver of a path without `$.`, quick for the usual one to three keys."""
    keys = segments_of(path)
    if not keys:
        place.reads.everything = True
        return _whole
    place.reads.fields.add(keys[0])
    if len(keys) == 1:
        return _one_key(*keys)
    if len(keys) == 2:
        return _two_keys(*keys)
    if len(keys) == 3:
        return _three_keys(*keys)
    return lambda root: look_up(root, keys)


def look_up(root: Any, keys: tuple[str, ...]) -> Any:
    """The value at the keys. A falsy value on the way is the result: with `traits: null` every trait is null."""
    value = root
    for key in keys:
        value = value.get(key, UNDEFINED) if type(value) is dict else _member(value, key)
    return value


def _member(value: Any, key: str) -> Any:
    """A member of what is no object: an item, a character or the length; nothing else has members."""
    if isinstance(value, list | str) and value != "":
        if key == "length":
            return len(value)
        if _INDEX.fullmatch(key) and int(key) < len(value):
            return value[int(key)]
        return UNDEFINED
    return UNDEFINED if value else value


def _whole(root: Any) -> Any:
    return root


def _one_key(key: str) -> Resolver:
    def resolve(root: Any) -> Any:
        return root.get(key, UNDEFINED) if type(root) is dict else _member(root, key)

    return resolve


def _two_keys(first: str, second: str) -> Resolver:
    def resolve(root: Any) -> Any:
        value = root.get(first, UNDEFINED) if type(root) is dict else _member(root, first)
        return value.get(second, UNDEFINED) if type(value) is dict else _member(value, second)

    return resolve


def _three_keys(first: str, second: str, third: str) -> Resolver:
    def resolve(root: Any) -> Any:
        value = root.get(first, UNDEFINED) if type(root) is dict else _member(root, first)
        value = value.get(second, UNDEFINED) if type(value) is dict else _member(value, second)
        return value.get(third, UNDEFINED) if type(value) is dict else _member(value, third)

    return resolve
