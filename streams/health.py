"""What is wrong with the worker now, a sentence for a person each, by the leg that is down."""

from __future__ import annotations

import time

from sink.delivery import Delivery
from streams.dead_letters import DeadLetterWriter
from streams.source import KafkaSource
from streams.standstill import Standstill
from streams.watchdog import Watchdog

PAUSED = "delivery.enabled is false: nothing is read or sent. Set it to true and send SIGHUP to go on"
Problems = dict[str, str]
"""By a short name: `batch`, `kafka`, `dead_letters`, `paused`, `stopping`, `failed`, `stuck`. Empty if all is well."""


class Health:
    """Asked by `/livez`, `/readyz` and `/status`."""

    def __init__(
        self,
        delivery: Delivery,
        source: KafkaSource,
        letters: DeadLetterWriter,
        standstill: Standstill,
        watchdog: Watchdog,
    ) -> None:
        self._watchdog = watchdog
        self._standstill = standstill
        self._delivery = delivery
        self._source = source
        self._letters = letters
        self.failure: BaseException | None = None
        """What ends the worker."""
        self.stopping = False
        """It was asked to stop."""

    def not_alive(self) -> Problems:
        """Why the process should be ended."""
        failed = "" if self.failure is None else type(self.failure).__name__
        wrong = {"failed": failed, "stuck": self._watchdog.problem}
        return {name: problem for name, problem in wrong.items() if problem}

    def not_ready(self) -> Problems:
        """Why the worker does not deliver."""
        legs = {
            "stopping": "the worker was asked to stop" if self.stopping else "",
            "paused": PAUSED if self._standstill.paused else "",
            "kafka": "" if self.stopping else self._kafka(),
            "batch": self._batch(),
            "dead_letters": self._dead_letters(),
        }
        return self.not_alive() | {leg: problem for leg, problem in legs.items() if problem}

    def _kafka(self) -> str:
        source = self._source
        if source.unknown_topics:
            return (
                f"{', '.join(sorted(source.unknown_topics))} of kafka.topics does not exist, or this user may not see "
                "it. Create it, or correct kafka.topics"
            )
        if not source.assigned:
            return (
                f"the consumer group has not assigned partitions yet{source.last_error}; "
                "are kafka.brokers, kafka.topics and kafka.group right?"
            )
        if source.down_since is not None:
            return (
                f"no broker can be reached for {_seconds_since(source.down_since)} s; "
                "are the brokers up, and those of kafka.brokers theirs?"
            )
        return ""

    def _batch(self) -> str:
        opening = self._delivery.opening
        if opening is None:
            return ""
        seconds = _seconds_since(opening.since)
        if opening.refused:
            return f"Batch answers {opening.status} for {seconds} s: {opening.remedy}"
        return (
            f"Batch has taken no call for {seconds} s, the last one ended with {opening.status}: "
            f"{_sentence(opening.remedy)} Probes go on, and delivery by itself when one is taken"
        )

    def _dead_letters(self) -> str:
        if (halt := self._standstill.halt) is not None:
            return (
                f"halted by {halt.setting}: {halt.detail}. Mend the producer or the mapping, or raise the setting in "
                "the file; then send the worker SIGHUP, or restart it"
            )
        if not self._letters.failure:
            return ""
        return (
            f"Kafka refuses dead letters: {self._letters.failure}; does the topic of dead_letter.topic exist, "
            "and may this user write to it?"
        )


def _sentence(text: str) -> str:
    """With its full stop, unless it is a question."""
    return text if text.endswith("?") else f"{text}."


def _seconds_since(moment: float) -> int:
    return max(0, round(time.time() - moment))
