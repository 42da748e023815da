"""One destination filter of the file."""

from __future__ import annotations

from typing import get_args

from mapping.mappings import CONDITION_LIMIT, Filter, FilterAction
from streams.mappings_file.entries import Entries, in_brief

_ACTIONS: tuple[FilterAction, ...] = get_args(FilterAction)
_BELONGS = {"share": ("sample",), "fields": ("block_fields", "allow_fields")}


def read_filter(entries: Entries) -> Filter | None:
    """The filter, compiled; None if it is switched off, or if something is wrong with it, which the entries have
    said."""
    enabled = entries.flag("enabled", default=True)
    text = entries.text("if")
    if text is not None and len(text.encode()) > CONDITION_LIMIT:
        entries.say("if", f"has more than {CONDITION_LIMIT} bytes", "Shorten it, or write two filters.")
    condition = entries.condition("if")
    action = _action(entries)
    share, fields = _share(entries), _fields(entries)
    for key, actions in _BELONGS.items():
        if action is not None and action in actions and key not in entries.nodes:
            entries.say(key, f"is required with `action: {action}`", f"Write `{key}:`.")
        elif action is not None and action not in actions and key in entries.nodes:
            entries.say(key, f"has no effect with `action: {action}`", "Remove it.")
    if not entries.sound or not enabled or condition is None or action is None:
        return None
    return Filter(entries.name, condition, action, share, fields)


def _action(entries: Entries) -> FilterAction | None:
    value = entries.value("action")
    for action in _ACTIONS:
        if value == action:
            return action
    if value is not None:
        entries.say(
            "action", "is not an action of a filter", f"Choose one of {', '.join(_ACTIONS)}.", in_brief(value)
        )
    return None


def _share(entries: Entries) -> float:
    value = entries.value("share")
    if value is None:
        return 1.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        entries.say(
            "share", "is not a number from 0 to 1", "Write the part to keep, 0.05 for 5 %.", in_brief(value)
        )
        return 1.0
    return float(value)


def _fields(entries: Entries) -> tuple[str, ...]:
    value = entries.value("fields")
    if value is None:
        return ()
    paths = [value] if isinstance(value, str) else value
    if not isinstance(paths, list) or not paths or not all(map(_is_path, paths)):
        entries.say(
            "fields",
            "is not a list of paths",
            "Write dotted paths such as properties.card, without `$.`.",
            in_brief(value),
        )
        return ()
    return tuple(paths)


def _is_path(path: object) -> bool:
    return isinstance(path, str) and bool(path) and not path.startswith("$") and all(path.split("."))
