"""Texts that were found good: users and their addresses come again and again, and a rule need not be asked twice."""

from __future__ import annotations

REMEMBERED = 50_000


class SeenTexts(set[str]):
    """A set that starts anew when it has grown to 50,000 texts."""

    def add(self, text: str) -> None:
        """Remember a text."""
        if len(self) >= REMEMBERED:
            self.clear()
        super().add(text)
