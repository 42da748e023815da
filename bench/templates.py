"""What a template costs beside decoding: CPU time of an event, as a ratio to orjson.loads of the same events.

    python -m bench.templates [--events 2000] [--rounds 30]

The template is the one that Segment's "Batch (Actions)" destination starts with. The rounds take turns, and the
best of each counts, so that other work on the machine does the least harm.
"""

from __future__ import annotations

import argparse
from typing import Any

import orjson

from bench.events import make_records
from bench.timing import microseconds
from mapping.directives import compile_template


def _either(trait: str) -> dict[str, Any]:
    of_context = {"@path": f"$.context.traits.{trait}"}
    return {"@if": {"exists": of_context, "then": of_context, "else": {"@path": f"$.traits.{trait}"}}}


DEFAULT_TEMPLATE = {
    "identifiers": {"custom_id": {"@path": "$.userId"}},
    "profileAttributes": {
        "language": {"@path": "$.context.locale"},
        "email_address": _either("email"),
        "email_marketing": _either("email_marketing"),
        "phone_number": _either("phone"),
        "sms_marketing": _either("sms_marketing"),
        "timezone": {"@path": "$.context.timezone"},
        "region": {"@path": "$.context.locale"},
    },
    "eventName": {"@path": "$.event"},
    "eventAttributes": {"@path": "$.properties"},
}
"""Segment's defaults for the action updateProfile: identifiers, the native attributes, the event."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--events", type=int, default=2_000)
    arguments.add_argument("--rounds", type=int, default=30)
    chosen = arguments.parse_args()
    records = list(make_records(chosen.events))
    events = [orjson.loads(record) for record in records]
    resolve = compile_template(DEFAULT_TEMPLATE).resolve
    decoded = resolved = float("inf")
    for _ in range(chosen.rounds):
        decoded = min(decoded, microseconds(orjson.loads, records))
        resolved = min(resolved, microseconds(resolve, events))
    print(f"events     {len(records)}, {sum(map(len, records)) / len(records):.0f} bytes each")
    print(f"resolve    {resolved / decoded:.2f} times orjson.loads")


if __name__ == "__main__":
    main()
