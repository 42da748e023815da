"""Settings from environment variables: `SEGBATCH_KAFKA__BROKERS` is `kafka.brokers`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from streams.settings.entries import Entry, Reading, read_secret
from streams.settings.keys import (
    ENVIRONMENT_PREFIX,
    SECRET_FILE_KEYS,
    SETTINGS,
    environment_name,
)
from streams.settings.problems import Problem
from streams.settings.unknown_variables import UnknownVariable, unknown_variable

CONFIG_VARIABLE = "SEGBATCH_CONFIG"
_KEYS = {environment_name(key): key for key in (*SETTINGS, *SECRET_FILE_KEYS)}


def read_environment(environ: Mapping[str, str]) -> Reading:
    """The settings in the environment. An empty variable counts as unset.

    An unknown variable is a problem if it has `__` after the prefix, or is a setting's but for its underscores; else
    it is a warning, unless it is one that Kubernetes sets, such as SEGBATCH_SERVICE_HOST for a service called segbatch.
    """
    entries: dict[str, Entry] = {}
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for name in sorted(environ):
        key = _KEYS.get(name)
        if key is None:
            unknown = _unknown(name, environ[name])
            if unknown is not None:
                (problems if unknown.is_error else warnings).append(unknown.problem)
        elif key in SECRET_FILE_KEYS and environ[name]:
            found = _secret_entry(name, SECRET_FILE_KEYS[key], environ)
            if isinstance(found, Problem):
                problems.append(found)
            else:
                entries[found.key] = found
        elif environ[name] and key in SETTINGS:
            entries.setdefault(key, Entry(key, environ[name], f"environment {name}"))
    return Reading(entries, tuple(problems), warnings=tuple(warnings))


def setting_key(name: str) -> str:
    """The setting that `name` means: a dotted key, the key of a secret's file, or a variable's name."""
    key = _KEYS.get(name, name)
    return SECRET_FILE_KEYS.get(key, key)


def _secret_entry(name: str, key: str, environ: Mapping[str, str]) -> Entry | Problem:
    direct = environment_name(key)
    if environ.get(direct):
        return Problem(name, environ[name], f"is set, and {direct} too", "Set only one of the two.")
    path = Path(environ[name])
    secret = read_secret(name, path, f"environment {name}")
    if isinstance(secret, Problem):
        return secret._replace(origin=None)
    return Entry(key, secret, f"environment {name} ({path})", path)


def _unknown(name: str, value: str) -> UnknownVariable | None:
    if not name.startswith(ENVIRONMENT_PREFIX) or name == CONFIG_VARIABLE:
        return None
    return unknown_variable(name, value, _KEYS)
