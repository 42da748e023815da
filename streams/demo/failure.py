"""How a demonstration fails."""

from __future__ import annotations

from typing import Protocol


class Blamed(Protocol):
    """A process that may have caused it."""

    name: str

    def last_lines(self, count: int) -> list[str]:
        """The end of its log."""


class DemoFailed(Exception):
    """The demonstration cannot go on. `child` is the process to blame, if one is."""

    def __init__(self, message: str, child: Blamed | None = None) -> None:
        super().__init__(message)
        self.child = child
