"""`segbatch config show`: the effective settings and where each comes from, secrets masked."""

from __future__ import annotations

from typing import Any, NamedTuple

from streams.settings.keys import SETTINGS, value_of
from streams.settings.load import Loaded
from streams.settings.masking import shown


class Row(NamedTuple):
    """One effective setting. `value` is masked if it is a secret, empty if it is not set."""

    key: str
    value: str
    origin: str


def show_rows(loaded: Loaded) -> list[Row]:
    """Every setting, in the order of the reference page."""
    return [
        Row(
            key,
            shown(
                value_of(loaded.settings, key),
                secret=setting.secret,
                mask_entries=key == "kafka.librdkafka",
            ),
            loaded.origins[key],
        )
        for key, setting in SETTINGS.items()
    ]


def show(loaded: Loaded) -> str:
    """The rows as aligned plain text: key, value, origin."""
    rows = [Row("setting", "value", "from"), *show_rows(loaded)]
    key_width = max(len(row.key) for row in rows)
    value_width = max(len(row.value) for row in rows)
    lines = (f"{row.key:{key_width}}  {row.value:{value_width}}  {row.origin}" for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def show_json(loaded: Loaded) -> dict[str, Any]:
    """The rows for `--json`: `{key: {"value": …, "origin": …}}`, values as text."""
    return {row.key: {"value": row.value, "origin": row.origin} for row in show_rows(loaded)}
