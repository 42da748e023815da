"""Record bytes to a Python value: orjson first, the standard library for what orjson refuses."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from mapping.numbers import INTEGER_LIMIT, WrittenFloat
from mapping.profile import FieldProblem

_DIGITS_LIMIT = 4_000
"""Python converts no more than 4,300 digits; this many are out of any range, and longer than any user id."""


class Decoded(NamedTuple):
    value: Any
    problems: list[FieldProblem]
    """`lone_surrogate`, once for each string that had one or more."""


def decode_exactly(record: bytes | str, takes_constants: bool = True) -> Decoded:
    """Decode with the standard library, slowly, losing no digit of an integer.

    `NaN` and `Infinity`, which JSON does not have, are taken or refused. Lone surrogates become U+FFFD. Plain
    floats are within 64 bits; others come as WrittenFloat. Raises ValueError (json.JSONDecodeError,
    UnicodeDecodeError) or RecursionError for what cannot be read.
    """
    constant = WrittenFloat if takes_constants else _refuse
    value = json.loads(record, parse_float=_float, parse_int=_integer, parse_constant=constant)
    problems: list[FieldProblem] = []
    return Decoded(_without_surrogates(value, "", problems), problems)


def _float(digits: str) -> float:
    value = float(digits)
    return value if -INTEGER_LIMIT < value < INTEGER_LIMIT else WrittenFloat(value)


def _integer(digits: str) -> int:
    return int(digits[:_DIGITS_LIMIT])


def _refuse(constant: str) -> None:
    raise ValueError(f"JSON has no {constant}")


def _without_surrogates(value: Any, path: str, problems: list[FieldProblem]) -> Any:
    if isinstance(value, str):
        return _readable(value, path, problems)
    if isinstance(value, list):
        return [_without_surrogates(item, path, problems) for item in value]
    if isinstance(value, dict):
        return {
            _readable(key, path, problems): _without_surrogates(member, _below(path, key), problems)
            for key, member in value.items()
        }
    return value


def _readable(text: str, path: str, problems: list[FieldProblem]) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        problems.append(FieldProblem(path, "lone_surrogate"))
        return surrogates_replaced(text)
    return text


def surrogates_replaced(text: str) -> str:
    """Surrogates that came as a pair are one character; each one left alone becomes U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _below(path: str, key: str) -> str:
    return surrogates_replaced(f"{path}.{key}" if path else key)
