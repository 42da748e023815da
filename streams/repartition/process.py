"""The process of `segbatch repartition`: the copier on a thread, web pages, signals, exit codes."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

from streams.cluster import is_unreached, unreached
from streams.dead_letters import LARGEST_MESSAGE, PRODUCER
from streams.repartition.copier import Copier
from streams.repartition.metrics import RepartitionMetrics
from streams.settings import KafkaSettings, Settings, client_settings, consumer_settings
from streams.settings.values import TOPIC_PLACEHOLDER
from streams.web import start_web, why_not_listening

EXIT_DRAINED = 0
EXIT_FAILED = 1
EXIT_NOT_DRAINED = 3
EXIT_CONFIGURATION = 78

TRANSACTION_TIMEOUT_MS = 10_000
"""After it Kafka aborts the transaction of a member that died; until then its partitions wait, and so do readers of
the keyed topic. A restart under the same `kafka.instance_id` ends it at once."""
REACH_S = 10.0
STUCK_S = 60.0
"""Longer than any call's own timeout. librdkafka 2.16 may never return from sending a transaction's offsets when the
group's coordinator has gone (its issues 5456 and 5511): then only a new process helps."""
RECOVERY = {"metadata.recovery.strategy": "none"}
"""Keep to the brokers that are known while all are down: else that call hangs whenever a small Kafka restarts."""
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
LOG_ERRORS_EVERY_S = 10.0
POLL_S = 0.05
_LIBRDKAFKA = logging.getLogger("librdkafka")
_LARGEST_QUEUE = 2_147_483_647

log = structlog.get_logger("segbatch.repartition")


class RefusedSettingsError(Exception):
    """Kafka's client cannot be made of the settings; the message is its own."""


class TopicsError(Exception):
    """The topics cannot be looked at; the message says what to do."""


class MissingTopicError(TopicsError):
    """A topic does not exist, or this user may not see it."""


@dataclass(frozen=True)
class Job:
    """What to copy where."""

    sources: tuple[str, ...]
    target: str
    """`<topic>` in it stands for the source topic."""
    group: str

    def target_of(self, source: str) -> str:
        """The keyed topic of a source topic."""
        return self.target.replace(TOPIC_PLACEHOLDER, source)


class Repartition:
    """One process of the group."""

    def __init__(self, settings: Settings, job: Job) -> None:
        self._settings = settings
        self._job = job
        self._kafka: KafkaSettings = settings.kafka.model_copy(update={"group": job.group})
        self._transactional_id = f"{job.group}-{self._kafka.instance_id or uuid.uuid4().hex}"
        self.metrics = RepartitionMetrics()
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._copier: Copier | None = None
        self._topics_seen = False
        self._assigned = False
        self._problem = ""
        """Why nothing is copied at present; empty if all is well."""
        self._last_error = ""
        self._last_detail = ""
        """Why a broker could not be reached, in Kafka's client's words."""
        self._logged: dict[str, float] = {}
        self._web = ""

    async def run(self) -> int:
        """Run until SIGTERM, SIGINT or a failure; the process's exit code."""
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self._stop.set)
        place = self._settings.web
        try:
            web, self._web = await start_web(
                place.host, place.port, self.metrics.registry, self._not_alive, self._not_ready
            )
        except OSError as error:
            problem = f"cannot listen on {place.host}:{place.port}: {why_not_listening(error)}"
            remedy = "Set web.port to another port, or to 0 for any that is free."
            print(f"web.host, web.port: {problem}. {remedy}", file=sys.stderr)
            return EXIT_CONFIGURATION
        thread = threading.Thread(target=self._copy, name="copier", daemon=True)
        thread.start()
        code = await self._wait_for(thread)
        await web.cleanup()
        log.info("summary", **self.metrics.summary())
        return code

    async def _wait_for(self, thread: threading.Thread) -> int:
        """The exit code, when the copier has ended, or has not ended in time after it was asked to."""
        stop_by = float("inf")
        while thread.is_alive():
            await asyncio.sleep(POLL_S)
            if self._stop.is_set() and stop_by == float("inf"):
                log.info("stopping")
                stop_by = time.monotonic() + self._settings.shutdown_timeout_s
            if time.monotonic() > stop_by:
                log.error("not drained in time", setting="shutdown_timeout_s")
                return EXIT_NOT_DRAINED
            if self._copier is not None and time.monotonic() - self._copier.moved_at > STUCK_S:
                log.error("Kafka's client does not return: the process ends, start it again", seconds=STUCK_S)
                return EXIT_FAILED
        if isinstance(self._failure, RefusedSettingsError):
            return EXIT_CONFIGURATION
        return EXIT_DRAINED if self._failure is None else EXIT_FAILED

    def _copy(self) -> None:
        try:
            self._copy_in_sessions()
        except RefusedSettingsError as error:
            self._failure = error
            print(f"Kafka's client refuses the settings: {error}", file=sys.stderr)
        except MissingTopicError as error:
            self._failure = error
            print(f"segbatch: repartition: {error}", file=sys.stderr)
        except BaseException as error:
            self._failure = error
            log.error("repartition fails and ends", error=type(error).__name__, exc_info=error)

    def _copy_in_sessions(self) -> None:
        """Copy until asked to stop; after a failure of Kafka anew, as another member with another producer. Raises
        MissingTopicError if a topic is not there at the start: one that was there may come back."""
        wait_s = FIRST_WAIT_S
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self._copier = self._make_copier()
                self._copier.run(self._job.sources, self._stop.is_set)
            except (KafkaException, TopicsError) as error:
                if isinstance(error, MissingTopicError) and not self._topics_seen:
                    raise
                self._copier = None
                self._assigned = False
                self._problem = (
                    str(error) if isinstance(error, TopicsError) else _told(error.args[0], self._job)
                )
                log.error("repartition is interrupted, and begins anew", reason=self._problem)
                if time.monotonic() - began > LONGEST_WAIT_S:
                    wait_s = FIRST_WAIT_S
                self._stop.wait(wait_s)
                wait_s = min(LONGEST_WAIT_S, wait_s * 2)

    def _make_copier(self) -> Copier:
        consumer = {
            **RECOVERY,
            **consumer_settings(self._kafka),
            "error_cb": self._on_error,
        }
        incremental = consumer.get("group.protocol") == "consumer" or "cooperative" in str(
            consumer.get("partition.assignment.strategy", "")
        )
        try:
            producer = Producer(self._producer_settings(), logger=_LIBRDKAFKA)
            member = Consumer(consumer, logger=_LIBRDKAFKA)
        except KafkaException as error:
            raise RefusedSettingsError(error.args[0].str()) from None
        self._look_at_topics(producer)
        return Copier(
            member,
            producer,
            self._job.target_of,
            self.metrics,
            start=self._kafka.start,
            incremental=incremental,
            on_assigned=self._announce,
            on_error=self._on_error,
        )

    def _producer_settings(self) -> dict[str, Any]:
        return {
            **PRODUCER,
            "message.max.bytes": LARGEST_MESSAGE,
            "linger.ms": 5,
            "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
            **RECOVERY,
            **client_settings(self._kafka),
            "transactional.id": self._transactional_id,
            "queue.buffering.max.messages": 0,
            "queue.buffering.max.kbytes": _LARGEST_QUEUE,
            "error_cb": self._on_error,
        }

    def _look_at_topics(self, producer: Producer) -> None:
        """Raises TopicsError if no broker answers, MissingTopicError if one is not there, KafkaException if one is
        refused."""
        try:
            for source in self._job.sources:
                for topic in (source, self._job.target_of(source)):
                    error = producer.list_topics(topic, timeout=REACH_S).topics[topic].error
                    if error is not None and error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                        raise MissingTopicError(_missing(topic, error, self._job))
                    if error is not None:
                        raise KafkaException(KafkaError(error.code(), f"topic {topic}: {error.str()}"))
        except KafkaException as failed:
            if not is_unreached(failed.args[0]):
                raise
            producer.poll(0)
            reason = self._last_detail or failed.args[0].str()
            raise TopicsError(f"{unreached(self._kafka.brokers, reason)} It is tried again.") from None
        self._topics_seen = True

    def _announce(self) -> None:
        self._assigned = True
        self._problem = self._last_error = self._last_detail = ""
        if self._web:
            log.info("ready", web=self._web)
            self._web = ""

    def _on_error(self, error: KafkaError) -> None:
        self._last_error = f" ({error.name()})"
        if error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._last_detail = error.str()
        now = time.monotonic()
        if now - self._logged.get(error.name(), -LOG_ERRORS_EVERY_S) >= LOG_ERRORS_EVERY_S:
            self._logged[error.name()] = now
            log.warning("Kafka reports a problem", error=error.name(), detail=error.str())

    def _not_alive(self) -> Mapping[str, str]:
        return {"failed": type(self._failure).__name__} if self._failure is not None else {}

    def _not_ready(self) -> Mapping[str, str]:
        problems = dict(self._not_alive())
        if self._stop.is_set():
            problems["stopping"] = "repartition was asked to stop"
        elif self._problem:
            problems["kafka"] = self._problem
        elif not self._assigned:
            problems["kafka"] = (
                f"the consumer group has not assigned partitions yet{self._last_error}; "
                "are kafka.brokers and the source topic right?"
            )
        return problems


def _missing(topic: str, error: KafkaError, job: Job) -> str:
    """That the topic is not there, and what to do."""
    remedy = (
        "create it, or correct --source or kafka.topics"
        if topic in job.sources
        else "create it, with as many partitions as there are to be workers, or correct --target"
    )
    return f"topic {topic}: {error.str()}: {remedy}"


def _told(error: KafkaError, job: Job) -> str:
    """What is wrong, and what to do."""
    targets = ", ".join(job.target_of(source) for source in job.sources)
    remedies = {
        KafkaError.UNKNOWN_TOPIC_OR_PART: f"are {_listed(job.sources)} and {targets} there?",
        KafkaError.TOPIC_AUTHORIZATION_FAILED: f"give this user READ on {_listed(job.sources)} and WRITE on {targets}",
        KafkaError.GROUP_AUTHORIZATION_FAILED: f"give this user READ on the group {job.group}",
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: (
            f"give this user WRITE on transactional ids that begin with {job.group}"
        ),
        KafkaError.MSG_SIZE_TOO_LARGE: f"raise max.message.bytes of {targets} to that of the source topic",
        KafkaError._FENCED: "is another process running with the same kafka.instance_id?",
        KafkaError.FENCED_INSTANCE_ID: "is another process running with the same kafka.instance_id?",
    }
    remedy = remedies.get(error.code(), "it is tried again")
    return f"{error.name()}: {error.str()}; {remedy}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
