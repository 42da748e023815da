"""Whose letter is it?"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from mapping.numbers import number_text
from mapping.profile import FieldProblem, Rejected, Skipped
from mapping.read import read_record
from streams.records import Message

_IDS = ("userId", "previousId")

IsUsers = Callable[[Message], bool]


def letters_of(user: str) -> IsUsers:
    """A function that says whether a message is about the user: its key, or `userId` or `previousId` of its value. In
    a value that cannot be read they are looked for as text."""
    named = re.compile(rb'"(?:userId|previousId)"\s*:\s*"?' + re.escape(user.encode()) + rb'["\s,}]')

    def is_users(message: Message) -> bool:
        if message.key() == user.encode():
            return True
        value = message.value()
        ids = read_record(_ids, value)
        if isinstance(ids, Rejected):
            return named.search(value or b"") is not None
        return not isinstance(ids, Skipped) and user in ids

    return is_users


def _ids(event: dict[str, Any], _: list[FieldProblem]) -> frozenset[str]:
    return frozenset(filter(None, (_id(event.get(name)) for name in _IDS)))


def _id(value: Any) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_text(value)
    return value if isinstance(value, str) else None
