"""What a backfill counts: put down with every step, so that a resumed one counts on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mapping.profile import FieldProblem

PLACES = 20


@dataclass(slots=True)
class ReadCounts:
    """Counts over the events that were read."""

    events: int = 0
    selected: int = 0
    """Events that say something of a profile."""
    skipped: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    """Fields that were left out or changed."""
    places: list[str] = field(default_factory=list)
    """Where the first rejected events stand, with the reason."""
    lost: int = 0
    """Offsets that Kafka had deleted before they were read."""

    def problems(self, problems: Iterable[FieldProblem]) -> None:
        """Count the problems of one event."""
        for problem in problems:
            self.fields[problem.reason] += 1

    def reject(self, reason: str, place: str) -> None:
        """Count an event that cannot be delivered as it is."""
        self.rejected[reason] += 1
        if len(self.places) < PLACES:
            self.places.append(f"{place}: {reason}")

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "events": self.events,
            "selected": self.selected,
            "skipped": dict(self.skipped),
            "rejected": dict(self.rejected),
            "fields": dict(self.fields),
            "places": self.places,
            "lost": self.lost,
        }


def read_counts(stored: dict[str, Any] | None) -> ReadCounts:
    """The counts that `as_json` told of."""
    if not stored:
        return ReadCounts()
    return ReadCounts(
        stored["events"],
        stored["selected"],
        Counter(stored["skipped"]),
        Counter(stored["rejected"]),
        Counter(stored["fields"]),
        list(stored["places"]),
        stored["lost"],
    )
