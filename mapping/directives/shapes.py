"""What templates are made of, before it becomes a function: the usual shapes, and functions for all else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from mapping.directives.lookup import Keys
from mapping.directives.undefined import UNDEFINED

Resolver = Callable[[Any], Any]
"""From what a template is applied to (the event, or an item of `@arrayPath`) to the value in its place."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A scalar, or UNDEFINED."""

    value: Any


@dataclass(frozen=True, slots=True)
class Path:
    """The value at the keys; without keys, all that the template is applied to."""

    keys: Keys


@dataclass(frozen=True, slots=True)
class IfExists:
    """`then` if the value is neither UNDEFINED nor null; else `otherwise`."""

    value: Shape
    then: Shape
    otherwise: Shape


@dataclass(frozen=True, slots=True)
class Object:
    """An object of members, without those that are UNDEFINED unless they are kept for a merge."""

    members: tuple[tuple[str, Shape], ...]
    keeps_undefined: bool = False


@dataclass(frozen=True, slots=True)
class Merge:
    """The members of several values in one object, the later ones over the earlier; a member that ends as UNDEFINED is
    left out unless it is kept for a merge around this one."""

    sources: tuple[Shape, ...]
    keeps_undefined: bool = False


Shape: TypeAlias = Constant | Path | IfExists | Object | Merge | Resolver

NOTHING = Constant(UNDEFINED)
