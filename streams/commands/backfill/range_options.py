"""The options of `segbatch backfill`: which range, and how it is sent."""

from __future__ import annotations

from typing import Annotated

import typer

from streams.backfill.plan import LEAST_MEMORY_MB, TYPES

Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILES]...",
        help="Files of Segment events: JSON lines, plain, gzip or zstd, and Parquet. Folders, globs in quotes "
        "and URLs too.",
        show_default=False,
    ),
]

Since = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="TIME",
        help="Start of the range (ISO 8601). Required for a topic: `earliest` is its first record.",
    ),
]

Until = Annotated[
    str | None,
    typer.Option("--to", metavar="TIME", help="End of the range, itself outside.", show_default="now"),
]

Topics = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TOPIC",
        help="A topic with history; may be repeated. Without FILES: kafka.topics.",
        show_default=False,
    ),
]

Sources = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ID",
        help="Only events of this Segment source, by `projectId` or `writeKey`; may be repeated.",
        show_default=False,
    ),
]

Where = Annotated[
    str | None, typer.Option(metavar="TRIGGER", help="Only events that meet this trigger (FQL).")
]

Types = Annotated[
    str,
    typer.Option(
        metavar="TYPES",
        help=f"Event types, separated by commas, of {', '.join(TYPES)}. Of track, Batch takes only events of the "
        "last 24 hours.",
    ),
]

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Read and fold, say what would be sent, and send nothing.")
]

Resume = Annotated[str | None, typer.Option(metavar="ID", help="Go on with a backfill that was interrupted.")]

LimitRate = Annotated[
    float | None, typer.Option(metavar="N", help="Profile updates a second, below Batch's 10,000.", min=1)
]

Settle = Annotated[
    float,
    typer.Option(
        metavar="SECONDS", help="How long after a call Batch may still be applying it, at most.", min=0
    ),
]

Memory = Annotated[
    int, typer.Option(metavar="MB", help="Memory that the fold may take.", min=LEAST_MEMORY_MB)
]
