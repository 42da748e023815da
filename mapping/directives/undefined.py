"""JavaScript's `undefined`: what a template resolves to where there is nothing, as opposed to null."""

from __future__ import annotations

from typing import Final


class Undefined:
    """The type of UNDEFINED, the only instance. False, as in JavaScript."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Final = Undefined()


def or_null(value: object) -> object:
    """An item of an array: JSON has null in the place of an undefined one."""
    return None if value is UNDEFINED else value
