"""Are the topics of the dead letters there? What is told at the start."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
import structlog.testing
from confluent_kafka import KafkaError, KafkaException

from streams import letter_topics
from streams.letter_topics import LetterTopics

LETTERS = {"events": "events.dead-letter", "more": "events.dead-letter"}


class Cluster:
    """Stands in for the admin client: answers one look after the other, and the last one for ever."""

    def __init__(self, *looks: dict[str, int] | KafkaException) -> None:
        self.looks = list(looks)

    def list_topics(self, timeout: float) -> Any:
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, KafkaException):
            raise look
        topics = {name: SimpleNamespace(partitions=dict.fromkeys(range(size))) for name, size in look.items()}
        return SimpleNamespace(topics=topics, brokers={1: None})


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letter_topics, "AGAIN_S", 0.0)
    monkeypatch.setattr(letter_topics, "WATCH_S", 0.0)


async def told(
    monkeypatch: pytest.MonkeyPatch, cluster: Cluster, *, made_on_write: bool = False
) -> tuple[LetterTopics, list[Any]]:
    """The look at the start, until it ends by itself, and what was logged."""
    monkeypatch.setattr(letter_topics, "AdminClient", lambda client, logger: cluster)
    monkeypatch.setattr(letter_topics, "creates_topics", lambda admin, broker: made_on_write)
    topics = LetterTopics({}, LETTERS)
    with structlog.testing.capture_logs() as logged:
        await asyncio.wait_for(topics.run(), 30)
    return topics, logged


async def test_nothing_is_said_if_all_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    topics, logged = await told(monkeypatch, Cluster({"events": 6, "more": 3, "events.dead-letter": 6}))
    assert (topics.warnings(), logged) == ({}, [])


async def test_a_missing_one_is_an_error_until_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    without = {"events": 3, "more": 6}
    cluster = Cluster(without, without, {**without, "events.dead-letter": 6})
    topics, logged = await told(monkeypatch, cluster)
    assert [(line["log_level"], line["topic"]) for line in logged] == [("error", "events.dead-letter")] * 2
    assert logged[0]["remedy"] == (
        "events.dead-letter does not exist: a record that cannot be delivered would hold up its partition. "
        "Create it with 6 partitions, or set dead_letter.topic to one that exists"
    )
    assert topics.warnings() == {}


async def test_one_that_the_brokers_would_make_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster({"events": 1}, {"events": 1, "events.dead-letter": 1})
    _, (line,) = await told(monkeypatch, cluster, made_on_write=True)
    assert line["log_level"] == "warning"
    assert "the brokers would make it at the first letter" in line["remedy"]
    assert "as many partitions as its source" in line["remedy"]


async def test_brokers_that_do_not_answer_are_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    away = KafkaException(KafkaError(KafkaError._TRANSPORT))
    topics, logged = await told(monkeypatch, Cluster(away, away, {"events.dead-letter": 1}))
    assert (topics.warnings(), logged) == ({}, [])
