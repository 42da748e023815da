"""A generated Kafka record together with what delivering it must do, in Batch's own terms."""

from __future__ import annotations

from typing import Any, NamedTuple


class Expectation(NamedTuple):
    """What delivering one record must do.

    `outcome` is "accepted", "skipped" or "dead_lettered"; `reason` names why for the last two. `custom_id` is
    the profile that is changed, None if no profile is. `attributes` are wire keys (`$email_address`,
    `date(birthday)`, `plan`) with wire values, None for an attribute that is deleted. `events` are wire
    events in order: {"name", "time" (absent if sent without), "attributes"}. Parts may be shared between
    expectations: treat as read-only.
    """

    outcome: str
    reason: str | None
    custom_id: str | None
    attributes: dict[str, Any]
    events: list[dict[str, Any]]


class Produced(NamedTuple):
    """A record for the source topic: key and value bytes, and its expectation."""

    key: bytes | None
    value: bytes | None
    expectation: Expectation


def accepted(
    custom_id: str, attributes: dict[str, Any], events: list[dict[str, Any]] | None = None
) -> Expectation:
    return Expectation("accepted", None, custom_id, attributes, events or [])


def skipped(reason: str) -> Expectation:
    return Expectation("skipped", reason, None, {}, [])


def dead_lettered(reason: str) -> Expectation:
    return Expectation("dead_lettered", reason, None, {}, [])
