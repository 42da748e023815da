"""A fold that keeps everything and looks at it event by event, as the rules are written."""

from __future__ import annotations

from typing import NamedTuple

from mapping.profile import ArrayDelta, AttributeValue
from sink.coalescer import compose
from streams.backfill.folded import IN_RECORD_ORDER, FoldedProfile

Attributes = dict[str, AttributeValue]


class Said(NamedTuple):
    """What one event says of a profile."""

    custom_id: str
    attributes: Attributes
    mark: int
    beside: bool = False


def naive_fold(events: list[Said]) -> dict[str, Attributes]:
    """What each profile holds after all events, in the order in which they are read."""
    profiles: dict[str, dict[str, tuple[AttributeValue, int]]] = {}
    for custom_id, attributes, mark, is_beside in events:
        held = profiles.setdefault(custom_id, {})
        for name, value in attributes.items():
            if is_beside and name not in held:
                continue
            if name in held and mark != IN_RECORD_ORDER and mark < held[name][1]:
                continue
            if isinstance(value, ArrayDelta) and name in held:
                value = _applied(held[name][0], value)
            held[name] = (value, mark)
    found = {who: {name: value for name, (value, _) in held.items()} for who, held in profiles.items()}
    return {who: attributes for who, attributes in found.items() if attributes}


def said_by(profile: FoldedProfile) -> Attributes:
    """What a profile holds after all its updates."""
    held: Attributes = {}
    for update in profile.updates():
        for name, value in update.items():
            held[name] = (
                _applied(held[name], value) if isinstance(value, ArrayDelta) and name in held else value
            )
    return held


def _applied(older: AttributeValue, delta: ArrayDelta) -> AttributeValue:
    """Composed without Batch's limit of items."""
    if isinstance(older, ArrayDelta):
        composed = compose(older, delta)
        assert composed is not None
        return composed
    kept = [item for item in older if item not in delta.remove] if isinstance(older, list) else []
    return [*kept, *(item for item in dict.fromkeys(delta.add) if item not in kept)]
