"""What one backfill is to do: fixed when it starts, and the same when it is resumed."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, fields
from typing import Any

import orjson

DEFAULT_TYPES = ("identify",)
TYPES = ("identify", "group", "alias", "page", "screen", "track")
DEFAULT_MEMORY_MB = 512
LEAST_MEMORY_MB = 256
DEFAULT_SETTLE_S = 300.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A backfill's range and how it is sent."""

    id: str
    made_at: float
    """Seconds since 1970."""
    files: tuple[str, ...] = ()
    """Paths, folders, globs and URLs, as given."""
    topics: tuple[str, ...] = ()
    """Topics whose records are the history, in this order, after all files."""
    live_topics: tuple[str, ...] = ()
    """Topics that the workers deliver from: what they say wins."""
    from_ms: int | None = None
    to_ms: int | None = None
    """Milliseconds since 1970; the range is from `from_ms` until just before `to_ms`. None: everything; now."""
    types: tuple[str, ...] = DEFAULT_TYPES
    sources: tuple[str, ...] = ()
    """Values of `projectId` or `writeKey`; none given: all."""
    where: str | None = None
    mappings: str | None = None
    rate_per_s: float = 0.0
    settle_s: float = DEFAULT_SETTLE_S
    memory_mb: int = DEFAULT_MEMORY_MB

    def as_json(self) -> dict[str, Any]:
        """For the state, and for `show`."""
        return asdict(self)

    @property
    def range_key(self) -> str:
        """Equal for two backfills of the same range."""
        named = (
            self.files,
            self.topics,
            self.from_ms,
            self.to_ms,
            self.types,
            self.sources,
            self.where,
            self.mappings,
        )
        return hashlib.sha256(orjson.dumps(named)).hexdigest()


def read_plan(stored: dict[str, Any]) -> Plan:
    """The plan that `as_json` told of."""
    lists = {"files", "topics", "live_topics", "types", "sources"}
    known = {field.name for field in fields(Plan)}
    values: dict[str, Any] = {
        key: tuple(value) if key in lists else value for key, value in stored.items() if key in known
    }
    return Plan(**values)
