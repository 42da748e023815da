"""What is wrong with an expression, where, and what to write instead."""

from __future__ import annotations

from typing import NamedTuple

_SHOWN = 100
"""Characters of the line that are shown around the place."""


class Span(NamedTuple):
    """A part of the expression, by offsets from its start."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The part as written."""
        return text[self.start : self.end]


class Mistake(Exception):
    """What is wrong at an offset of an expression whose text is not at hand. Becomes an FqlError."""

    def __init__(self, message: str, offset: int, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.suggestion = suggestion


class FqlError(ValueError):
    """An expression that is no FQL. `str()` gives the message, the line with a caret, and the suggestion.

    `line` and `column` count from 1 within the expression; `suggestion` is None if there is none.
    """

    def __init__(self, message: str, text: str, offset: int, suggestion: str | None = None) -> None:
        start = text.rfind("\n", 0, offset) + 1
        end = text.find("\n", offset)
        self.message = message
        self.suggestion = suggestion
        self.line = text.count("\n", 0, offset) + 1
        self.column = offset - start + 1
        super().__init__(self._shown(text[start:] if end < 0 else text[start:end]))

    def _shown(self, line: str) -> str:
        left = max(0, self.column - 1 - _SHOWN // 2)
        part = "".join(
            character if character.isprintable() else " " for character in line[left : left + _SHOWN]
        )
        shown = f"line {self.line}, column {self.column}: {self.message}"
        if part.strip():
            shown += f"\n  {part}\n  {' ' * (self.column - 1 - left)}^"
        return f"{shown}\n  {self.suggestion}" if self.suggestion else shown
