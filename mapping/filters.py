"""Destination filters: events that are dropped or thinned out, and fields that never reach a mapping.

Segment, "Destination Filters": samples come first, then drops, then blocked fields, then allowed ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from mapping.mappings import Filter, FilterAction
from mapping.numbers import DigitsLost, number_text

_ORDER: tuple[FilterAction, ...] = ("sample", "drop", "block_fields", "allow_fields")
_HASH_BYTES = 8
_HASHES = 2.0 ** (8 * _HASH_BYTES)

Step = Callable[[dict[str, Any]], bool]
"""Changes the event, which is the caller's own, and says whether it goes on."""
FieldTree = dict[str, "FieldTree"]
"""Fields by their paths' parts; an empty tree is a path's end."""


def in_order(filters: Iterable[Filter]) -> list[Filter]:
    """The filters in the order in which Segment applies them."""
    return sorted(filters, key=lambda each: _ORDER.index(each.action))


def compile_filters(filters: Sequence[Filter]) -> Callable[[dict[str, Any]], str | None]:
    """A function that applies the filters to an event, in place. It returns the name of the one that dropped it."""
    steps = [(each.name, compile_filter(each)) for each in in_order(filters)]

    def dropped_by(event: dict[str, Any]) -> str | None:
        for name, step in steps:
            if not step(event):
                return name
        return None

    return dropped_by


def compile_filter(filter: Filter) -> Step:
    """One filter. A filter that fails drops the event: what it should have removed may be personal."""
    matches, act = filter.condition.matches, _action(filter)

    def step(event: dict[str, Any]) -> bool:
        try:
            return not matches(event) or act(event)
        except DigitsLost:
            raise
        except Exception:
            return False

    return step


def _action(filter: Filter) -> Step:
    if filter.action == "drop":
        return lambda event: False
    if filter.action == "sample":
        return lambda event: place_in_sample(event) < filter.share
    tree = _tree(filter.fields)
    change = _block if filter.action == "block_fields" else _allow_top

    def change_fields(event: dict[str, Any]) -> bool:
        change(event, tree)
        return True

    return change_fields


def place_in_sample(event: dict[str, Any]) -> float:
    """A number from 0 to below 1, the same for every event of a user: by `userId`, else `anonymousId`, else the
    message's own id. Raises DigitsLost."""
    for key in ("userId", "anonymousId", "messageId"):
        value = event.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = number_text(value)
        if isinstance(value, str) and value:
            break
    else:
        value = ""
    digest = hashlib.blake2b(value.encode(), digest_size=_HASH_BYTES).digest()
    return int.from_bytes(digest) / _HASHES


def _tree(paths: Iterable[str]) -> FieldTree:
    """Of two paths the shorter wins: `properties` covers `properties.sku`, and comes after it here."""
    tree: FieldTree = {}
    for path in sorted(paths, key=len, reverse=True):
        *parents, last = path.split(".")
        branch = tree
        for name in parents:
            branch = branch.setdefault(name, {})
        branch[last] = {}
    return tree


def _block(holder: Any, tree: FieldTree) -> None:
    if type(holder) is list:
        for item in holder:
            _block(item, tree)
    elif type(holder) is dict:
        for name, below in tree.items():
            if name in holder:
                if below:
                    _block(holder[name], below)
                else:
                    del holder[name]


def _allow_top(event: dict[str, Any], tree: FieldTree) -> None:
    """Of each top-level object that is named only the named fields stay; what is not named stays whole."""
    for name, below in tree.items():
        if below and name in event:
            _allow_member(event, name, below)


def _allow(holder: dict[str, Any], tree: FieldTree) -> None:
    for name in list(holder):
        below = tree.get(name)
        if below is None:
            del holder[name]
        elif below:
            _allow_member(holder, name, below)


def _allow_member(holder: dict[str, Any], name: str, tree: FieldTree) -> None:
    """Only fields below the member are allowed: what has no fields goes."""
    value = holder[name]
    if type(value) is dict:
        _allow(value, tree)
    elif type(value) is list:
        holder[name] = items = [item for item in value if type(item) is dict]
        for item in items:
            _allow(item, tree)
    else:
        del holder[name]
