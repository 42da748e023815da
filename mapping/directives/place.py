"""A place in a template: what its compilation knows there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from mapping.directives.errors import DirectiveFailed, TemplateProblem
from mapping.directives.undefined import UNDEFINED

Resolver = Callable[[Any], Any]
"""From what a template is applied to (the event, or an item of `@arrayPath`) to the value in its place."""


@dataclass(slots=True)
class Reads:
    """The top-level fields that a template reads of what it is applied to."""

    fields: set[str] = field(default_factory=set)
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a template. Problems of all places go to the same list."""

    path: str
    depth: int
    reads: Reads
    problems: list[TemplateProblem]
    compile_value: Callable[[Any, Place], Resolver]
    keeps_undefined: bool = False
    """Whether an object or array here keeps its UNDEFINED members, because `@merge` overwrites with them."""

    def below(self, key: str | int) -> Place:
        """The place of a member of an object, or of an item of an array. It keeps no UNDEFINED."""
        return replace(self, path=_joined(self.path, key), depth=self.depth + 1, keeps_undefined=False)

    def argument(self, name: str) -> Place:
        """The place of an argument of the directive here, whose value may become the directive's."""
        return replace(self.below(name), keeps_undefined=self.keeps_undefined)

    def keeping_undefined(self) -> Place:
        """The same place, with UNDEFINED members kept."""
        return replace(self, keeps_undefined=True)

    def on_another_root(self) -> Place:
        """The same place, applied to something else than the event."""
        return replace(self, reads=Reads())

    def compiled(self, template: Any) -> Resolver:
        """The resolver of the template that stands here."""
        return self.compile_value(template, self)

    def refused(self, message: str, suggestion: str) -> Resolver:
        """Note a problem. The resolver stands in for the one that there cannot be."""
        self.problems.append(TemplateProblem(self.path, message, suggestion))
        return undefined

    def failed(self, detail: str) -> DirectiveFailed:
        """The failure of the directive that stands here: its path ends with its name."""
        return DirectiveFailed(self.path.rpartition(".")[2], self.path, detail)


def undefined(_root: Any) -> Any:
    """The resolver of what is not there."""
    return UNDEFINED


def constant(value: Any) -> Resolver:
    """The resolver of a scalar."""
    return lambda _root: value


def _joined(path: str, key: str | int) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    if "." in key:
        return f"{path}[{key!r}]"
    return f"{path}.{key}" if path else key
