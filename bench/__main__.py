"""The bench: segbatch and its peers at the same job, on a real Kafka and the sandbox, one after the other.

    python -m bench [--size short|full|tiny] [--only drain,limited,latency,join,memory,alone] [--aiven-jar JAR]

Results are kept in .bench/results.json, and bench/report.md is written from them: `--only` measures some parts anew.
`--report` measures nothing and writes the report from the last results; `--no-report` prints figures and keeps nothing.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from datetime import UTC, datetime
from typing import Any

from bench import alone, drains, join, latency, limits, memory, report
from bench.contestants import Contender, Installed, Unavailable, contenders
from bench.deliveries import log
from bench.machine import described, share_out
from bench.processes import CACHE
from bench.sizes import FULL, SHORT, TINY, Sizes
from tests.kafka import real_kafka

PARTS = ("drain", "limited", "latency", "join", "memory", "alone")
RESULTS = CACHE / "results.json"
SIZES = {sizes.name: sizes for sizes in (SHORT, FULL, TINY)}


def main() -> None:
    """Measure what was asked for, and write the report."""
    options = argparse.ArgumentParser(
        "python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--size", choices=SIZES, default=SHORT.name)
    options.add_argument("--only", default=",".join(PARTS), help="parts, with commas")
    options.add_argument("--contenders", default="", help="some of them, with commas; segbatch always runs")
    options.add_argument("--pure", action="store_true", help="segbatch as it is installed here, not compiled")
    options.add_argument("--aiven-jar", default="", help="the jar of Aiven's HTTP sink, which then runs too")
    options.add_argument("--report", action="store_true", help="write the report from the last results")
    options.add_argument("--no-report", action="store_true", help="keep no results and write no report")
    options.add_argument("--events", type=int, help="of the drain, in place of the size's")
    options.add_argument("--runs", type=int, help="in place of the size's")
    asked = options.parse_args()
    # As after Ctrl-C, so that nothing which was started goes on running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    CACHE.mkdir(exist_ok=True)
    if not asked.report:
        parts = asked.only.split(",")
        if unknown := set(parts) - set(PARTS):
            options.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
        log().unlink(missing_ok=True)
        changed = {name: value for name in ("events", "runs") if (value := getattr(asked, name))}
        sizes = SIZES[asked.size]._replace(**changed)
        among = contenders(asked.aiven_jar, compiled=not asked.pure)
        unfinished = _measure(sizes, parts, asked.contenders, among, keep=not asked.no_report)
    if not asked.no_report:
        report.write(_results())
    if not asked.report and unfinished:
        sys.exit(f"segbatch did not come to its end: {', '.join(unfinished)}")


def _measure(sizes: Sizes, parts: list[str], chosen: str, among: list[Contender], keep: bool) -> list[str]:
    """Measure the parts, and keep the results of each as soon as there are any. The parts in which segbatch left
    something undone."""
    installed, left_out = _installed(chosen, among)
    cores = share_out()
    kept = _results()
    if kept.get("sizes") != sizes._asdict():
        kept = {"sizes": sizes._asdict()}
    kept["machine"] = described(cores)
    kept["versions"] = kept.get("versions", {}) | {name: each.version for name, each in installed.items()}
    kept["left_out"] = left_out if not chosen else kept.get("left_out", {})
    segbatch = installed["segbatch"]
    with real_kafka(heap_mb=1024) as kafka:
        for part in parts:
            match part:
                case "drain":
                    kept[part] = drains.measure(kafka, installed, cores, sizes)
                case "limited":
                    kept[part] = limits.measure(kafka, installed, cores, sizes)
                case "latency":
                    kept[part] = latency.measure(kafka, segbatch, cores, sizes)
                case "join":
                    kept[part] = join.measure(kafka, segbatch, cores)
                case "memory":
                    kept[part] = memory.measure(kafka, segbatch, cores, sizes)
                case "alone":
                    kept[part] = alone.measure()
            kept["date"] = datetime.now(UTC).strftime("%Y-%m-%d")
            if keep:
                RESULTS.write_text(json.dumps(_plain(kept), indent=1))
    return _unfinished({part: _plain(kept[part]) for part in parts})


def _unfinished(results: dict[str, Any]) -> list[str]:
    drains_of_ours = (
        {name: results["drain"][name] for name in ("segbatch", *report.OTHER_RUNS)}
        if "drain" in results
        else {}
    )
    under_limit = {title: part["runs"]["segbatch"] for title, part in results.get("limited", {}).items()}
    parts = {**drains_of_ours, **under_limit}
    return [name for name, runs in parts.items() if not all(run["finished"] for run in runs)]


def _installed(chosen: str, among: list[Contender]) -> tuple[dict[str, Installed], dict[str, str]]:
    """The contenders that can run here, and why the others cannot."""
    names = chosen.split(",") if chosen else []
    installed, left_out = {}, {}
    for contender in among:
        if names and contender.name not in (*names, "segbatch"):
            continue
        try:
            installed[contender.name] = contender.install()
        except Unavailable as error:
            left_out[contender.name] = str(error)
            print(f"{contender.name} is left out: {error}", flush=True)
    return installed, left_out


def _plain(value: Any) -> Any:
    """The value with named tuples as objects."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {key: _plain(each) for key, each in value._asdict().items()}
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _results() -> dict[str, Any]:
    return dict(json.loads(RESULTS.read_text())) if RESULTS.exists() else {}


if __name__ == "__main__":
    main()
