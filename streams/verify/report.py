"""What a verification found, for people and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from streams.verify.compare import MEANINGS, Different, Kind

MOST_KEPT = 1_000_000
"""Differences that are remembered; after so many the comparison ends: something else is wrong."""


class Difference(NamedTuple):
    """A difference of a profile; `different` is of an attribute, or None if the profile is missing."""

    custom_id: str
    different: Different | None

    @property
    def kind(self) -> Kind:
        """What is different."""
        return "missing_profile" if self.different is None else self.different.kind


@dataclass(slots=True)
class Found:
    """The outcome of a comparison. Its differences name profiles and attributes; values only where asked for."""

    export: str = ""
    compared: int = 0
    """Profiles of the range, or of the sample."""
    exported: int = 0
    """Profiles in the export, also others."""
    differences: list[Difference] = field(default_factory=list)
    changed_meanwhile: int = 0
    """Differences that are none: newer events said something else of the attribute."""
    undelivered: int = 0
    """Records of the range that the workers' group has not committed yet."""
    pending: bool = False
    """The range was sent so shortly before the export that Batch may not have applied all of it."""

    @property
    def complete(self) -> bool:
        """Whether everything was compared."""
        return len(self.differences) < MOST_KEPT

    @property
    def ok(self) -> bool:
        """Whether Batch has what the events say."""
        return not self.differences

    def without_changed(self, changed: dict[str, set[str]]) -> None:
        """Take out the differences of attributes that newer events have set."""
        kept = [
            each
            for each in self.differences
            if each.different is None or each.different.attribute not in changed.get(each.custom_id, ())
        ]
        self.changed_meanwhile = len(self.differences) - len(kept)
        self.differences = kept

    def counts(self) -> dict[str, int]:
        """Profiles by outcome."""
        missing = sum(each.different is None for each in self.differences)
        different = len({each.custom_id for each in self.differences}) - missing
        return {
            "compared": self.compared,
            "equal": self.compared - missing - different,
            "missing": missing,
            "different": different,
        }

    def by_attribute(self) -> dict[str, dict[str, int]]:
        """Differences by attribute and kind."""
        counted = Counter(
            (each.different.attribute, each.kind) for each in self.differences if each.different is not None
        )
        table: dict[str, dict[str, int]] = {}
        for (attribute, kind), count in sorted(counted.items()):
            table.setdefault(attribute, {})[kind] = count
        return table


def as_json(found: Found, *, values: bool) -> dict[str, Any]:
    """`{"ok", "complete", "export", "profiles": {"compared", "equal", "missing", "different"}, "by_attribute",
    "differences": [{"custom_id", "attribute", "kind"}], "changed_meanwhile", "undelivered", "may_be_pending"}`; with
    `values` each difference of an attribute also has `expected` and `found`."""
    return {
        "ok": found.ok,
        "complete": found.complete,
        "export": found.export,
        "profiles": {**found.counts(), "exported": found.exported},
        "by_attribute": found.by_attribute(),
        "differences": [_shown(each, values) for each in found.differences],
        "changed_meanwhile": found.changed_meanwhile,
        "undelivered": found.undelivered,
        "may_be_pending": found.pending or found.undelivered > 0,
    }


def in_words(found: Found, *, shown: int, values: bool) -> Iterator[str]:
    """Lines for a person: counts, differences by attribute, and the first `shown` of them."""
    counts = found.counts()
    yield "Batch has what the events say." if found.ok else "Batch does not have all that the events say."
    yield f"  profiles compared   {counts['compared']:,} (export {found.export}, {found.exported:,} profiles)"
    yield f"  equal               {counts['equal']:,}"
    if not found.ok:
        yield f"  missing             {counts['missing']:,}"
        yield f"  different           {counts['different']:,}"
    if found.changed_meanwhile:
        yield f"  changed meanwhile   {found.changed_meanwhile:,} attributes, by newer events: no differences"
    if not found.complete:
        yield f"  stopped after       {MOST_KEPT:,} differences: is this the right project, and the right range?"
    for attribute, kinds in found.by_attribute().items():
        for kind, count in kinds.items():
            yield f"  {attribute}: {count:,} {kind} ({MEANINGS[kind]})"  # type: ignore[index]
    yield from _listed(found.differences, shown, values)
    yield from _hints(found)


def _listed(differences: Collection[Difference], shown: int, values: bool) -> Iterator[str]:
    if not differences or not shown:
        return
    yield "Differences:" if len(differences) <= shown else f"The first {shown} differences (--show for more):"
    for each in list(differences)[:shown]:
        line = _shown(each, values)
        place = f"{each.custom_id}  {line['attribute'] or '(profile)'}  {each.kind}"
        known = f"  expected {line['expected']!r}, found {line['found']!r}" if "expected" in line else ""
        yield f"  {place}{known}"


def not_delivered(records: int) -> str:
    """`1 record of the range is not delivered yet`, and so many."""
    said = "1 record of the range is" if records == 1 else f"{records:,} records of the range are"
    return f"{said} not delivered yet"


def _hints(found: Found) -> Iterator[str]:
    if found.undelivered:
        yield (f"{not_delivered(found.undelivered)}: differences may go by themselves when that is done.")
    if found.pending and not found.ok:
        yield "Batch applies updates later than it accepts them: look again, or wait with --settle."


def _shown(each: Difference, values: bool) -> dict[str, Any]:
    different = each.different
    line: dict[str, Any] = {
        "custom_id": each.custom_id,
        "attribute": None if different is None else different.attribute,
        "kind": each.kind,
    }
    if values and different is not None:
        line |= {"expected": different.expected, "found": different.found}
    return line
