"""The picture of the report: the drain's speed and CPU of each contender.

matplotlib is imported when something is drawn: it belongs to the group `bench`, which only `make bench` installs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.goals import events_per_s, running_cpu_per_million

PICTURE = Path(__file__).with_name("drain.svg")
OURS, THEIRS = "#1b6ca8", "#9aa5b1"


def draw(drain: dict[str, Any]) -> str:
    """Draw two rows of bars and return the picture's file name."""
    import matplotlib
    from matplotlib import pyplot

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "segbatch"  # the same figures give the same file

    names = sorted(drain, key=lambda name: events_per_s(drain[name]))
    colours = [OURS if name == "segbatch" else THEIRS for name in names]
    figure, (speed, cpu) = pyplot.subplots(1, 2, figsize=(10, 0.5 * len(names) + 1.2), sharey=True)
    for axes, value, title, form in (
        (speed, events_per_s, "events a second (more is better)", "{:,.0f}"),
        (cpu, running_cpu_per_million, "CPU seconds a million events (less is better)", "{:.1f}"),
    ):
        bars = axes.barh(names, [value(drain[name]) for name in names], color=colours)
        axes.bar_label(bars, fmt=form, padding=3)
        axes.set_title(title, fontsize=10)
        axes.spines[["top", "right", "bottom"]].set_visible(False)
        axes.set_xticks([])
        axes.margins(x=0.15)
    figure.tight_layout()
    figure.savefig(PICTURE, metadata={"Date": None})
    return PICTURE.name
