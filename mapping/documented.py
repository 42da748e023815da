"""An update in the shape that Segment's document on "Batch (Actions)" shows, for people to compare."""

from __future__ import annotations

from typing import Any, NamedTuple

from mapping.draft import Draft
from mapping.event_attributes import bare_key
from mapping.naming import names_as_they_came
from mapping.preset import UpdateProfile
from mapping.profile import ArrayDelta, AttributeValue, FieldProblem, Rejected, Skipped
from mapping.read import read_record
from mapping.settings import MappingSettings


class Documented(NamedTuple):
    update: dict[str, Any]
    """`identifiers`, `attributes` if there are any, `event` with `name` and `attributes` if there is one."""
    problems: tuple[FieldProblem, ...]


def documented(record: bytes | None, settings: MappingSettings) -> Documented | Skipped | Rejected:
    """The update with names as they came, before folding, and no time. Never raises."""
    preset = UpdateProfile(settings, names_as_they_came(), bare_key)

    def map_event(event: dict[str, Any], problems: list[FieldProblem]) -> Documented | Skipped | Rejected:
        draft = preset.draft(event, problems)
        if not isinstance(draft, Draft):
            return draft._replace(problems=tuple(problems)) if problems else draft
        update = _documented_update(draft)
        if len(update) == 1:
            return Skipped("nothing_to_send", tuple(problems))
        return Documented(update, tuple(problems))

    return read_record(map_event, record)


def _documented_update(draft: Draft) -> dict[str, Any]:
    update: dict[str, Any] = {"identifiers": {"custom_id": draft.custom_id}}
    if draft.attributes:
        update["attributes"] = {name: _plain(value) for name, value in draft.attributes.items()}
    if draft.event is not None:
        update["event"] = {"name": draft.event}
        if draft.event_attributes:
            update["event"]["attributes"] = draft.event_attributes
    return update


def _plain(value: AttributeValue) -> Any:
    if isinstance(value, ArrayDelta):
        sides = {"$add": list(value.add), "$remove": list(value.remove)}
        return {key: items for key, items in sides.items() if items}
    return value
