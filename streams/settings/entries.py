"""A value that somebody gave to a setting, before it is checked, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, TypeAlias

from streams.settings.problems import Problem

RawValue: TypeAlias = str | list[str] | dict[str, str]


class Entry(NamedTuple):
    """One given value. For a secret in a file, `raw` is the file's content."""

    key: str
    raw: RawValue
    origin: str
    secret_file: Path | None = None


class Unset(NamedTuple):
    """A value of the file that comes from the environment, where there is none."""

    origin: str
    variables: tuple[str, ...]


class Reading(NamedTuple):
    """What one source gave: entries by key, and what was wrong with the rest of it."""

    entries: Mapping[str, Entry]
    problems: tuple[Problem, ...]
    readable: bool = True
    """False if the source as a whole could not be read."""
    warnings: tuple[Problem, ...] = ()
    unset: Mapping[str, Unset] = {}
    """Settings that have no value because environment variables that the file refers to are not set."""


def is_text(raw: RawValue) -> bool:
    """Whether the value is UTF-8 without NUL; an environment variable or an escape in YAML may not be."""
    parts = [raw] if isinstance(raw, str) else [*raw, *raw.values()] if isinstance(raw, dict) else raw
    text = "".join(parts)
    return "\0" not in text and text.encode(errors="replace").decode() == text


def read_secret(key: str, path: Path, origin: str) -> str | Problem:
    """The content of a secret's file without its last line break, or what is wrong with the file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = (error.strerror or "cannot be read") if isinstance(error, OSError) else "is not text"
        return Problem(
            key,
            str(path),
            f"names a file that cannot be read: {why}",
            "Mount the secret there, readable for this user, or correct the path.",
            origin,
        )
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret:
        return Problem(
            key, str(path), "names a file that is empty", "Write the secret into the file.", origin
        )
    return secret
