"""What can be wrong with a template, and with one event that it is applied to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class TemplateProblem(NamedTuple):
    """One thing that is wrong with a template."""

    path: str
    """Where it stands: `mapping.profileAttributes.email.@if.then`."""
    message: str
    """Completes the sentence that the path begins: `is not a directive`."""
    suggestion: str
    """A sentence that says what to do."""

    def __str__(self) -> str:
        return f"{self.path}: {self.message}. {self.suggestion}"


class TemplateError(ValueError):
    """The template cannot be used. `problems` holds everything that is wrong with it."""

    def __init__(self, problems: Iterable[TemplateProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class DirectiveFailed(Exception):
    """A directive cannot be resolved for this event. Nothing in it is a value of the event."""

    def __init__(self, directive: str, path: str, detail: str) -> None:
        self.directive = directive
        """`@path`, or `template` if it is not one directive that failed."""
        self.path = path
        self.detail = detail
        super().__init__(directive, path, detail)

    def __str__(self) -> str:
        return f"{self.path}: {self.directive} {self.detail}"
