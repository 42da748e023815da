"""Names as Batch takes them, `[a-z0-9_]{1,30}`, from those that traits, properties and events come with."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from base64 import b32encode
from collections.abc import Callable, Mapping
from typing import NamedTuple

from mapping.natives import NATIVE_SLOTS, RESERVED_NAMES, TRAIT_NATIVES
from mapping.settings import MappingSettings

NAME_LIMIT = 30
"""Characters of an attribute's or event's name (Batch, Profile API, "Attributes")."""

_HASH_BYTES = 5
_KEPT = NAME_LIMIT - len("_") - 8
_REMEMBERED_NAMES = 20_000
_REMEMBERED_KEY_LENGTH = 200

_NOT_ALLOWED = re.compile(r"[^a-z0-9_]")
_ALLOWED = re.compile(r"[a-z0-9_]+")
_COMBINING_MARK = re.compile(r"[\u0300-\u036f]")
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_A_WORD = re.compile(r"[^a-z0-9]+")


class NameTable(dict[str, str]):
    """`table[key]` is the key's name; one that is "" cannot be sent. Remembers a bounded number of names."""

    def __init__(self, rule: Callable[[str], str], chosen: Mapping[str, str]) -> None:
        super().__init__(chosen)
        self._rule = rule
        self._chosen = chosen

    def __missing__(self, key: str) -> str:
        name = self._rule(key)
        if len(key) <= _REMEMBERED_KEY_LENGTH:
            if len(self) >= _REMEMBERED_NAMES + len(self._chosen):
                self.clear()
                self.update(self._chosen)
            self[key] = name
        return name


class Names(NamedTuple):
    attribute: NameTable
    event: NameTable
    trait: NameTable
    """As `attribute`, but "" for the traits that are native attributes, and for names that Batch reserves."""
    slot: NameTable
    """As `attribute`, but "" for the native attributes of Batch, with or without `$`, and for names it reserves."""


def compile_names(settings: MappingSettings) -> Names:
    """The tables for `settings.naming`, with `settings.names` before any rule."""
    if settings.naming == "snake":
        return _tables(snake_name, snake_name, settings.names)
    return _tables(attribute_name, event_name, settings.names)


def names_as_they_came() -> Names:
    """The tables that change nothing, for the form that Segment's document shows."""
    return _tables(str, str, {})


def _tables(attribute: Callable[[str], str], event: Callable[[str], str], chosen: Mapping[str, str]) -> Names:
    not_traits = dict.fromkeys((*TRAIT_NATIVES, *RESERVED_NAMES), "")
    slots = dict.fromkeys((*RESERVED_NAMES, *NATIVE_SLOTS), "")
    return Names(
        NameTable(attribute, chosen),
        NameTable(event, chosen),
        NameTable(attribute, {**chosen, **not_traits}),
        NameTable(attribute, {**chosen, **slots}),
    )


def attribute_name(key: str) -> str:
    """Segment's rule for attribute keys: lower case, everything but `[a-z0-9_]` deleted."""
    return shortened(_NOT_ALLOWED.sub("", key.lower()))


def event_name(name: str) -> str:
    """Segment's rule for event names: lower case, every UTF-16 unit outside `[a-z0-9_]` becomes `_`."""
    return shortened(_NOT_ALLOWED.sub(lambda found: "__" if found[0] > "\uffff" else "_", name.lower()))


def snake_name(key: str) -> str:
    """`firstName`, `First name` and `first-name` are `first_name`; a name that is legal already is kept."""
    if _ALLOWED.fullmatch(key):
        return shortened(key)
    plain = _COMBINING_MARK.sub("", unicodedata.normalize("NFKD", key))
    words = _WORD_START.sub("_", plain).lower()
    return shortened(_NOT_A_WORD.sub("_", words).strip("_"))


def shortened(name: str) -> str:
    """A long name keeps its first 21 characters and ends with 40 bits of its BLAKE2b hash, in base 32."""
    if len(name) <= NAME_LIMIT:
        return name
    digest = hashlib.blake2b(name.encode(), digest_size=_HASH_BYTES).digest()
    return f"{name[:_KEPT]}_{b32encode(digest).decode().lower()}"
