"""What is different between the profiles Batch should hold and those it holds, in plain words.

The values shown are those of the profiles: use it on invented data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from streams.demo.event_comparison import canonical, event_differences, show
from streams.demo.expected import ExpectedState

DIFFERENCES_SHOWN = 20


class Comparison(NamedTuple):
    """`differences` is empty if all is as expected; `repeats` counts events that were delivered again."""

    differences: list[str]
    repeats: int


def compare(
    expected: ExpectedState,
    actual: Iterable[dict[str, Any]],
    *,
    allow_repeats: bool = False,
    shown: int = DIFFERENCES_SHOWN,
) -> list[str]:
    """The differences, one sentence each, at most `shown` and then a count of the rest; [] if there are none.

    `actual` are the lines of the sandbox's `GET /_sandbox/profiles`. Values are compared as JSON: 1, 1.0 and
    true differ. `allow_repeats` as in `examine`.
    """
    differences = examine(expected, actual, allow_repeats=allow_repeats).differences
    if len(differences) <= shown:
        return differences
    return [*differences[:shown], f"and {len(differences) - shown} more"]


def examine(
    expected: ExpectedState, actual: Iterable[dict[str, Any]], *, allow_repeats: bool = False
) -> Comparison:
    """All differences, and how many events came more than once.

    With `allow_repeats` the events of a profile may start again from an earlier one, as often as they like,
    provided that they then go on in order to the end: what at-least-once delivery does after a worker died.
    Without, a repeat is a difference.
    """
    differences: list[str] = []
    repeats = 0
    missing = expected.profiles
    seen: set[str] = set()
    for profile in actual:
        custom_id = profile["custom_id"]
        wanted = missing.pop(custom_id, None)
        if wanted is None:
            problem = "is listed twice" if custom_id in seen else "is not expected"
            differences.append(f"profile {custom_id} {problem}")
            continue
        seen.add(custom_id)
        events = profile.get("events") or []
        found = [
            *_attribute_differences(wanted["attributes"], profile.get("attributes") or {}),
            *event_differences(wanted["events"], events, allow_repeats=allow_repeats),
        ]
        differences.extend(f"profile {custom_id}: {difference}" for difference in found)
        repeats += max(0, len(events) - len(wanted["events"]))
    differences.extend(f"profile {custom_id} is missing" for custom_id in missing)
    return Comparison(differences, repeats if allow_repeats else 0)


def _attribute_differences(wanted: dict[str, Any], actual: dict[str, Any]) -> Iterator[str]:
    if canonical(wanted) == canonical(actual):
        return
    for key in sorted(wanted.keys() | actual.keys()):
        if key not in actual:
            yield f"attribute {key} is missing, expected {show(wanted[key])}"
        elif key not in wanted:
            yield f"attribute {key} is {show(actual[key])}, expected none"
        elif canonical(actual[key]) != canonical(wanted[key]):
            yield f"attribute {key} is {show(actual[key])}, expected {show(wanted[key])}"
