"""What a trigger costs: CPU nanoseconds an evaluation, and its part of decoding the same events.

    python -m bench.triggers [--events 2000] [--rounds 30]

The events are those of bench.mapping, decoded. The loop around the calls is measured with a function that does
nothing and taken off. The rounds of everything take turns, and the best of each counts, so that other work on the
machine does the least harm.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from bench.events import make_records
from mapping.fql import compile_trigger

TRIGGERS = (
    'type = "identify"',
    'type = "identify" or type = "track"',
    'type = "track" and event = "Order Completed"',
    'type in ["track", "page", "screen"]',
    'type = "track" and properties.currency = "EUR"',
    'type = "track" and properties.total > 99.5',
    'context.library.name != "unknown"',
    'contains(event, "Order")',
    'match(event, "Order *")',
    'type = "track" and (event = "Sign Up" or event = "Order Completed") and !contains(userId, "test")',
    'lowercase(event) = "order completed"',
    'length(properties.products) > 0',
)  # fmt: skip
TWENTY = tuple(f'type = "track" and event = "Event {number}"' for number in range(20))
_LITTLE = 1e-9


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--events", type=int, default=2_000)
    arguments.add_argument("--rounds", type=int, default=30)
    chosen = arguments.parse_args()
    records = list(make_records(chosen.events))
    events = [orjson.loads(record) for record in records]
    asked = {expression: compile_trigger(expression).matches for expression in TRIGGERS}
    twenty = [compile_trigger(expression).matches for expression in TWENTY]

    decode = nothing = together = float("inf")
    best = dict.fromkeys(asked, float("inf"))
    for _ in range(chosen.rounds):
        decode = min(decode, nanoseconds(orjson.loads, records))
        nothing = min(nothing, nanoseconds(_nothing, events))
        together = min(together, nanoseconds(lambda event: [matches(event) for matches in twenty], events))
        for expression, matches in asked.items():
            best[expression] = min(best[expression], nanoseconds(matches, events))

    print(f"orjson.loads of an event {decode:6.0f} ns")
    for expression, found in best.items():
        cost = max(found - nothing, _LITTLE)
        print(f"{cost:6.0f} ns  {cost / decode:6.1%} of decoding  {expression}")
    print(f"{together - nothing:6.0f} ns  {(together - nothing) / decode:6.1%} of decoding  twenty triggers")


def _nothing(event: dict[str, Any]) -> None:
    """A call, which every trigger costs as well, is not what is measured."""


def nanoseconds(function: Callable[[Any], Any], values: Sequence[Any]) -> float:
    """CPU time of a call, on average."""
    start = time.process_time_ns()
    for value in values:
        function(value)
    return (time.process_time_ns() - start) / len(values)


if __name__ == "__main__":
    main()
