"""What is seen while the demonstration runs."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from streams.demo.observation import Snapshot, Totals
from streams.demo.view import Heading, LiveView, PlainView, open_view

HEADING = Heading("embedded Kafka", "1 worker", "local Batch")


def snapshot(seconds: float, **changes: Any) -> Snapshot:
    whole: dict[str, Any] = {
        "planned": 40_000,
        "produced": 21_300,
        "accepted": 16_100,
        "skipped": {"no_user_id": 60, "tombstone": 20},
        "dead_lettered": {"invalid_json": 20},
        "updates": 3_500,
        "calls": 23,
        "pending": 5_100,
        "unread": 0,
        "tokens_waited_s": 8.31,
        "refused_429": 0,
        "lag": 9_900,
    }
    return Snapshot(seconds, **(whole | changes))


def console(width: int, **settings: Any) -> Console:
    return Console(file=StringIO(), width=width, height=40, **settings)


def written(by: Console) -> str:
    assert isinstance(by.file, StringIO)
    return by.file.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_the_live_picture_has_every_counter_and_fits(width: int) -> None:
    drawn = console(width, force_terminal=True, _environ={"TERM": "xterm"}, color_system=None)
    with open_view(drawn, HEADING) as view:
        assert isinstance(view, LiveView)
        view.step("producing")
        view.show(snapshot(10.0, produced=17_300))
        view.show(snapshot(12.0))
    last = written(drawn)[written(drawn).rindex("segbatch demo") :]
    for text in (
        "21,300/40,000",
        "16,200/40,000",
        "3,500",
        "23",
        "9,900",
        "5,100",
        "4.6",
        "8.3 s",
        "invalid_json 20",
    ):
        assert text in last
    assert "no_user_id 60, tombstone 20" in last
    assert "…" not in last
    assert max(map(len, last.splitlines())) <= width


def test_without_a_terminal_there_is_a_line_every_few_seconds() -> None:
    plain = console(80)
    with open_view(plain, HEADING) as view:
        assert isinstance(view, PlainView)
        view.step("producing")
        view.step("producing")
        for tenth in range(100):
            view.show(snapshot(5 + tenth / 10))
        view.show(snapshot(15.0, lag=0, produced=40_000))
    lines = written(plain).splitlines()
    assert lines[0] == "segbatch demo: embedded Kafka, 1 worker, local Batch"
    assert lines.count("producing ...") == 1
    progress = [line for line in lines if "produced" in line]
    assert len(progress) == 5
    assert "21,300 produced, 16,200 done, 3,500 updates in 23 calls (4.6 events an update)" in progress[0]
    assert progress[-1].endswith("lag 0")


def test_a_dumb_terminal_gets_plain_lines() -> None:
    dumb = console(80, force_terminal=True, _environ={"TERM": "dumb"})
    assert isinstance(open_view(dumb, HEADING), PlainView)


def test_the_metrics_of_all_workers_are_added_up() -> None:
    page = (
        "# TYPE segbatch_records_total counter\n"
        'segbatch_records_total{outcome="skipped",reason="tombstone"} 2.0\n'
        'segbatch_records_total{outcome="skipped",reason="no_user_id"} 3.0\n'
        'segbatch_records_total{outcome="accepted",reason=""} 4.0\n'
    )
    totals = Totals([page, page])
    assert totals.value("segbatch_records_total", outcome="accepted") == 8
    skipped = totals.by_label("segbatch_records_total", "reason", outcome="skipped")
    assert skipped == {"no_user_id": 6, "tombstone": 4}
    assert totals.count("segbatch_records_total") == 6
    assert totals.value("segbatch_unknown") == 0
