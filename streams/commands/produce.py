"""`segbatch produce`: JSON lines to the source topic, keyed by userId."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from confluent_kafka import KafkaError, KafkaException, Message, Producer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TransferSpeedColumn

from mapping.numbers import number_text
from mapping.profile import FieldProblem, Rejected, Skipped
from mapping.read import read_record
from streams.cluster import SILENT, unreached
from streams.commands.findings import counted
from streams.commands.lines import LinesFile, lines_of, opened
from streams.commands.options import EXIT_FAILED, ConfigFile, fail, load_or_exit
from streams.dead_letters import LARGEST_MESSAGE, PRODUCER
from streams.settings import client_settings
from streams.settings.values import is_topic_name

REACH_S = 10.0
"""How long the brokers may take to answer at first."""
SHOW_EVERY = 500
_UNDELIVERED_AFTER_MS = 60_000
_TOPIC_UNKNOWN_AFTER_MS = 5_000
_TRAVELS_ALONE = 256 * 1024
"""Bytes: a broker refuses a record that is too large together with all that came in one batch with it."""
_OF_ONE_RECORD = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG_SIZE, KafkaError.INVALID_RECORD)
"""Errors that tell nothing of the other records."""


def key_of(line: bytes) -> bytes | Rejected | None:
    """The record's key: its userId, a number as the mapping writes it. None without one; Rejected if the line is
    no JSON object."""
    key = read_record(map_event=_user_id, record=line)
    return None if isinstance(key, Skipped) else key


def _user_id(event: dict[str, Any], _: list[FieldProblem]) -> bytes | None:
    user_id = event.get("userId")
    if isinstance(user_id, int | float) and not isinstance(user_id, bool):
        return number_text(user_id).encode()
    return user_id.encode() if isinstance(user_id, str) and user_id else None


@dataclass(slots=True)
class Sending:
    """Lines on their way to a topic, and what became of them."""

    producer: Producer
    topic: str
    sent: int = 0
    keyed: int = 0
    unreadable: int = 0
    size: int = 0
    delivered: int = 0
    failed: int = 0
    failure: KafkaError | None = None
    """The first refusal."""
    hopeless: bool = False
    """The failure is not of one record: further ones would fail as well."""

    def send(self, line: bytes) -> None:
        """Send a line as it is. Waits while the producer's queue is full; no confirmation is waited for."""
        key = key_of(line)
        if isinstance(key, Rejected):
            self.unreadable += 1
            key = None
        self.keyed += key is not None
        self.sent += 1
        self.size += len(line)
        alone = len(line) > _TRAVELS_ALONE
        if alone:
            self.finish()
        self._enqueue(line, key)
        if alone:
            self.finish()

    def finish(self) -> None:
        """Wait until every record is delivered or refused."""
        while self.producer.flush(1.0):
            pass

    def _enqueue(self, line: bytes, key: bytes | None) -> None:
        while not self.hopeless:
            try:
                self.producer.produce(self.topic, line, key=key, on_delivery=self._confirmed)
            except BufferError:
                self.producer.poll(0.1)
            except KafkaException as error:
                self._confirmed(error.args[0], None)
                return
            else:
                self.producer.poll(0)
                return

    def _confirmed(self, error: KafkaError | None, _: Message | None) -> None:
        if error is None:
            self.delivered += 1
            return
        self.failed += 1
        self.failure = self.failure or error
        if error.code() not in _OF_ONE_RECORD and not self.hopeless:
            self.hopeless = True
            self.producer.purge()


def produce(
    file: LinesFile = "-",
    topic: Annotated[
        str | None, typer.Option(help="Topic to send to; else the first of kafka.topics.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Send Segment events, a JSON line each, to the source topic, keyed by userId.

    Lines are sent as they are, also those that are not JSON; a line without userId gets no key.
    """
    loaded = load_or_exit(config, ("kafka.brokers",) if topic else ("kafka.brokers", "kafka.topics"))
    target = topic or loaded.settings.kafka.topics[0]
    if not is_topic_name(target):
        fail(f"produce: {target!r} is not a name that Kafka allows for a topic")
    with opened(file) as stream:
        sending = Sending(_reached_producer(client_settings(loaded.settings.kafka)), target)
        started = time.monotonic()
        with _progress(stream, sending) as show:
            _send_all(stream, sending, show)
            sending.finish()
            show()
    typer.echo(_summary(sending, time.monotonic() - started))
    if sending.failure is not None:
        fail(f"produce: {sending.failed} not delivered: {sending.failure.str()}", EXIT_FAILED)


class _Interrupted(Exception):
    """Somebody wants the command to end."""


def _send_all(stream: BinaryIO, sending: Sending, show: Callable[[], None]) -> None:
    """Send the lines until the input ends or the first SIGINT or SIGTERM: what was read by then is delivered. The
    second SIGINT ends the command at once."""
    reading = True

    def interrupt(*_: object) -> None:
        nonlocal reading
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if reading:
            reading = False
            raise _Interrupted

    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, interrupt)
    with suppress(_Interrupted):
        for line in lines_of(stream):
            sending.send(line)
            if sending.hopeless:
                break
            if sending.sent % SHOW_EVERY == 0:
                show()
        reading = False


def _reached_producer(client: dict[str, str]) -> Producer:
    """A producer whose brokers answer; else the command ends with the reason."""
    reasons: list[str] = []
    settings: dict[str, Any] = {
        **PRODUCER,
        "message.max.bytes": LARGEST_MESSAGE,
        "linger.ms": 20,
        "message.timeout.ms": _UNDELIVERED_AFTER_MS,
        "topic.metadata.propagation.max.ms": _TOPIC_UNKNOWN_AFTER_MS,
        **client,
        "error_cb": lambda error: reasons.append(error.str()),
    }
    producer = Producer(settings, logger=SILENT)
    try:
        producer.list_topics(timeout=REACH_S)
    except KafkaException as error:
        producer.poll(0)
        reason = reasons[0] if reasons else error.args[0].str()
        fail(f"produce: {unreached([client['bootstrap.servers']], reason)}", EXIT_FAILED)
    return producer


@contextmanager
def _progress(stream: BinaryIO, sending: Sending) -> Iterator[Callable[[], None]]:
    """A bar on a terminal (standard error), nothing elsewhere. Gives a function that brings it up to date."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    size = os.fstat(stream.fileno()).st_size if Path(getattr(stream, "name", "") or "-").is_file() else None
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[records]:,} records"),
        TransferSpeedColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task: TaskID = bar.add_task(f"to {sending.topic}", total=size or None, records=0)
        yield lambda: bar.update(task, completed=sending.size + sending.sent, records=sending.delivered)


def _summary(sending: Sending, seconds: float) -> str:
    whole = (
        counted(sending.delivered, "record")
        if not sending.failed
        else f"{sending.delivered} of {sending.sent} records"
    )
    notes = []
    if sending.keyed < sending.sent:
        notes.append(f"{sending.sent - sending.keyed} without a key")
    if sending.unreadable:
        notes.append(f"{sending.unreadable} not a JSON object")
    noted = f" ({', '.join(notes)})" if notes else ""
    return f"{whole} sent to {sending.topic}{noted} in {seconds:.1f} s"
