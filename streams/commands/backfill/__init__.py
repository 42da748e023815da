"""`segbatch backfill`, and what is asked of backfills."""

from streams.commands.backfill.group import app

__all__ = ["app"]
