"""Writes bench/report.md and its picture from the results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bench import picture
from bench.goals import cpu_per_million, events_per_s, goals, median, running_cpu_per_million
from bench.sizes import SHORT, Sizes

REPORT = Path(__file__).with_name("report.md")
NOTES = Path(__file__).with_name("notes.md")
OTHER_RUNS = ("two workers", "smaller")
"""Of the drain: segbatch once more, not contenders."""

HEAD = """\
# segbatch and its peers, side by side

This page is written by `make bench`{full}; what the measurements are, and how to run them, stands in
[README.md](README.md), what a user can turn in [docs/performance.md](../docs/performance.md).

{machine}

Every contender is a process of its own, and reads the same topic of 6 partitions. They run in turn, {runs} times each;
figures are medians.
"""

DRAIN = """\
## Drain

{events:,} events of {users:,} users, half of them 0.65 KB and half 1.4 KB, Batch 20 ms away, no rate limit. Time runs
from the assignment of the partitions until everything is accepted and committed. segbatch applies its whole preset; the
others apply one simple mapping and none of Batch's rules. A contender is stopped after 60 s and rated by what it had
committed. CPU is that of the process, all threads, without what it had used when it got its partitions. "Disturbed" is
the part of the contender's core that other work of the machine had meanwhile: about 0 on a quiet one. Events a second
suffer from it by at least as much.

![events a second and CPU of each contender]({picture})
"""

LIMITED = """\
## Limited

300 profile updates a second, burst 1,000, segbatch with its defaults. The floor is what a sender needs that knows all
events beforehand: (the sum over profiles of max(1, events ÷ 15, attributes ÷ 50, each rounded up) - 1,000) ÷ 300. Time
runs from the first call to the last acceptance. The others have no limit of their own: they try again a second after a
429. They were run once, and stopped after 60 s.
"""


def write(results: dict[str, Any]) -> None:
    """Write the report, with the parts that were measured."""
    if not results:
        raise SystemExit("there are no results yet: run `make bench`")
    drawn = picture.draw(_contenders(results["drain"])) if "drain" in results else ""
    sections = [_head(results), _goals(results)]
    if "drain" in results:
        sections += [_drain(results, drawn)]
    if "limited" in results:
        sections += [_limited(results)]
    for title, text in (
        (
            "latency",
            "ms from the record's append in Kafka to Batch's answer, which takes 20 ms; no rate limit",
        ),
        ("join", "seconds, under 500 events a second"),
    ):
        if title in results:
            sections.append(_by_part(title, text, results[title]))
    if "memory" in results:
        sections.append(_memory(results["memory"]))
    if "alone" in results:
        sections.append(_alone(results["alone"]))
    if NOTES.exists():
        sections.append(NOTES.read_text())
    REPORT.write_text("\n".join(sections))
    print(f"wrote {REPORT.name}")


def _head(results: dict[str, Any]) -> str:
    machine = "\n".join(f"- {line}" for line in [*results["machine"], f"measured on {results['date']}"])
    sizes = Sizes(**results["sizes"])
    full = "" if sizes == SHORT else f" (here in its {sizes.name} size)"
    return HEAD.format(full=full, machine=machine, runs=sizes.runs)


def _goals(results: dict[str, Any]) -> str:
    rows = [
        (each.what, each.wanted, each.measured, "yes" if each.met else "**no**") for each in goals(results)
    ]
    return "## Goals\n\n" + _table(("what", "wanted", "measured", "met"), rows)


def _contenders(drain: dict[str, Any]) -> dict[str, Any]:
    return {name: runs for name, runs in drain.items() if name not in OTHER_RUNS}


def _drain(results: dict[str, Any], drawn: str) -> str:
    runs, sizes = _contenders(results["drain"]), Sizes(**results["sizes"])
    ours = events_per_s(runs["segbatch"])
    rows = [
        (
            f"{name} {results['versions'].get(name, '')}",
            f"{events_per_s(each):,.0f}" + ("" if all(run["finished"] for run in each) else " (stopped)"),
            f"{ours / events_per_s(each):.2f}",
            f"{running_cpu_per_million(each):.1f}",
            f"{cpu_per_million(each):.1f}",
            f"{median(each, 'start_up_s'):.1f} / {median(each, 'start_up_cpu_s'):.1f}",
            f"{median(each, 'peak_mb'):.0f}",
            f"{median(each, 'calls'):,.0f}",
            f"{median(each, 'updates'):,.0f}",
            f"{median(each, 'disturbed'):.0%}",
        )
        for name, each in runs.items()
    ]
    header = (
        "contender",
        "events/s",
        "segbatch is faster by",
        "CPU s a million events",
        "with start-up",
        "start-up s / CPU s",
        "peak MB",
        "calls",
        "profile updates (tokens)",
        "disturbed",
    )
    text = DRAIN.format(events=sizes.events, users=sizes.events // 4, picture=drawn)
    left_out = "".join(f"\n{name} is left out: {reason}.\n" for name, reason in results["left_out"].items())
    return f"{text}\n{_table(header, rows)}{left_out}\n{_other_runs(results['drain'])}"


def _other_runs(drain: dict[str, Any]) -> str:
    """segbatch with two workers, and on a smaller topic."""
    titles = {"segbatch": "one worker", "two workers": "two workers", "smaller": "a topic a quarter as large"}
    rows = [
        (title, f"{running_cpu_per_million(drain[name]):.1f}", f"{median(drain[name], 'peak_mb'):.0f}")
        for name, title in titles.items()
    ]
    return _table(("segbatch", "CPU s a million events, without start-up", "peak MB of a worker"), rows)


def _limited(results: dict[str, Any]) -> str:
    rows = []
    for title, part in results["limited"].items():
        floor = part["floor"]
        rows.append((title, "floor", "", f"{floor['seconds']:.1f}", f"{floor['updates']:,}", "", ""))
        for name, runs in part["runs"].items():
            events, seconds = median(runs, "events"), median(runs, "sending_s")
            finished = all(run["finished"] for run in runs)
            rows.append(
                (
                    title,
                    name,
                    f"{events:,.0f}",
                    f"{seconds:.1f}" + ("" if finished else " (stopped)"),
                    f"{median(runs, 'updates'):,.0f}",
                    f"{events / max(1, median(runs, 'updates')):.2f}",
                    f"{median(runs, 'refused'):.0f}",
                )
            )
    header = (
        "workload",
        "contender",
        "events committed",
        "seconds",
        "tokens",
        "events a token",
        "calls refused",
    )
    return f"{LIMITED}\n{_table(header, rows)}"


def _by_part(title: str, text: str, parts: dict[str, dict[str, Any]]) -> str:
    names = list(next(iter(parts.values())))
    rows = [(part, *(str(values[name]) for name in names)) for part, values in parts.items()]
    header = ("", *(name.replace("_s", "").replace("_", " ") for name in names))
    return f"## {title.capitalize()}\n\n{text[0].upper()}{text[1:]}.\n\n{_table(header, rows)}"


def _memory(memory: dict[str, Any]) -> str:
    return (
        "## Memory\n\nOne worker under Batch's limit, with more to read than its default bounds hold, for "
        f"{memory['seconds']:.0f} s: at most {memory['peak_mb']} MB; {memory['second_quarter_mb']} MB in the second "
        f"quarter of the time and {memory['last_quarter_mb']} MB in the last one (medians).\n"
    )


def _alone(ratios: dict[str, float]) -> str:
    rows = [(part, f"{ratio:.2f}") for part, ratio in ratios.items()]
    return (
        "## Parts alone\n\nCPU an event, in terms of `orjson.loads` of the same event; CI holds bounds on them.\n\n"
        + (_table(("part", "ratio"), rows))
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
