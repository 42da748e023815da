"""Batch's messages may quote what was sent. What people read of them must not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from sink.coalescer import PendingUpdate
from sink.encoding import bare_name

MASK = "***"
LONGEST_MESSAGE = 1024
LONGEST_READ = 16_384
"""Characters of a message that are looked at: what is cut off after that is not shown."""
SHORTEST_VALUE = 3
SHORTEST_PIECE = 5
"""Characters of a word that is taken for a piece of a value; shorter ones are in too many values by chance."""

_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`|«[^»]*»|“[^”]*”")
_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"']+@[^\s@<>()\[\],;:\"']+")
_NUMBER = re.compile(r"\+?\d[\d .\-/]{5,}\d")
_WORD = re.compile(rf"\w[^\s,;:\"'()\[\]{{}}…]{{{SHORTEST_PIECE - 2},}}\w")


class Masking:
    """What a call held, so that messages about it can be masked: Batch might quote any of its updates."""

    def __init__(self, updates: Iterable[PendingUpdate]) -> None:
        values = {value for update in updates for value in _values(update)}
        forms = {form for value in values for form in _forms(value)}
        self._forms = sorted(forms, key=len, reverse=True)
        self._everything = "\n".join(values).casefold()
        self._masked: dict[str, str] = {}

    def mask(self, message: str) -> str:
        """The message without quoted text, addresses, long numbers, and without values, or pieces of values, of the
        call: as they are, or as JSON writes them."""
        if message not in self._masked:
            self._masked[message] = self._mask(message)
        return self._masked[message]

    def _mask(self, message: str) -> str:
        masked = message[:LONGEST_READ]
        for form in self._forms:
            masked = masked.replace(form, MASK)
        masked = _NUMBER.sub(MASK, _ADDRESS.sub(MASK, _QUOTED.sub(MASK, masked)))
        masked = _WORD.sub(lambda word: MASK if word[0].casefold() in self._everything else word[0], masked)
        return masked[:LONGEST_MESSAGE]


def mask_message(message: str, updates: Iterable[PendingUpdate] = ()) -> str:
    """One message about a call with these updates, masked."""
    return Masking(updates).mask(message) if message else ""


def mask_attribute(name: str, update: PendingUpdate) -> str:
    """The attribute's name, if the update has it: Batch might name a value instead."""
    return name if bare_name(name) in update.attributes else MASK


def _forms(value: str) -> Iterator[str]:
    yield value
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]


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
