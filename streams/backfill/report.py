"""What a backfill did, for `show`, for the end of the command, and in JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from streams.backfill.repairs import Repairs
from streams.backfill.store import Store
from streams.backfill.stretches import Stretches


def report_of(store: Store, backfill: str) -> dict[str, Any]:
    """The report of a backfill as far as it is, over all its processes. Of one that was killed, `seconds` lacks the
    time in the phase that it was in, and `calls` the calls in flight."""
    read: dict[str, Any] = store.fact("read_counts", {})
    sent: dict[str, Any] = store.fact("sent_counts", {})
    endings: dict[str, int] = sent.get("endings", {})
    return {
        "id": backfill,
        "phase": store.fact("phase"),
        "events": read.get("events", 0),
        "selected": read.get("selected", 0),
        "skipped": read.get("skipped", {}),
        "rejected": read.get("rejected", {}),
        "rejected_places": read.get("places", []),
        "fields": read.get("fields", {}),
        "lost_to_retention": read.get("lost", 0),
        "profiles": store.count_profiles(),
        "profiles_left": Stretches(store).left,
        "accepted": endings.get("accepted", 0),
        "dead_lettered": {
            ending.partition(":")[2]: count
            for ending, count in endings.items()
            if ending.startswith("dead_lettered")
        },
        "updates": sent.get("updates", 0),
        "calls": store.fact("calls", {}),
        "repairs": Repairs(store).written,
        "seconds": {name: round(value, 1) for name, value in store.fact("seconds", {}).items()},
    }


def in_words(report: Mapping[str, Any]) -> Iterator[str]:
    """The report as lines for a person."""
    yield f"backfill {report['id']}: {report['phase']}"
    yield f"  events read      {report['events']:,}, of which {report['selected']:,} say something of a profile"
    yield from _by_reason("skipped", report["skipped"])
    yield from _by_reason("rejected", report["rejected"])
    for place in report["rejected_places"]:
        yield f"    {place}"
    yield from _by_reason("fields left out", report["fields"])
    if report["lost_to_retention"]:
        yield f"  lost             {report['lost_to_retention']:,} records that Kafka had deleted before they were read"
    left = f", {report['profiles_left']:,} not sent yet" if report["profiles_left"] else ""
    yield f"  profiles         {report['profiles']:,}{left}"
    if report["calls"]:
        calls = ", ".join(f"{count:,} with {status}" for status, count in sorted(report["calls"].items()))
        yield f"  sent             {report['updates']:,} updates in calls that ended {calls}"
    yield from _by_reason("dead letters", report["dead_lettered"])
    if report["repairs"]:
        yield f"  repairs          {report['repairs']:,} records written for what changed while calls were in flight"
    if report["seconds"]:
        yield f"  seconds          {', '.join(f'{name} {value:,.1f}' for name, value in report['seconds'].items())}"


def dry_run_in_words(report: Mapping[str, Any]) -> Iterator[str]:
    """What a dry run found."""
    yield "dry run: nothing was sent"
    yield from list(in_words({**report, "profiles_left": 0, "seconds": {}}))[1:]
    plan = report["would_send"]
    yield (
        f"  would send       {plan['updates']:,} updates, {plan['bytes']:,} bytes, in about {plan['calls']:,} calls: "
        f"{plan['seconds']:,.0f} s at {plan['rate_per_s']:,.0f} updates a second"
    )


def _by_reason(name: str, counts: Mapping[str, int]) -> Iterator[str]:
    found = {reason: count for reason, count in counts.items() if count}
    if found:
        ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
        yield f"  {name:<16} {', '.join(f'{reason} {count:,}' for reason, count in ordered)}"
