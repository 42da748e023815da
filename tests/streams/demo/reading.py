"""A second reading of the rules, for checking the generator: from the record to what delivering it must do.

Written from the rules in `docs/`, for the kinds of record that the generator makes. It shares nothing with
the generator, which writes expectations down without looking at records, nor with the mapping.
"""

from __future__ import annotations

import json
import math
import re
from datetime import datetime, timedelta
from typing import Any

from streams.demo.records import Expectation, accepted, dead_lettered, skipped

Values = dict[str, Any]

JUNK = {
    "undefined",
    "null",
    "nil",
    "(null)",
    "[object object]",
    "true",
    "false",
    "nan",
    "infinity",
    "-infinity",
}
NATIVE = {
    "email": ("$email_address", r"[a-z0-9._+-]+@[a-z0-9-]+(\.[a-z0-9-]+)+"),
    "phone": ("$phone_number", r"\+[0-9]{1,15}"),
    "email_marketing": ("$email_marketing", r"subscribed|unsubscribed"),
    "sms_marketing": ("$sms_marketing", r"subscribed|unsubscribed"),
}
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3,6})?Z")
URL = re.compile(r"https?://[^\s/$.?#].\S*", re.IGNORECASE)


def read(value: bytes | None, now: datetime) -> Expectation:
    if value is None:
        return skipped("tombstone")
    try:
        event = json.loads(value)
    except ValueError:
        return dead_lettered("invalid_json")
    if not _allowed(event.get("integrations") or {}):
        return skipped("filtered_by_integrations")
    if event["type"] not in ("identify", "track"):
        return skipped("no_matching_mapping")
    if event.get("userId") is None:
        return skipped("no_user_id")
    custom_id = str(event["userId"])
    if not custom_id.strip():
        return dead_lettered("blank_user_id")
    if custom_id.lower() in JUNK:
        return dead_lettered("junk_user_id")
    attributes = _natives(event)
    membership = _membership(event)
    if membership:
        return accepted(custom_id, attributes | membership)
    if event["type"] == "identify":
        return accepted(custom_id, attributes | _attributes(event["traits"], NATIVE.keys()))
    if datetime.fromisoformat(event["timestamp"]) < now - timedelta(hours=24):
        return Expectation(
            "dead_lettered", "event_too_old", custom_id if attributes else None, attributes, []
        )
    name = re.sub(r"[^a-z0-9_]", "_", event["event"].lower())
    happened = {
        "name": name,
        "time": event["timestamp"],
        "attributes": _event_attributes(event["properties"]),
    }
    return accepted(custom_id, attributes, [happened])


def _allowed(integrations: Values) -> bool:
    for name in ("Batch (Actions)", "Kafka"):
        if name in integrations:
            return integrations[name] is not False
    return integrations.get("All", True) is not False


def _natives(event: Values) -> Values:
    context = event["context"]
    found: Values = {}
    for trait, (native, pattern) in NATIVE.items():
        places = [place for place in (context.get("traits"), event.get("traits")) if place and trait in place]
        if not places:
            continue
        values = [place[trait] for place in places if place[trait] is not None]
        value = values[0] if values else None
        if value is None or (value == "reset" and trait.endswith("marketing")):
            found[native] = None
        elif re.fullmatch(pattern, value):
            found[native] = value
    if "locale" in context:
        language, *rest = re.split("[-_]", context["locale"])
        found["$language"] = language.lower()
        if rest:
            found["$region"] = rest[-1].upper()
    if "timezone" in context and context["timezone"].split("/")[0] in (
        "Europe",
        "America",
        "Asia",
        "Australia",
    ):
        found["$timezone"] = context["timezone"]
    return found


def _membership(event: Values) -> Values:
    """The membership of an Engage track; an identify's is like any other trait, but for "true"."""
    personas = event["context"].get("personas")
    if not personas or personas["computation_class"] not in ("audience", "journey_step"):
        return {}
    key = personas["computation_key"]
    values = event["traits"] if event["type"] == "identify" else event["properties"]
    others = _attributes(event.get("traits") or {}, NATIVE.keys())
    return others | {key: values[key] in (True, "true")}


def _attributes(traits: Values, natives: Any) -> Values:
    found: dict[str, tuple[str, Any]] = {}
    for key, value in traits.items():
        bare = re.sub(r"[^a-z0-9_]", "", key.lower())
        if key in natives or not bare or not _storable(value):
            continue
        found[bare] = _wire(bare, value)
    return dict(found.values())


def _storable(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= 300
    if isinstance(value, list):
        return len(value) <= 25 and all(isinstance(item, str) for item in value)
    return not isinstance(value, dict) and not (isinstance(value, float) and not math.isfinite(value))


def _event_attributes(properties: Values) -> Values:
    wired = [
        _wire(re.sub(r"[^a-z0-9_]", "", key.lower()), value)
        for key, value in properties.items()
        if value is not None
    ]
    return dict(wired)


def _wire(name: str, value: Any) -> tuple[str, Any]:
    if isinstance(value, str):
        form = "date({})" if DATE.fullmatch(value) else "url({})" if URL.fullmatch(value) else "{}"
        return form.format(name), re.sub("[\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, float) and value.is_integer():
        return name, int(value)
    if isinstance(value, dict):
        return name, _event_attributes(value)
    if isinstance(value, list):
        return name, [_event_attributes(item) if isinstance(item, dict) else item for item in value]
    return name, value
