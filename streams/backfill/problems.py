"""What ends a backfill command with a sentence for a person."""

from __future__ import annotations


class BackfillError(Exception):
    """The backfill cannot go on. The message says what is wrong and what to do; no value of an event is in it."""


class KafkaUnreached(BackfillError):
    """No broker answers."""
