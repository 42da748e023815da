"""The report says which goal was met and which was not, from the figures alone."""

from __future__ import annotations

from typing import Any

import pytest

from bench import report
from bench.goals import goals
from bench.sizes import SHORT


def run(events: int = 100_000, seconds: float = 2.0, cpu_s: float = 2.4, **others: Any) -> dict[str, Any]:
    defaults = {
        "finished": True,
        "start_up_s": 1.5,
        "start_up_cpu_s": 1.0,
        "peak_mb": 150.0,
        "calls": 500,
        "updates": 90_000,
        "refused": 0,
        "sending_s": 30.0,
        "disturbed": 0.04,
    }
    return {"events": events, "seconds": seconds, "cpu_s": cpu_s, **defaults, **others}


@pytest.fixture
def results() -> dict[str, Any]:
    return {
        "sizes": SHORT._asdict(),
        "date": "2026-01-31",
        "machine": ["two cores"],
        "versions": {"segbatch": "1", "Bento": "v1", "Faust": "0.15"},
        "left_out": {"Arroyo": "it cannot be had"},
        "drain": {
            "segbatch": [run(), run(seconds=1.9), run(seconds=50.0)],
            "Bento": [run(cpu_s=4.0)] * 3,
            "Faust": [run(events=40_000, seconds=60.0, cpu_s=20.0, finished=False)] * 3,
            "two workers": [run(cpu_s=2.6)],
            "smaller": [run(events=25_000, seconds=0.5, cpu_s=1.35)],
        },
        "limited": {
            "day": {
                "floor": {"updates": 10_000, "seconds": 30.0},
                "runs": {
                    "segbatch": [run(sending_s=30.5), run(sending_s=30.8, refused=1), run(sending_s=40.0)]
                },
            }
        },
        "latency": {"steady": {"events": 10, "p50": 40, "p99": 299, "max": 400}},
        "memory": {"seconds": 60, "peak_mb": 410, "second_quarter_mb": 300, "last_quarter_mb": 303},
    }


def test_goals_are_judged_by_medians(results):
    judged = {goal.what: (goal.measured, goal.met) for goal in goals(results)}
    assert judged == {
        "drain, one worker": ("50,000 events/s", True),
        "drain, CPU a million events, without start-up": ("14.0 s", True),
        "drain, speed against Faust": ("75.00", True),
        "drain, CPU an event against Bento": ("0.47", True),
        "drain, CPU an event of two workers to one": ("1.14", False),
        "drain, CPU an event against a topic a quarter as large": ("1.00", True),
        "limited, day: time to the floor": ("1.027", True),
        "limited, day: calls refused (429)": ("1", False),
        "latency, steady: p99": ("299 ms", True),
        "memory, bounds full": ("410 MB", False),
        "memory, last quarter to second": ("1.01", True),
    }


def test_the_report_shows_goals_that_were_missed_and_who_was_left_out(results, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "REPORT", tmp_path / "report.md")
    monkeypatch.setattr(report, "NOTES", tmp_path / "notes.md")
    monkeypatch.setattr(report.picture, "draw", lambda drain: "drain.svg")
    (tmp_path / "notes.md").write_text("## Not met\n\nBecause.\n")
    report.write(results)
    text = (tmp_path / "report.md").read_text()
    assert "| memory, bounds full | under 400 MB | 410 MB | **no** |" in text
    assert "| Faust 0.15 | 667 (stopped) | 75.00 | 475.0 | 500.0 |" in text
    assert "Arroyo is left out: it cannot be had." in text
    assert text.endswith("## Not met\n\nBecause.\n")
