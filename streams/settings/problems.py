"""What can be wrong with a configuration, said to a person: every problem at once, each with what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing that is wrong. `value` is masked already; None where there is none to show."""

    key: str
    """The setting's dotted key, the environment variable, or the file that is wrong."""
    value: str | None
    message: str
    """Completes the sentence that the key begins: `is not a whole number`."""
    remedy: str
    """A sentence that says what to do."""
    origin: str | None = None
    """Where the value stands: `file segbatch.yaml:12` or `environment SEGBATCH_…`."""

    def __str__(self) -> str:
        value = "" if self.value is None else f" = {self.value!r}"
        origin = "" if self.origin is None else f" ({self.origin})"
        return f"{self.key}{value}{origin}: {self.message}.\n    {self.remedy}"


class ConfigurationError(Exception):
    """The configuration cannot be used. `str()` is one readable block that lists every problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        count = len(self.problems)
        head = (
            "The configuration has 1 problem:" if count == 1 else f"The configuration has {count} problems:"
        )
        return "\n\n".join([head, *(f"  {problem}" for problem in self.problems)])


class SettingError(ValueError):
    """A value that a setting cannot have; raised by the checks of `values.py`, never with a secret in it."""

    def __init__(self, message: str, remedy: str) -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(message)
