"""What all contenders but segbatch make of an event: one update of one profile, and no rule of Batch's fields kept."""

from __future__ import annotations

from typing import Any

import orjson


def update_of(value: bytes) -> dict[str, Any] | None:
    """The profile update for a record's value; None for what Segment's preset does not send either."""
    event = orjson.loads(value)
    update = {"identifiers": {"custom_id": event["userId"]}}
    if event["type"] == "identify":
        update["attributes"] = event["traits"]
    elif event["type"] == "track":
        name = event["event"].lower().replace(" ", "_")
        update["events"] = [
            {"name": name, "time": event["timestamp"], "attributes": event["properties"]},
        ]
    else:
        return None
    return update
