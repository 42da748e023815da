"""Batch's messages may quote what was sent. What people read of them must not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from sink.coalescer import PendingUpdate

MASK = "***"
LONGEST_MESSAGE = 1024
SHORTEST_VALUE = 3

_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`|«[^»]*»|“[^”]*”")
_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"']+@[^\s@<>()\[\],;:\"']+")
_NUMBER = re.compile(r"\+?\d[\d .\-/]{5,}\d")


def mask_message(message: str, updates: Iterable[PendingUpdate] = ()) -> str:
    """The message without quoted text, addresses, long numbers and values of the updates it speaks of."""
    if not message:
        return ""
    masked = message
    for value in sorted({v for update in updates for v in _values(update)}, key=len, reverse=True):
        if value in masked:
            masked = masked.replace(value, MASK)
    masked = _NUMBER.sub(MASK, _ADDRESS.sub(MASK, _QUOTED.sub(MASK, masked)))
    return masked[:LONGEST_MESSAGE]


def _values(update: PendingUpdate) -> Iterator[str]:
    yield from _strings(update.custom_id)
    for value in update.attributes.values():
        yield from _strings(value)
    for event, _ in update.events:
        yield from _strings(orjson.loads(event.body).get("attributes"))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) >= SHORTEST_VALUE:
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, int | float) and not isinstance(value, bool) and len(str(value)) >= SHORTEST_VALUE:
        yield str(value)
