"""What ends a verification with a sentence for a person."""

from __future__ import annotations


class VerifyError(Exception):
    """The comparison cannot be made. The message says why and what to do; no value of an event is in it."""
