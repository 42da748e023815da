"""What is different between the events one profile should have and those it has, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

VALUE_SHOWN = 80  # characters


class _Event(NamedTuple):
    name: str
    time: str | None
    attributes: dict[str, Any]
    content: bytes  # name and attributes

    def answers(self, wanted: _Event) -> bool:
        """An event sent without time has whatever time Batch gave it."""
        return self.content == wanted.content and (wanted.time is None or self.time == wanted.time)


def event_differences(
    wanted: list[dict[str, Any]], actual: list[dict[str, Any]], *, allow_repeats: bool
) -> list[str]:
    """A sentence for each event missing, changed or too many, one for a wrong order; [] if all is well."""
    expected, found = [_event(event) for event in wanted], [_event(event) for event in actual]
    if len(expected) == len(found) and all(a.answers(b) for a, b in zip(found, expected, strict=True)):
        return []
    if allow_repeats and is_repeated_run(expected, found):
        return []
    places = _places(expected, found)
    used = {place for place in places if place is not None}
    lacking = [event for event, place in zip(expected, places, strict=True) if place is None]
    surplus = [event for place, event in enumerate(found) if place not in used]
    differences = [*_changes(lacking, surplus)]
    differences.extend(f"event {_title(event)} is missing" for event in lacking)
    for event in surplus:
        if not any(event.answers(one) for one in expected):
            differences.append(f"event {_title(event)} is not expected")
        elif not allow_repeats:
            differences.append(f"event {_title(event)} came more often than expected")
    in_order = [place for place in places if place is not None]
    if in_order != sorted(in_order) or not differences:
        differences.append(f"the {len(found)} events are not in the expected order")
    return differences


def is_repeated_run(expected: list[_Event], found: list[_Event]) -> bool:
    """Whether `found` is `expected` in order, with any fresh starts from an earlier event, to the end.

    Equal events make more than one reading possible: the furthest can do whatever others can.
    """
    reached = 0
    for event in found:
        places = range(min(reached, len(expected) - 1), -1, -1)
        reached = next((place + 1 for place in places if event.answers(expected[place])), 0)
        if reached == 0:
            return False
    return reached == len(expected)


def canonical(value: Any) -> bytes:
    """JSON in which 1, 1.0 and true differ and the order of keys does not count."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= VALUE_SHOWN else text[: VALUE_SHOWN - 1] + "…"


def _event(event: dict[str, Any]) -> _Event:
    attributes = event.get("attributes") or {}
    return _Event(event["name"], event.get("time"), attributes, canonical([event["name"], attributes]))


def _places(expected: list[_Event], found: list[_Event]) -> list[int | None]:
    """For each expected event the first event found that answers it and answers no earlier one."""
    free = list(range(len(found)))
    places: list[int | None] = []
    for wanted in expected:
        place = next((place for place in free if found[place].answers(wanted)), None)
        if place is not None:
            free.remove(place)
        places.append(place)
    return places


def _changes(lacking: list[_Event], surplus: list[_Event]) -> Iterator[str]:
    """Tell of pairs that differ in time only or in attributes only, and take them out of both lists."""
    for wanted in tuple(lacking):
        twin = next((e for e in surplus if e.name == wanted.name and e.time == wanted.time), None)
        moved = next((e for e in surplus if e.content == wanted.content), None)
        if twin is not None:
            partner = twin
            yield from _attribute_changes(wanted, twin)
        elif moved is not None:
            partner = moved
            yield f"event {wanted.name} has time {moved.time}, expected {wanted.time}"
        else:
            continue
        lacking.remove(wanted)
        surplus.remove(partner)


def _attribute_changes(wanted: _Event, actual: _Event) -> Iterator[str]:
    for key in sorted(wanted.attributes.keys() | actual.attributes.keys()):
        has, wants = actual.attributes.get(key), wanted.attributes.get(key)
        if canonical(has) != canonical(wants):
            yield f"event {_title(wanted)}: attribute {key} is {show(has)}, expected {show(wants)}"


def _title(event: _Event) -> str:
    return event.name if event.time is None else f"{event.name} of {event.time}"
