"""Times that people give to commands."""

from __future__ import annotations

from datetime import UTC, datetime

from streams.commands.options import fail


def read_moment(text: str) -> float | None:
    """Milliseconds since 1970 of an ISO 8601 time, UTC if it names no zone; None if it is none."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000
    except (ValueError, OverflowError):
        return None


def milliseconds(command: str, option: str, text: str) -> int:
    """The time that the option names, as `read_moment`. Ends the command with one line if it is none."""
    found = read_moment(text)
    if found is None:
        fail(
            f"{command}: {option} {text!r} is not an ISO 8601 time such as 2026-01-31 or 2026-01-31T08:00:00Z"
        )
    return round(found)
