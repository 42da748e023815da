"""Looks at the mappings for `segbatch check`."""

from __future__ import annotations

from collections.abc import Iterator

from mapping.fql import Trigger
from streams.commands.findings import Finding, counted
from streams.mappings_file import LoadedMappings


def mappings_findings(loaded: LoadedMappings) -> Iterator[Finding]:
    """What is in force, and where Segment's hosted destination would decide otherwise on the same triggers."""
    if loaded.path is None or loaded.mapping_set is None:
        yield Finding("mappings", "ok", "There is no mappings file: the preset Update Profile is in force.")
        return
    enabled, filters = loaded.mapping_set.enabled, loaded.mapping_set.filters
    said = f"{loaded.path}: {counted(len(enabled), 'mapping')} enabled, {counted(len(filters), 'filter')}."
    if enabled:
        yield Finding("mappings", "ok", said)
    else:
        yield Finding("mappings", "warning", said, "Nothing reaches Batch: enable a mapping.")
    for warning in loaded.warnings:
        key, _, message, remedy, origin = warning
        yield Finding(key, "warning", f"It {message} ({origin}).", remedy)
    for mapping in enabled:
        place = loaded.places.get(mapping.name, str(loaded.path))
        yield from _differences(f"mapping {mapping.name!r}", mapping.trigger, place)


def _differences(check: str, trigger: Trigger, place: str) -> Iterator[Finding]:
    for expression, hosted, ours in (
        (each.expression, each.hosted, each.ours) for each in trigger.hosted_differences
    ):
        message = f"{expression}: Segment's hosted evaluator {hosted}. Here: {ours} ({place})."
        yield Finding(
            check, "warning", message, "If the mapping came from Segment, look whether this is what you had."
        )
