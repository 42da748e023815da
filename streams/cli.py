"""The entry point. It imports little itself, so that Ctrl-C is heeded while everything else loads, for a second."""

from __future__ import annotations

import sys

from streams.commands.interruption import EXIT_INTERRUPTED, interrupt_leaves_at_once


def main() -> None:
    """Run the command that the arguments name. Interrupted, it ends with 130 and no traceback."""
    with interrupt_leaves_at_once():
        from streams.command_line import app
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
