"""The wire form of an update, as posted to Batch (Batch, Profile API, "Update": `EditProfile`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from mapping.profile import ArrayDelta, AttributeValue, DateString, UrlString
from sink.coalescer import PendingUpdate

_OWN_FORMS = frozenset((DateString, UrlString, ArrayDelta))
"""Types whose values, or the names before them, are written in a form of their own."""


def encode_attributes(attributes: Mapping[str, AttributeValue]) -> Mapping[str, Any]:
    """Attributes by wire name: `date(x)`, `url(x)` or `x`."""
    if _OWN_FORMS.isdisjoint(map(type, attributes.values())):
        return attributes
    wire: dict[str, Any] = {}
    for name, value in attributes.items():
        kind = type(value)
        if kind is DateString:
            wire[f"date({name})"] = value
        elif kind is UrlString:
            wire[f"url({name})"] = value
        elif isinstance(value, ArrayDelta):
            sides = {"$add": value.add, "$remove": value.remove}
            wire[name] = {side: items for side, items in sides.items() if items}
        else:
            wire[name] = value
    return wire


def bare_name(wire_name: str) -> str:
    """The attribute's name without its form."""
    return wire_name.removesuffix(")").removeprefix("date(").removeprefix("url(")


def encode_update(update: PendingUpdate) -> bytes:
    """One item of the posted array."""
    attributes = events = b""
    if update.attributes:
        attributes = b',"attributes":' + orjson.dumps(encode_attributes(update.attributes))
    if update.events:
        events = b',"events":[' + b",".join([event.body for event, _ in update.events]) + b"]"
    custom_id = orjson.dumps(update.custom_id)
    return b'{"identifiers":{"custom_id":%b}%b%b}' % (custom_id, attributes, events)
