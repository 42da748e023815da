"""How a rule says that it does not take a value."""

from __future__ import annotations


class Refused(Exception):
    """The value breaks a rule of Batch and costs its field. `reason` is of the list in docs/mapping.md."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
