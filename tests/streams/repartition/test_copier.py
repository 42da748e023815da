"""What the copier does when a transaction fails, partitions move in the middle of a fetch, or a call never ends."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from streams.repartition import process
from streams.repartition.copier import Copier
from streams.repartition.metrics import RepartitionMetrics
from streams.repartition.process import EXIT_CONFIGURATION, EXIT_FAILED, EXIT_NOT_DRAINED, Job, Repartition
from streams.settings import Settings
from tests.streams.fakes import FakeMessage

SOURCE = "events"
Step = Callable[["Group"], list[FakeMessage]]


@pytest.fixture(autouse=True)
def commits_after_every_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.repartition.copier.COMMIT_EVERY_S", 0)


def record(number: int) -> FakeMessage:
    return FakeMessage(b'{"userId":"u-%d"}' % number, None, number)


class Group:
    """A consumer that fetches what its script says, and may be given and taken partition 0 in the middle of a fetch."""

    def __init__(self, *script: Step) -> None:
        self.script = list(script)
        self.calls: list[tuple[str, int]] = []
        self.committed_offset = -1001
        self.closed = False

    def subscribe(self, topics: list[str], on_assign: Any, on_revoke: Any, on_lost: Any) -> None:
        self.on = {"assign": on_assign, "revoke": on_revoke, "lost": on_lost}

    def rebalance(self, kind: str) -> None:
        self.on[kind](self, [TopicPartition(SOURCE, 0)])

    def consume(self, _: int, __: float) -> list[FakeMessage]:
        return self.script.pop(0)(self) if self.script else []

    def committed(self, partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        return [TopicPartition(p.topic, p.partition, self.committed_offset) for p in partitions]

    def get_watermark_offsets(self, _: TopicPartition, **__: Any) -> tuple[int, int]:
        return 0, 10

    def incremental_assign(self, partitions: list[TopicPartition]) -> None:
        self.calls += [("from", partition.offset) for partition in partitions]

    def incremental_unassign(self, _: list[TopicPartition]) -> None: ...

    def consumer_group_metadata(self) -> str:
        return "membership"

    def close(self) -> None:
        self.closed = True
        self.rebalance("revoke")


class Transactions:
    """A producer; `commits` holds what each committed transaction has: keys, and the offset."""

    def __init__(self, *failures: KafkaError) -> None:
        self.failures = list(failures)
        self.open: list[bytes | None] = []
        self.offset = -1
        self.commits: list[tuple[list[bytes | None], int]] = []
        self.aborts = 0

    def init_transactions(self, _: float) -> None: ...

    def begin_transaction(self) -> None:
        self.open = []

    def produce(self, topic: str, value: bytes, key: bytes | None, **_: Any) -> None:
        assert topic == "events.keyed"
        self.open.append(key)

    def poll(self, _: float) -> None: ...

    def send_offsets_to_transaction(self, offsets: list[TopicPartition], membership: str, _: float) -> None:
        assert membership == "membership"
        if self.failures:
            raise KafkaException(self.failures.pop(0))
        self.offset = offsets[0].offset

    def commit_transaction(self, _: float) -> None:
        self.commits.append((self.open, self.offset))

    def abort_transaction(self, _: float) -> None:
        self.aborts += 1


def run(group: Group, transactions: Transactions) -> dict[str, float]:
    """The counters after it, by name and label, such as `transactions committed`."""
    metrics = RepartitionMetrics()
    copier = Copier(
        group,
        transactions,
        Job((SOURCE,), "<topic>.keyed", "group").target_of,
        metrics,
        start="earliest",
        incremental=True,
        on_assigned=lambda: None,
        on_error=lambda error: None,
    )
    copier.run([SOURCE], lambda: not group.script)
    counted = {}
    for family in metrics.registry.collect():
        for sample in family.samples:
            name = sample.name.removeprefix("segbatch_").removesuffix("_total")
            counted[" ".join((name, *sample.labels.values()))] = sample.value
    return counted


def assigned(*messages: FakeMessage) -> Step:
    def step(group: Group) -> list[FakeMessage]:
        group.rebalance("assign")
        return list(messages)

    return step


def fetched(*messages: FakeMessage) -> Step:
    return lambda group: list(messages)


def test_an_aborted_transaction_is_read_again_from_where_it_began() -> None:
    group = Group(
        assigned(), fetched(record(0), record(1)), fetched(record(2)), fetched(record(0), record(1))
    )
    fenced = KafkaError(KafkaError.ILLEGAL_GENERATION, "", False, False, True)
    transactions = Transactions(fenced)

    counted = run(group, transactions)

    assert transactions.aborts == 1
    assert counted["transactions aborted"] == counted["transactions committed"] == 1
    assert counted["repartitioned_records user_id"] == 2
    assert group.calls == [("from", 0), ("from", 0)], "record 2 was fetched too early, and comes again"
    assert transactions.commits == [([b"u-0", b"u-1"], 2)]


def test_what_a_fetch_brings_of_a_partition_that_was_assigned_meanwhile_is_fetched_again() -> None:
    group = Group(assigned(record(5)), fetched(record(0)))
    transactions = Transactions()

    run(group, transactions)

    assert group.calls == [("from", 0), ("from", 0)]
    assert transactions.commits == [([b"u-0"], 1)]


def test_records_of_a_revoked_partition_are_left_to_its_next_owner() -> None:
    def revoked(group: Group) -> list[FakeMessage]:
        group.rebalance("revoke")
        return [record(1)]

    group = Group(assigned(), fetched(record(0)), revoked)
    transactions = Transactions()

    run(group, transactions)

    assert transactions.commits == [([b"u-0"], 1)]


def test_a_revoked_partition_is_committed_before_it_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.repartition.copier.COMMIT_EVERY_S", 1000)
    transactions = Transactions()
    committed_then: list[int] = []

    def revoked(group: Group) -> list[FakeMessage]:
        group.rebalance("revoke")
        committed_then.append(len(transactions.commits))
        return []

    group = Group(assigned(), fetched(record(0), record(1)), revoked, fetched())
    run(group, transactions)

    assert committed_then == [1]
    assert transactions.commits == [([b"u-0", b"u-1"], 2)]


def test_a_lost_partition_commits_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.repartition.copier.COMMIT_EVERY_S", 1000)

    def lost(group: Group) -> list[FakeMessage]:
        group.rebalance("lost")
        return [record(2)]

    group = Group(assigned(), fetched(record(0)), fetched(record(1)), lost)
    transactions = Transactions()

    run(group, transactions)

    assert transactions.commits == []
    assert transactions.aborts == 1


def test_a_member_without_partitions_waits() -> None:
    def idle(group: Group) -> list[FakeMessage]:
        group.on["assign"](group, [])
        return []

    group = Group(idle, fetched(record(0)))
    transactions = Transactions()

    run(group, transactions)

    assert group.calls == []
    assert transactions.commits == []


def test_a_failure_that_passes_is_tried_again() -> None:
    group = Group(assigned(), fetched(record(0)))
    transactions = Transactions(KafkaError(KafkaError.COORDINATOR_LOAD_IN_PROGRESS, "", False, True, False))

    run(group, transactions)

    assert transactions.commits == [([b"u-0"], 1)]


def test_after_a_fatal_failure_nothing_is_committed() -> None:
    group = Group(assigned(), fetched(record(0)), fetched(), fetched())
    transactions = Transactions(KafkaError(KafkaError._FENCED, "", True, False, False))

    with pytest.raises(KafkaException):
        run(group, transactions)

    assert group.closed
    assert transactions.commits == []


class Stuck:
    """A copier in a call that never returns."""

    moved_at = float("-inf")


async def test_a_call_that_never_returns_ends_the_process() -> None:
    repartition = Repartition(Settings(), Job((SOURCE,), "<topic>.keyed", "group"))
    repartition._copier = Stuck()  # type: ignore[assignment]
    never = threading.Event()
    thread = threading.Thread(target=never.wait, daemon=True)
    thread.start()

    assert await asyncio.wait_for(repartition._wait_for(thread), 20) == EXIT_FAILED
    never.set()


async def test_a_port_that_is_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings.model_validate({"web": {"port": taken.getsockname()[1]}})
        code = await Repartition(settings, Job((SOURCE,), "<topic>.keyed", "group")).run()

    assert code == EXIT_CONFIGURATION
    assert "web.port" in capsys.readouterr().err


async def test_stopping_takes_no_longer_than_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "POLL_S", 0.001)
    settings = Settings.model_validate({"shutdown_timeout_s": 0.01})
    repartition = Repartition(settings, Job((SOURCE,), "<topic>.keyed", "group"))
    never = threading.Event()
    thread = threading.Thread(target=never.wait, daemon=True)
    thread.start()
    repartition._stop.set()

    assert await asyncio.wait_for(repartition._wait_for(thread), 20) == EXIT_NOT_DRAINED
    never.set()
