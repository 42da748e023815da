"""What the runner tells people, and how it is asked."""

from __future__ import annotations

import random
import struct
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from streams.commit_metadata import encode
from tests.chaos.__main__ import main
from tests.chaos.commits import NOTHING, Commit, Commits, Settled, committed_partition, read_settled
from tests.chaos.group import GroupWatch
from tests.chaos.judge import Verdict
from tests.chaos.oracle import Kind, Sent, number_in, record, stories
from tests.chaos.report import BEGIN, END, failure, line, write_table
from tests.chaos.run import Result
from tests.chaos.scenarios import SCENARIOS

VERDICT = Verdict(
    events=12_345,
    repeated=12,
    bound=40,
    per_incident=4.5,
    p50_s=0.5,
    p99_s=1.25,
    recovery_s=2.0,
    calls=11,
    ideal_calls=10,
)
SEEN = Counter({"kills": 3, "rebalances": 7, "cuts": 2, "503": 20, "202": 900, "starts": 6})
PASSED = Result("kill", "kill -9", "classic", 7, VERDICT, SEEN, 60.0)
ROW = (
    "| kill -9 | classic | 12,345 | 3 | 7 | 20 times 503, 2 cuts | 0 | 12 (median 4.5 a kill) | 40 "
    "| 0.50 | 1.25 | 2.0 | 1.10 |"
)


def test_the_table_is_written_between_its_markers(tmp_path: Path) -> None:
    document = tmp_path / "reliability.md"
    document.write_text(f"# Before\n{BEGIN}\nold\n{END}\nafter\n")

    for _ in range(2):
        write_table(document, [PASSED], datetime(2026, 3, 2, tzinfo=UTC))

    text = document.read_text()
    assert text.startswith(
        f"# Before\n{BEGIN}\nRun of 2026-03-02, seed 7.\n\n| scenario | protocol | events |"
    )
    assert text.endswith(f"\n{ROW}\n{END}\nafter\n")


def test_a_document_without_markers_is_refused(tmp_path: Path) -> None:
    document = tmp_path / "other.md"
    document.write_text("# Other\n")

    with pytest.raises(ValueError, match="must hold each of the markers once"):
        write_table(document, [PASSED])
    assert document.read_text() == "# Other\n"


def test_a_failure_says_why_where_and_how_to_see_it_again() -> None:
    failed = Result("kill", "kill -9", "classic", 7, Verdict(broken=["lost 1: events 5"]), SEEN, 60.0)

    assert line(PASSED).startswith("passed  kill (classic, 60 s): 12,345 events, 3 kills")
    assert line(failed).startswith("FAILED  kill (classic, 60 s)")
    told = failure(failed, Path("build/chaos/kill-classic"))
    assert "lost 1: events 5" in told
    assert "build/chaos/kill-classic" in told
    assert "--only kill --protocol classic --seed 7" in told


def test_an_unknown_scenario_is_refused() -> None:
    with pytest.raises(SystemExit, match="no such scenario: nonsense"):
        main(["--only", "nonsense"])


def test_the_scenarios_are_told_apart_and_cover_both_protocols() -> None:
    names = [scenario.name for scenario in SCENARIOS]

    assert len(set(names)) == len(names)
    assert {protocol for scenario in SCENARIOS for protocol in scenario.protocols} == {"classic", "consumer"}
    for scenario in SCENARIOS:
        assert {"full", "soak"} <= scenario.sizes.keys(), scenario.name
        assert all(size.at_least for size in scenario.sizes.values()), scenario.name


@pytest.mark.parametrize("kind", Kind)
def test_a_record_is_recognised_by_its_number(kind: Kind) -> None:
    made = record(Sent(17, "user-1", kind))

    assert number_in(made.value) == 17
    assert made.key == b"user-1"


@pytest.mark.parametrize(
    "value", [None, b"", b"{broken x}", b"[]", b'{"messageId": 5}', b'{"messageId": "m-1"}']
)
def test_a_foreign_record_has_no_number(value: bytes | None) -> None:
    assert number_in(value) is None


def test_a_story_is_what_batch_must_get() -> None:
    told = stories([Sent(n, "a", kind) for n, kind in enumerate([*Kind, Kind.IDENTIFY])])

    assert told["a"].tracks == [0]
    assert told["a"].identifies == [1, 4]
    assert told["a"].attributes == {"step": 4, "slot_1": 1, "slot_0": 4}


def test_commits_are_read_from_kafkas_own_log() -> None:
    key = b"\x00\x01\x00\x05group\x00\x06events\x00\x00\x00\x03"

    assert committed_partition(key, "group") == 3
    assert committed_partition(key, "another") is None
    assert committed_partition(b"\x00\x02\x00\x05group", "group") is None
    assert committed_partition(b"", "group") is None


def test_the_last_commit_before_a_moment() -> None:
    commits = Commits({3: [Commit(at, Settled(10 * int(at), b"")) for at in (1.0, 2.0, 5.0)]})

    assert [commits.last_before(3, at).at for at in (0.5, 2.0, 4.9, 9.0)] == [0.0, 2.0, 2.0, 5.0]
    assert commits.last_before(3, 4.9).settled.offset == 20
    assert commits.last_before(4, 9.0) == Commit(0.0, NOTHING)


METADATA = encode(b"\x00\x01\x01" + random.Random(1).randbytes(5_000), None).encode()


@pytest.mark.parametrize(
    "value",
    [
        struct.pack(">hqih", 3, 100, -1, len(METADATA)) + METADATA + bytes(8),
        struct.pack(">hqi", 4, 100, -1)
        + bytes([(len(METADATA) + 1) % 128 + 128, (len(METADATA) + 1) // 128])
        + METADATA
        + bytes(9),
    ],
)
def test_what_a_commit_says_is_done(value: bytes) -> None:
    settled = read_settled(value)

    assert [offset for offset in range(97, 103) if settled.holds(offset)] == [97, 98, 99, 101, 102]
    assert not NOTHING.holds(0)


def test_a_commit_in_an_unknown_form_is_not_guessed_at() -> None:
    with pytest.raises(ValueError, match="version 5"):
        read_settled(struct.pack(">hqih", 5, 100, -1, 0))


def test_a_rebalance_that_went_on_at_a_moment_is_found() -> None:
    watch = GroupWatch(None, "group")  # type: ignore[arg-type]
    watch.unsettled = [(10.0, 12.0), (12.5, 15.0), (30.0, 31.0)]

    assert watch.unsettled_since(11.0, 1.0) == 10.0
    assert watch.unsettled_since(15.5, 1.0) == 10.0
    assert watch.unsettled_since(20.0, 1.0) == 20.0
    assert watch.unsettled_since(9.0, 1.0) == 9.0
    assert watch.unsettled_since(31.5, 1.0) == 30.0
