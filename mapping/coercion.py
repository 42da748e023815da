"""Values where text is asked for, as Segment coerces them (actions-core: ajv with `coerceTypes`)."""

from __future__ import annotations

from typing import Any

from mapping.numbers import WrittenFloat, number_text


def text_of(value: Any) -> Any:
    """A number or boolean as JavaScript writes it; anything else as it is. Raises DigitsLost."""
    kind = type(value)
    if kind is str:
        return value
    if kind is bool:
        return "true" if value else "false"
    return number_text(value) if kind is int or kind is float or kind is WrittenFloat else value


def one_text(value: Any) -> Any:
    """As `text_of`, and a list of one is its item: for fields that take no null. Raises DigitsLost."""
    if type(value) is str:
        return value
    return text_of(value[0] if type(value) is list and len(value) == 1 else value)
