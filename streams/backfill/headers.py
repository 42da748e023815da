"""Headers of the records and letters that a backfill writes."""

from __future__ import annotations

from collections.abc import Iterable

BACKFILL = "segbatch.backfill"
"""The id of the backfill that wrote it."""
NO_PARTITION = -1
"""Where a letter of a backfill says that its record lies: in none. Kafka's word for: by the key."""
REPAIR = "segbatch.repair"
"""`1` on a record that says once more what was said: it is never taken for a repeat of what it repeats."""
IS_REPAIR = (REPAIR, b"1")
NUMBER = "segbatch.repair.number"
"""Which of the backfill's repairs it is."""


def repair_headers(backfill: str, number: int) -> list[tuple[str, bytes]]:
    """The headers of a repair's record."""
    return [IS_REPAIR, (BACKFILL, backfill.encode()), (NUMBER, str(number).encode())]


def repair_number(headers: Iterable[tuple[str, bytes | None]], backfill: str) -> int | None:
    """Which repair of this backfill a record is; None if it is none."""
    found = dict(headers)
    if found.get(REPAIR) is None or found.get(BACKFILL) != backfill.encode():
        return None
    return int(found.get(NUMBER) or 0)
