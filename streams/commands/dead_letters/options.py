"""Which letters a command is about: by reason, time, mapping, partition and user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from streams.commands.dead_letters.users import IsUsers, letters_of
from streams.commands.moments import read_moment
from streams.commands.options import fail
from streams.letter import Letter
from streams.records import Message

_CHOICE = "Which letters"

Topic = Annotated[
    str | None, typer.Option(metavar="NAME", help="The dead-letter topic; else those of kafka.topics.")
]
Reasons = Annotated[
    list[str] | None,
    typer.Option("--reason", metavar="WORD", help="With this reason; repeatable.", rich_help_panel=_CHOICE),
]
Mappings = Annotated[
    list[str] | None,
    typer.Option(
        "--mapping",
        metavar="NAME",
        help="Of records that this mapping matched; repeatable.",
        rich_help_panel=_CHOICE,
    ),
]
Partitions = Annotated[
    list[int] | None,
    typer.Option(
        "--partition",
        metavar="NUMBER",
        help="In this partition of the dead-letter topic; repeatable.",
        rich_help_panel=_CHOICE,
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="TIME",
        help="Failed at this time or later (ISO 8601, UTC if it names no zone).",
        rich_help_panel=_CHOICE,
    ),
]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="TIME", help="Failed before this time.", rich_help_panel=_CHOICE),
]
User = Annotated[
    str | None,
    typer.Option(
        "--user",
        metavar="ID",
        help="Of this user: it is the key, userId or previousId, as for purge.",
        rich_help_panel=_CHOICE,
    ),
]


@dataclass(frozen=True, slots=True)
class Selection:
    """What letters have to be like; no words, or None, ask for nothing."""

    reasons: Sequence[str] = ()
    mappings: Sequence[str] = ()
    partitions: Sequence[int] = ()
    from_ms: float | None = None
    """Milliseconds since 1970."""
    to_ms: float | None = None
    is_users: IsUsers | None = None
    """Whether a letter is of the user who is asked for."""

    def takes(self, letter: Letter, message: Message) -> bool:
        """Whether the letter is meant. The partition is judged by who reads it."""
        if self.reasons and letter.reason not in self.reasons:
            return False
        if self.mappings and not set(self.mappings) & set(letter.mappings):
            return False
        if self.is_users is not None and not self.is_users(message):
            return False
        if self.from_ms is None and self.to_ms is None:
            return True
        failed_ms = read_moment(letter.failed_at)
        if failed_ms is None:
            failed_ms = message.timestamp()[1]
        after = self.from_ms is None or failed_ms >= self.from_ms
        return after and (self.to_ms is None or failed_ms < self.to_ms)


def selection(
    reasons: list[str] | None,
    mappings: list[str] | None,
    partitions: list[int] | None,
    from_: str | None,
    to: str | None,
    user: str | None,
) -> Selection:
    """The selection that the options ask for; ends the command if a time cannot be read, or the user is empty."""
    if user == "":
        fail("dead-letters: --user must not be empty")
    return Selection(
        tuple(reasons or ()),
        tuple(mappings or ()),
        tuple(partitions or ()),
        _moment("--from", from_),
        _moment("--to", to),
        None if user is None else letters_of(user),
    )


def _moment(option: str, text: str | None) -> float | None:
    if text is None:
        return None
    moment = read_moment(text)
    if moment is None:
        fail(f"dead-letters: {option} {text!r} is not an ISO 8601 time such as 2026-01-31T08:00:00Z")
    return moment
