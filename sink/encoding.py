"""The wire form of an update, as posted to Batch (Batch, Profile API, "Update": `EditProfile`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from mapping.profile import ArrayDelta, AttributeValue, DateString, UrlString
from sink.coalescer import PendingUpdate


def encode_attributes(attributes: Mapping[str, AttributeValue]) -> dict[str, Any]:
    """Attributes by wire name: `date(x)`, `url(x)` or `x`."""
    return dict(_wire_form(name, value) for name, value in attributes.items())


def bare_name(wire_name: str) -> str:
    """The attribute's name without its form."""
    return wire_name.removesuffix(")").removeprefix("date(").removeprefix("url(")


def encode_update(update: PendingUpdate) -> bytes:
    """One item of the posted array."""
    attributes = events = b""
    if update.attributes:
        attributes = b',"attributes":' + _attributes_json(update.attributes)
    if update.events:
        events = b',"events":[' + b",".join([event.body for event, _ in update.events]) + b"]"
    custom_id = orjson.dumps(update.custom_id)
    return b'{"identifiers":{"custom_id":%b}%b%b}' % (custom_id, attributes, events)


def _attributes_json(attributes: Mapping[str, AttributeValue]) -> bytes:
    try:
        return orjson.dumps(attributes, option=orjson.OPT_PASSTHROUGH_SUBCLASS)
    except orjson.JSONEncodeError:  # an attribute's type is one of ours: it has a form of its own
        return orjson.dumps(encode_attributes(attributes))


def _wire_form(name: str, value: AttributeValue) -> tuple[str, Any]:
    if isinstance(value, DateString):
        return f"date({name})", value
    if isinstance(value, UrlString):
        return f"url({name})", value
    if isinstance(value, ArrayDelta):
        sides = {"$add": value.add, "$remove": value.remove}
        return name, {side: items for side, items in sides.items() if items}
    return name, value
