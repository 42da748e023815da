"""The closing account: what the workers say, held against what was produced and what the sandbox has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from streams.demo.comparison import DIFFERENCES_SHOWN

_PROMISES = {
    "same_profile_in_flight": "a profile had two requests in flight at once",
    "repeated_in_call": "a profile was twice in one call",
}


class Account(NamedTuple):
    """The `summary` lines of all workers, added up."""

    accepted: int
    skipped: dict[str, int]
    dead_lettered: dict[str, int]
    updates: int
    calls: dict[str, int]
    retries: int
    ambiguous: int

    @property
    def ended(self) -> int:
        """Records that are accounted for."""
        return self.accepted + sum(self.skipped.values()) + sum(self.dead_lettered.values())


class Summary(NamedTuple):
    """The end of a demonstration. `differences` are between the sandbox and the fold, `problems` all others."""

    produced: int
    account: Account
    lag: int
    profiles: int
    profile_events: int
    differences: list[str]
    problems: list[str]
    refused_429: int
    tokens_waited_s: float
    workers: int
    seconds: float

    @property
    def equal(self) -> bool:
        """Whether the sandbox's profiles and events are those of the fold."""
        return not self.differences

    @property
    def ok(self) -> bool:
        """Whether all is as promised."""
        return self.equal and self.lag == 0 and not self.problems

    @property
    def calls(self) -> int:
        return sum(self.account.calls.values())

    @property
    def events_per_update(self) -> float:
        """Accepted events for each accepted update."""
        return self.account.accepted / self.account.updates if self.account.updates else 0.0

    def as_json(self) -> dict[str, Any]:
        """The summary as one JSON object."""
        account = self.account
        return {
            "ok": self.ok,
            "equal": self.equal,
            "lag": self.lag,
            "produced": self.produced,
            "events_in": account.ended,
            "accepted": account.accepted,
            "skipped": account.skipped,
            "dead_lettered": account.dead_lettered,
            "updates": account.updates,
            "calls": self.calls,
            "calls_by_status": account.calls,
            "events_per_update": round(self.events_per_update, 2),
            "retries": account.retries,
            "ambiguous": account.ambiguous,
            "refused_429": self.refused_429,
            "tokens_waited_s": round(self.tokens_waited_s, 2),
            "profiles": self.profiles,
            "profile_events": self.profile_events,
            "workers": self.workers,
            "seconds": round(self.seconds, 1),
            "differences": self.differences[:DIFFERENCES_SHOWN],
            "differences_total": len(self.differences),
            "problems": self.problems,
        }


def add_up(summaries: Iterable[Mapping[str, Any]]) -> Account:
    """One account of the `summary` lines of `segbatch run`."""
    accepted = updates = retries = ambiguous = 0
    skipped: Counter[str] = Counter()
    dead_lettered: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    for summary in summaries:
        records = summary["records"]
        accepted += records["accepted"]
        skipped.update(records["skipped"])
        dead_lettered.update(records["dead_lettered"])
        calls.update(summary["calls"])
        updates += summary["updates"]
        retries += summary["retries"]
        ambiguous += summary["ambiguous"]
    counts = (dict(sorted(each.items())) for each in (skipped, dead_lettered, calls))
    skips, letters, statuses = counts
    return Account(accepted, skips, letters, updates, statuses, retries, ambiguous)


def problems_of(
    account: Account, expected: Mapping[str, Any], produced: int, letters: int, stats: Mapping[str, Any]
) -> list[str]:
    """What does not add up, a sentence each.

    `expected` are the counts of the fold, `letters` the records in the dead-letter topic, `stats` the sandbox's. A
    record counts as accepted if Batch had all of it (`unchanged`): whether it had depends on what waited together.
    """
    problems = []
    if account.ended != produced:
        problems.append(f"{produced:,} records were produced, but the workers account for {account.ended:,}")
    skipped = dict(account.skipped)
    outcomes = {
        "accepted": account.accepted + skipped.pop("unchanged", 0),
        "skipped": skipped,
        "dead_lettered": account.dead_lettered,
    }
    for outcome, found in outcomes.items():
        wanted = expected[outcome]
        if found != wanted:
            problems.append(f"{outcome.replace('_', '-')} is {found}, expected {wanted}")
    in_letters = sum(account.dead_lettered.values())
    if letters != in_letters:
        problems.append(f"{in_letters:,} dead letters are counted, but their topic holds {letters:,}")
    if account.updates != stats["updates"]:
        problems.append(
            f"the workers count {account.updates:,} accepted updates, the sandbox {stats['updates']:,}"
        )
    for violation, words in _PROMISES.items():
        if count := stats["violations"][violation]:
            problems.append(f"{words} ({count:,} times)")
    return problems
