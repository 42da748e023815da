"""A place in a template: what its compilation knows there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from mapping.directives.errors import DirectiveFailed, TemplateProblem
from mapping.directives.generate import resolver_of
from mapping.directives.shapes import NOTHING, Constant, Resolver, Shape


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
    shape_of: Callable[[Any, Place], Shape]
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

    def shape(self, template: Any) -> Shape:
        """The shape of the template that stands here."""
        return self.shape_of(template, self)

    def compiled(self, template: Any) -> Resolver:
        """The function of the template that stands here."""
        return resolver_of(self.shape(template))

    def refused(self, message: str, suggestion: str) -> Constant:
        """Note a problem. The shape stands in for the one that there cannot be."""
        self.problems.append(TemplateProblem(self.path, message, suggestion))
        return NOTHING

    def failed(self, detail: str) -> DirectiveFailed:
        """The failure of the directive that stands here: its path ends with its name."""
        return DirectiveFailed(self.path.rpartition(".")[2], self.path, detail)


def _joined(path: str, key: str | int) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    if "." in key:
        return f"{path}[{key!r}]"
    return f"{path}.{key}" if path else key
