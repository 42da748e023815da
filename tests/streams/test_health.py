"""What the worker says is wrong with it."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

from sink.breaker import Opening
from streams.dead_letter_limits import LimitReached
from streams.health import Health


def health(**now: Any) -> Health:
    """Of a worker that is well but for what is given."""
    return Health(
        SimpleNamespace(opening=now.get("opening")),  # type: ignore[arg-type]
        SimpleNamespace(  # type: ignore[arg-type]
            assigned=now.get("assigned", True),
            down_since=now.get("down_since"),
            last_error="",
            unknown_topics=now.get("unknown", set()),
        ),
        SimpleNamespace(failure=now.get("letters", "")),  # type: ignore[arg-type]
        SimpleNamespace(paused=now.get("paused", False), halt=now.get("halt")),  # type: ignore[arg-type]
        SimpleNamespace(problem=now.get("stuck", "")),  # type: ignore[arg-type]
    )


def opening(status: str, *, refused: bool) -> Opening:
    return Opening(status, "no", refused, time.time() - 90)


def test_a_worker_that_delivers_has_no_problem() -> None:
    assert (health().not_alive(), health().not_ready()) == ({}, {})


def test_the_leg_that_is_down_is_named_with_the_setting_to_look_at() -> None:
    refused = health(opening=opening("401", refused=True)).not_ready()
    assert refused.keys() == {"batch"}
    assert "401 for 90 s" in refused["batch"]
    assert "batch.rest_api_key" in refused["batch"]
    failing = health(opening=opening("503", refused=False)).not_ready()
    assert "no call for 90 s, the last one ended with 503" in failing["batch"]
    assert "batch.base_url right? Probes go on" in failing["batch"]
    assert "batch.rate_per_s" in health(opening=opening("429", refused=False)).not_ready()["batch"]
    assert "kafka.brokers" in health(assigned=False).not_ready()["kafka"]
    missing = health(assigned=False, unknown={"events"}).not_ready()["kafka"]
    assert missing.startswith("events of kafka.topics does not exist")
    assert "60 s" in health(down_since=time.time() - 60).not_ready()["kafka"]
    assert "dead_letter.topic" in health(letters="UNKNOWN_TOPIC").not_ready()["dead_letters"]


def test_a_worker_that_stands_still_says_why_and_how_it_goes_on() -> None:
    assert "delivery.enabled" in health(paused=True).not_ready()["paused"]
    halted = health(halt=LimitReached("dead_letter.max_ratio", "more than 50%")).not_ready()
    assert halted.keys() == {"dead_letters"}
    assert "dead_letter.max_ratio" in halted["dead_letters"]
    assert "SIGHUP" in halted["dead_letters"]


def test_a_partition_that_is_stuck_ends_both() -> None:
    stuck = health(stuck="no record of events[0] was completed")
    assert stuck.not_alive() == stuck.not_ready() == {"stuck": "no record of events[0] was completed"}


def test_every_leg_that_is_down_is_named() -> None:
    broken = health(opening=opening("503", refused=False), down_since=time.time(), letters="NO").not_ready()
    assert broken.keys() == {"batch", "kafka", "dead_letters"}


def test_a_failure_ends_both_and_a_stop_ends_readiness_only() -> None:
    failed = health()
    failed.failure = ZeroDivisionError("a value of a customer")
    assert failed.not_alive() == failed.not_ready() == {"failed": "ZeroDivisionError"}
    stopping = health(assigned=False)
    stopping.stopping = True
    assert (stopping.not_alive(), stopping.not_ready().keys()) == ({}, {"stopping"})
