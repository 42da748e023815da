"""What the sandbox remembers of the calls: totals, a log, and the things that a client must never do."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from sink.sandbox import formats

VIOLATIONS = (
    "same_profile_in_flight",
    "repeated_in_call",
    "repeated_attribute",
    "content_encoding",
    "content_type",
    "unknown_keys",
)
_UPDATE_KEYS = {"identifiers", "attributes", "events"}
_IDENTIFIER_KEYS = {"custom_id", "installation"}
_EVENT_KEYS = {"name", "time", "attributes"}


@dataclass(slots=True)
class Call:
    """One call, from its headers to its answer. `status` is None until then, and for good if it was cut."""

    received: float
    """Seconds of the event loop's clock."""
    time: str
    route: str
    headers: list[str]
    """Names only."""
    size: int = 0
    """Bytes of the body."""
    updates: int = 0
    events: int = 0
    ids: list[str] = field(default_factory=list)
    status: int | None = None
    code: str | None = None
    partial_errors: int = 0
    fault: str | None = None
    number: int = 0
    """Calls are numbered from 1, in order of arrival."""
    seconds: float | None = None
    """From the headers to the answer."""

    def shown(self) -> dict[str, Any]:
        """The call as `/_sandbox/calls` shows it."""
        shown = {name: getattr(self, name) for name in self.__slots__}
        del shown["received"]
        return shown


class Record:
    """Totals since the start or the last reset, and the last calls."""

    def __init__(self, log_size: int) -> None:
        self._log: deque[Call] = deque(maxlen=log_size)
        self.clear()

    def clear(self) -> None:
        """Start over."""
        self._log.clear()
        self.calls = 0
        self.updates = 0
        self.events = 0
        self.refused_429 = 0
        self.partial_errors = 0
        self.by_status: Counter[str] = Counter()
        self.violations: Counter[str] = Counter(dict.fromkeys(VIOLATIONS, 0))
        self._first_received: float | None = None
        self._last_accepted: float | None = None

    def received(self, call: Call, keep: bool) -> None:
        """A call's headers have arrived; `keep` puts it into the log."""
        self.calls += 1
        call.number = self.calls
        if self._first_received is None:
            self._first_received = call.received
        if keep:
            self._log.append(call)

    def accepted(self, call: Call, now: float) -> None:
        """A call was accepted; its counts are complete."""
        self.updates += call.updates
        self.events += call.events
        self.partial_errors += call.partial_errors
        self._last_accepted = now

    def answered(self, call: Call, now: float) -> None:
        """A call got its answer, or was cut (its `status` is None)."""
        call.seconds = round(now - call.received, 6)
        self.by_status["cut" if call.status is None else str(call.status)] += 1
        if call.status == 429:
            self.refused_429 += 1

    def log(self) -> list[Call]:
        """The calls remembered, oldest first."""
        return list(self._log)

    def shown(self) -> dict[str, Any]:
        """The totals; `seconds` runs from the first call received to the last one accepted."""
        seconds = 0.0
        if self._first_received is not None and self._last_accepted is not None:
            seconds = self._last_accepted - self._first_received
        return {
            "calls": self.calls,
            "updates": self.updates,
            "events": self.events,
            "refused_429": self.refused_429,
            "seconds": round(seconds, 6),
            "violations": dict(self.violations),
            "partial_errors": self.partial_errors,
            "by_status": dict(self.by_status),
        }


def custom_ids(items: list[Any]) -> list[str]:
    """The custom ids in a call, repeated ones too, in order; what is not of the documented shape has none."""
    ids = []
    for item in items:
        identifiers = item.get("identifiers") if isinstance(item, dict) else None
        custom_id = identifiers.get("custom_id") if isinstance(identifiers, dict) else None
        if isinstance(custom_id, str):
            ids.append(custom_id)
    return ids


def body_violations(items: list[Any], ids: list[str]) -> Counter[str]:
    """What the body of a call does that no client should; `ids` are its custom ids. `unknown_keys` counts
    keys of updates, identifiers and events that Batch does not document, `repeated_attribute` one name in
    two forms."""
    found: Counter[str] = Counter(repeated_in_call=len(ids) - len(set(ids)))
    for item in items:
        if not isinstance(item, dict):
            continue
        found["unknown_keys"] += len(item.keys() - _UPDATE_KEYS)
        identifiers, attributes, events = (item.get(key) for key in ("identifiers", "attributes", "events"))
        if isinstance(identifiers, dict):
            found["unknown_keys"] += len(identifiers.keys() - _IDENTIFIER_KEYS)
        if isinstance(attributes, dict):
            names = {formats.read_key(key).name for key in attributes}
            found["repeated_attribute"] += len(attributes) - len(names)
        if isinstance(events, list):
            found["unknown_keys"] += sum(len(e.keys() - _EVENT_KEYS) for e in events if isinstance(e, dict))
    return found
