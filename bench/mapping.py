"""What the mapping costs beside decoding: CPU microseconds an event, on one core.

    python -m bench.mapping [--events 2000] [--rounds 30]

The events are a mix of identifies, tracks and Engage audiences, about 0.7 KB each. `decode` is orjson.loads alone; the
other lines are everything from the bytes to the profile update, decoding included: with the preset, with the template
that Segment's destination starts with, with a template that gives what the preset gives, and with twenty mappings of
which two match each event. The rounds take turns, and the best of each counts, so that other work on the machine does
the least harm.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import orjson

from bench.events import make_records
from bench.mapping_sets import default_template, preset_as_template, twenty_of_which_two_match
from bench.timing import microseconds
from mapping.mapper import compile_mapper
from mapping.settings import MappingSettings


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--events", type=int, default=2_000)
    arguments.add_argument("--rounds", type=int, default=30)
    chosen = arguments.parse_args()
    records = list(make_records(chosen.events))
    settings = MappingSettings()
    measured: dict[str, Callable[[bytes], Any]] = {
        "decode": orjson.loads,
        "preset": compile_mapper(settings),
        "default template": compile_mapper(settings, default_template()),
        "preset as template": compile_mapper(settings, preset_as_template()),
        "20 mappings": compile_mapper(settings, twenty_of_which_two_match()),
    }
    best = dict.fromkeys(measured, float("inf"))
    for _ in range(chosen.rounds):
        for name, function in measured.items():
            best[name] = min(best[name], microseconds(function, records))
    print(f"events              {len(records)}, {sum(map(len, records)) / len(records):.0f} bytes each")
    for name, cost in best.items():
        ratio = cost / best["decode"]
        print(
            f"{name:18}  {cost:5.2f} us an event, {ratio:.1f} times decoding, {1e6 / cost:7,.0f} events a second"
        )


if __name__ == "__main__":
    main()
