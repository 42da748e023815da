"""Tells people what a run showed: a line for each scenario, why one failed, and the table of docs/reliability.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.chaos.run import Result

BEGIN = "<!-- chaos: begin (written by `make chaos`) -->"
END = "<!-- chaos: end -->"

NOT_FAULTS = frozenset({"kills", "rebalances", "starts", "202"})
HEAD = (
    "scenario",
    "protocol",
    "events",
    "kills",
    "rebalances",
    "faults",
    "lost",
    "repeated",
    "bound",
    "p50 s",
    "p99 s",
    "recovered s",
    "calls ÷ ideal",
)


def line(result: Result) -> str:
    """One scenario in one line."""
    verdict, seen = result.verdict, result.seen
    reach = "" if verdict.reach_s is None else f", reaching back {verdict.reach_s:.1f} s"
    if verdict.per_incident is not None:
        reach += f", median {verdict.per_incident:g} an incident"
    return (
        f"{'passed' if result.passed else 'FAILED'}  {result.scenario} ({result.protocol}, {result.seconds:.0f} s): "
        f"{verdict.events:,} events, {seen['kills']} kills, {seen['rebalances']} rebalances, "
        f"faults: {faults(seen) or 'none'}; lost {verdict.lost}, repeated {verdict.repeated} of at most "
        f"{verdict.bound}{reach}; p50 {_seconds(verdict.p50_s)} s, p99 {_seconds(verdict.p99_s)} s, "
        f"recovered in {verdict.recovery_s:.1f} s, calls {_ratio(result)}"
    )


def failure(result: Result, folder: Path) -> str:
    """Why a scenario failed, and where to look."""
    reasons = "\n".join(f"    {reason[:600]}" for reason in result.verdict.broken)
    again = (
        f"python -m tests.chaos --only {result.scenario} --protocol {result.protocol} --seed {result.seed}"
    )
    return f"{reasons}\n    logs of its workers: {folder}\n    again: {again}"


def faults(seen: Counter[str]) -> str:
    """What was done, as `3 cuts, 20 times 503`."""
    words = []
    for name, count in sorted(seen.items()):
        if name in NOT_FAULTS or " on " in name or not count:
            continue
        words.append(f"{count} times {name}" if name.isdecimal() else f"{count} {name}")
    return ", ".join(words)


def table(results: Sequence[Result]) -> str:
    """The results as a Markdown table."""
    rows = [HEAD, tuple("---" for _ in HEAD), *map(_row, results)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def write_table(document: Path, results: Sequence[Result], now: datetime | None = None) -> None:
    """Replace what stands between the markers. Raises ValueError if the document has none."""
    text = document.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"{document} must hold each of the markers once: {BEGIN} and {END}")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    day = (now or datetime.now(UTC)).date().isoformat()
    said = f"Run of {day}, seed {results[0].seed}."
    document.write_text(f"{head}{BEGIN}\n{said}\n\n{table(results)}\n{END}{tail}")


def _row(result: Result) -> tuple[str, ...]:
    verdict, seen = result.verdict, result.seen
    return (
        result.title,
        result.protocol,
        f"{verdict.events:,}",
        str(seen["kills"]),
        str(seen["rebalances"]),
        faults(seen) or "none",
        str(verdict.lost),
        _repeated(result),
        f"{verdict.bound:,}",
        _seconds(verdict.p50_s),
        _seconds(verdict.p99_s),
        f"{verdict.recovery_s:.1f}",
        _ratio(result),
    )


def _repeated(result: Result) -> str:
    verdict = result.verdict
    if verdict.per_incident is None or not result.seen["kills"]:
        return f"{verdict.repeated:,}"
    return f"{verdict.repeated:,} (median {verdict.per_incident:g} a kill)"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _ratio(result: Result) -> str:
    verdict = result.verdict
    return f"{verdict.calls / verdict.ideal_calls:.2f}" if verdict.ideal_calls else ""
