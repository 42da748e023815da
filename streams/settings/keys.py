"""The list of settings, read off the model: dotted key, environment variable, kind, unit, default."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from streams.settings.model import Settings

ENVIRONMENT_PREFIX = "SEGBATCH_"
FILE_SUFFIX = "_file"
Kind: TypeAlias = Literal["value", "list", "map"]


class Setting(NamedTuple):
    """One setting as people see it."""

    key: str
    """Dotted: `kafka.brokers`."""
    environment: str
    kind: Kind
    secret: bool
    unit: str
    default: Any
    meaning: str


def environment_name(key: str) -> str:
    """`kafka.brokers` → `SEGBATCH_KAFKA__BROKERS`."""
    return ENVIRONMENT_PREFIX + key.replace(".", "__").upper()


def _kind(annotation: Any) -> Kind:
    origin = get_origin(annotation)
    return "list" if origin is tuple else "map" if origin is dict else "value"


def _setting(key: str, field: FieldInfo) -> Setting:
    extra = field.json_schema_extra
    unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
    return Setting(
        key=key,
        environment=environment_name(key),
        kind=_kind(field.annotation),
        secret=SecretStr in get_args(field.annotation),
        unit=unit,
        default=field.default,
        meaning=field.description or "",
    )


def _settings_of(model: type[BaseModel], prefix: str) -> Iterator[Setting]:
    for name, field in model.model_fields.items():
        key = prefix + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _settings_of(field.annotation, f"{key}.")
        else:
            yield _setting(key, field)


SETTINGS: Mapping[str, Setting] = MappingProxyType({s.key: s for s in _settings_of(Settings, "")})
"""Every setting by its dotted key, in the model's order."""
SECTIONS: frozenset[str] = frozenset(key.rpartition(".")[0] for key in SETTINGS) - {""}
SECRET_FILE_KEYS: Mapping[str, str] = MappingProxyType(
    {key + FILE_SUFFIX: key for key, setting in SETTINGS.items() if setting.secret}
)
"""Keys that name a file with a secret, and the secret: `batch.project_key_file` → `batch.project_key`."""


def value_of(settings: Settings, key: str) -> Any:
    """The value at a dotted key."""
    value: Any = settings
    for name in key.split("."):
        value = getattr(value, name)
    return value


def suggestion(name: str, known: Collection[str]) -> str:
    """A sentence that names the known name most like `name`, or says where they are listed."""
    group, last = _split(name)
    siblings = [_split(other)[1] for other in known if _split(other)[0] == group]
    close = difflib.get_close_matches(last, siblings, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {group}{close[0]}?"
    elsewhere = sorted(other for other in known if _split(other)[1] == last)
    if elsewhere:
        return f"Did you mean {elsewhere[0]}?"
    return "Remove it; docs/settings.md lists the settings there are."


def _split(name: str) -> tuple[str, str]:
    """`kafka.brokers` → `kafka.`, `brokers`; `SEGBATCH_KAFKA__BROKERS` → `SEGBATCH_KAFKA__`, `BROKERS`."""
    separator = "__" if name.startswith(ENVIRONMENT_PREFIX) else "."
    group, found, last = name.rpartition(separator)
    return group + found, last
