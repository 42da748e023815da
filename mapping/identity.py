"""Whose profile an event is about: Segment's `userId` is Batch's `custom_id`."""

from __future__ import annotations

from typing import Any

from mapping.numbers import WrittenFloat, number_text
from mapping.profile import Rejected, Skipped

CUSTOM_ID_LIMIT = 512
"""Characters: within every limit that Batch's pages and SDKs name."""

_JUNK = frozenset(
    ("undefined", "null", "nil", "(null)", "[object object]", "true", "false", "nan", "infinity", "-infinity")
)
"""What broken code sends for a user id; Batch's SDKs refuse the same list ("Custom user ID")."""
_JUNK_LENGTH = max(map(len, _JUNK))


def custom_id(user_id: Any) -> str | Skipped | Rejected:
    """The id exactly as it came, a number as JavaScript would write it. Raises DigitsLost."""
    if type(user_id) is str:
        text = user_id
    elif user_id is None:
        return Skipped("no_user_id")
    elif type(user_id) in (int, float, WrittenFloat):
        text = number_text(user_id)
    else:
        return Rejected("user_id_not_a_string", "userId is neither a string nor a number")
    length = len(text)
    if length > CUSTOM_ID_LIMIT:
        return Rejected("user_id_too_long", f"userId has more than {CUSTOM_ID_LIMIT} characters")
    if not length or text.isspace():
        return Rejected("blank_user_id", "userId is empty or blank")
    if length <= _JUNK_LENGTH and text.strip().lower() in _JUNK:
        return Rejected("junk_user_id", "userId is a word that broken code sends instead of an id")
    return text
