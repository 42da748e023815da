"""`${VAR}` and `${VAR:default}` in the values of the file; `$${` is a literal `${`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from streams.settings.problems import SettingError

_REFERENCE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::([^}]*))?\}|\$\{")


def variables(text: str) -> tuple[str, ...]:
    """The names of the variables that the text refers to, in order, each once."""
    return tuple(dict.fromkeys(match[1] for match in _REFERENCE.finditer(text) if match[1]))


def interpolate(text: str, environ: Mapping[str, str]) -> str:
    """The text with its references replaced. An empty variable counts as unset where there is a default.

    Raises SettingError for a variable that is unset and has no default, and for a malformed reference.
    """

    def replacement(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        name, default = match[1], match[2]
        if name is None:
            raise SettingError(
                "has a ${ that cannot be read", "Write ${VAR}, ${VAR:default}, or $${ for a plain ${."
            )
        if default is not None:
            return environ.get(name) or default
        if name not in environ:
            raise SettingError(
                f"refers to the environment variable {name}, which is not set",
                f"Set {name}, or give a default: ${{{name}:default}}.",
            )
        return environ[name]

    return _REFERENCE.sub(replacement, text)
