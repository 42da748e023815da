"""The event's time."""

from typing import Any

import pytest

from tests.mapping.builders import identify, posted_event, problems_of, track, update_of


@pytest.mark.parametrize(
    ("timestamp", "ms", "time"),
    [
        ("2026-03-02T09:14:07.512Z", 1_772_442_847_512, "2026-03-02T09:14:07.512Z"),
        ("2026-03-02T09:14:07.000Z", 1_772_442_847_000, "2026-03-02T09:14:07.000Z"),
        ("2026-03-02T09:14:07Z", 1_772_442_847_000, "2026-03-02T09:14:07Z"),
        ("2026-03-02T09:14:07.512999Z", 1_772_442_847_512, "2026-03-02T09:14:07.512Z"),
        ("2026-03-02T09:14:07.512480913Z", 1_772_442_847_512, "2026-03-02T09:14:07.512Z"),
        ("2026-03-02T10:14:07.512+01:00", 1_772_442_847_512, "2026-03-02T09:14:07.512Z"),
        ("2026-03-01T23:44:07-09:30", 1_772_442_847_000, "2026-03-02T09:14:07Z"),
        ("2026-03-02T09:14:07.512", 1_772_442_847_512, "2026-03-02T09:14:07.512Z"),
        ("2026-03-02T09:14:07,5Z", 1_772_442_847_500, "2026-03-02T09:14:07.500Z"),
        ("2026-W10-1T09:14:07.512Z", 1_772_442_847_512, "2026-03-02T09:14:07.512Z"),
        ("2026-03-02", 1_772_409_600_000, "2026-03-02T00:00:00Z"),
        ("1969-12-31T23:59:59.999Z", -1, "1969-12-31T23:59:59.999Z"),
        ("0001-01-01T00:00:00.001Z", -62_135_596_799_999, "0001-01-01T00:00:00.001Z"),
    ],
)
def test_a_time_is_read_and_sent_in_utc(timestamp: str, ms: int, time: str) -> None:
    update = update_of(track(timestamp=timestamp))
    assert update.timestamp_ms == ms
    assert update.events[0].time_ms == ms
    assert posted_event(track(timestamp=timestamp))["time"] == time
    assert update.problems == ()


@pytest.mark.parametrize(
    "timestamp",
    [
        "", "yesterday", "2026-13-01T00:00:00.000Z", "2026-02-30T00:00:00.000Z", "2026-03-02T09:61:07.512Z",
        "2026-03-02T09:14:60.512Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00",
        "2026-03-02T09:14:\u06607.512Z", 1772442847512, True, {}, [],
    ],
)  # fmt: skip
def test_an_unreadable_time_costs_itself(timestamp: Any) -> None:
    event = track({"a": 1}, timestamp=timestamp)
    assert posted_event(event) == {"name": "order_completed", "attributes": {"a": 1}}
    assert update_of(event).events[0].time_ms is None
    assert update_of(event).timestamp_ms is None
    assert problems_of(event) == [("timestamp", "unreadable_timestamp")]


def test_without_a_timestamp_the_client_clock_is_not_believed() -> None:
    event = track(timestamp=None, originalTimestamp="2026-03-02T09:14:07.512Z")
    assert posted_event(event) == {"name": "order_completed"}
    assert problems_of(event) == []


def test_an_identify_has_its_time_too() -> None:
    assert update_of(identify({"a": 1})).timestamp_ms == 1_772_442_847_512
    assert problems_of(identify({"a": 1}, timestamp="?")) == [("timestamp", "unreadable_timestamp")]
