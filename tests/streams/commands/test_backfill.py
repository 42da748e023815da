"""`segbatch backfill` of files, without Kafka, against a local Batch."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from streams.backfill import kafka_range
from tests.integration.local_batch import LocalBatch
from tests.integration.workers import wait_until
from tests.streams.commands.helpers import Segbatch, Start

KEYS = {"SEGBATCH_BATCH__REST_API_KEY": "rest-key", "SEGBATCH_BATCH__PROJECT_KEY": "project-key"}
NOW = datetime.now(UTC)


@pytest.fixture
def batch() -> Iterator[LocalBatch]:
    local = LocalBatch()
    yield local
    local.close()


@pytest.fixture
def keys(batch: LocalBatch) -> dict[str, str]:
    return {**KEYS, "SEGBATCH_BATCH__BASE_URL": batch.url}


def event(user: str, day: int = 1, kind: str = "identify", **more: Any) -> dict[str, Any]:
    return {"type": kind, "userId": user, "timestamp": f"2026-01-{day:02}T00:00:00Z", **more}


def write(name: str, *events: dict[str, Any] | str) -> str:
    lines = [each if isinstance(each, str) else json.dumps(each) for each in events]
    Path(name).write_text("\n".join(lines) + "\n")
    return name


def test_the_last_value_of_each_attribute_goes_whatever_the_order_of_the_files(
    segbatch: Segbatch, batch: LocalBatch, keys: dict[str, str]
) -> None:
    write("a.json", event("u1", 3, traits={"plan": "new"}), event("u2", 1, traits={"plan": "x"}))
    write("b.json", event("u1", 1, traits={"plan": "old", "city": "Paris", "joined": "2020-01-01T00:00:00Z"}))
    write("c.json", event("u1", 3, traits={"plan": "same time, later place"}))

    result = segbatch("backfill", "a.json", "b.json", "c.json", "--json", **keys)

    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["phase"], report["events"], report["profiles"], report["updates"]) == ("done", 4, 2, 2)
    assert batch.attributes() == {
        "u1": {"plan": "same time, later place", "city": "Paris", "date(joined)": "2020-01-01T00:00:00Z"},
        "u2": {"plan": "x"},
    }
    assert [call["route"] for call in batch.calls()] == ["mass-update"]


def test_only_what_is_asked_for_is_brought_over(
    segbatch: Segbatch, batch: LocalBatch, keys: dict[str, str]
) -> None:
    write(
        "events.json",
        event("u1", 1, traits={"n": 1}, projectId="shop"),
        event("u2", 5, traits={"n": 2}, projectId="shop"),
        event("u3", 9, traits={"n": 3}, projectId="shop"),
        event("u4", 5, traits={"n": 4}, writeKey="shop"),
        event("u5", 5, traits={"n": 5}, projectId="other", writeKey={}),
        event("u6", 5, traits={"n": 6, "vip": False}, projectId="shop"),
        event("u7", 5, "track", event="Bought", projectId="shop"),
        {"type": "identify", "userId": "u8", "traits": {"n": 8}, "projectId": "shop"},
        {
            **event("u9", 1, traits={"n": 9}, projectId="shop"),
            "timestamp": None,
            "receivedAt": "2026-01-05T00:00:00Z",
        },
        "no json",
        event("", 5, traits={"n": 10}, projectId="shop"),
    )
    options = (
        "--from",
        "2026-01-02",
        "--to",
        "2026-01-09",
        "--source",
        "shop",
        "--where",
        "traits.vip != false",
    )

    result = segbatch("backfill", "events.json", *options, "--json", **keys)

    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["skipped"] == {
        "outside_range": 2,
        "other_source": 1,
        "not_where": 1,
        "other_type": 1,
        "no_timestamp": 1,
    }
    assert report["rejected"] == {"invalid_json": 1, "blank_user_id": 1}
    assert report["rejected_places"][0] == f"{Path.cwd()}/events.json:10: invalid_json"
    assert batch.attributes() == {"u2": {"n": 2}, "u4": {"n": 4}, "u9": {"n": 9}}


def test_the_range_may_have_mappings_of_its_own(
    segbatch: Segbatch, batch: LocalBatch, keys: dict[str, str]
) -> None:
    write(
        "events.json",
        event("u1", traits={"plan": "gold"}),
        event("u1", 2, "group", groupId="g", traits={"name": "Acme"}),
    )
    Path("history.yaml").write_text(
        """
        mappings:
          - name: groups
            trigger: type = "group"
            mapping:
              identifiers: {custom_id: {"@path": $.userId}}
              profileAttributes: {company: {"@path": $.traits.name}}
        """
    )

    result = segbatch("backfill", "events.json", "--types", "group", "--mappings", "history.yaml", **keys)

    assert result.exit_code == 0, result.output
    assert batch.attributes() == {"u1": {"company": "Acme"}}
    assert segbatch("backfill", "events.json", "--mappings", "none.yaml", **keys).exit_code == 78


def test_tracks_of_the_last_24_hours_go_when_asked_for_and_older_ones_leave_their_attributes(
    segbatch: Segbatch, batch: LocalBatch, keys: dict[str, str]
) -> None:
    recent = (NOW - timedelta(hours=2)).isoformat().replace("+00:00", "Z")
    old = event("u1", 1, "track", event="Old", context={"traits": {"email": "a@example.com"}})
    write("events.json", old, {**event("u1", 1, "track", event="New"), "timestamp": recent})

    result = segbatch("backfill", "events.json", "--types", "identify,track", **keys)

    assert result.exit_code == 0, result.output
    (profile,) = batch.profiles()
    assert profile["attributes"] == {"$email_address": "a@example.com"}
    assert [each["name"] for each in profile["events"]] == ["new"]
    assert "event_too_old 1" in result.stdout
    assert "only those of the last 24 hours" in result.stderr


def test_more_than_50_attributes_go_in_several_updates(
    segbatch: Segbatch, batch: LocalBatch, keys: dict[str, str]
) -> None:
    traits = [{f"a{number + 40 * part}": number for number in range(40)} for part in range(3)]
    write("events.json", *(event("u1", 1 + part, traits=each) for part, each in enumerate(traits)))

    result = segbatch("backfill", "events.json", "--json", **keys)

    assert json.loads(result.stdout)["updates"] == 3
    assert len(batch.attributes()["u1"]) == 120
    assert not any(batch.stats()["violations"].values())


def test_of_a_profile_of_several_updates_each_letter_holds_what_no_other_does(
    segbatch: Segbatch, keys: dict[str, str]
) -> None:
    strict = LocalBatch(max_custom_id_chars=5)
    traits = {f"a{number}": number for number in range(70)}
    bought = [
        event("too-long", kind="track", event=f"e{number}") | {"timestamp": NOW.isoformat()}
        for number in range(40)
    ]
    write("events.json", event("too-long", traits=traits), *bought)

    report = json.loads(
        segbatch(
            "backfill",
            "events.json",
            "--types",
            "identify,track",
            "--json",
            **{**keys, "SEGBATCH_BATCH__BASE_URL": strict.url},
        ).stdout
    )
    strict.close()

    assert report["dead_lettered"] == {"refused_by_batch": 1}
    lines = (Path(".segbatch") / report["id"] / "dead-letters.jsonl").read_text().splitlines()
    letters = [json.loads(line)["event"] for line in lines]
    assert [len(each["attributes"]) for each in letters] == [50, 20, 0]
    assert {name: value for each in letters for name, value in each["attributes"].items()} == traits
    names = [sent["name"] for each in letters for sent in each["events"]]
    assert names == [f"e{number}" for number in range(40)]


def test_a_dry_run_sends_nothing_keeps_nothing_and_needs_no_keys(
    segbatch: Segbatch, batch: LocalBatch
) -> None:
    traits = {f"a{number}": number for number in range(60)}
    write("events.json", event("u1", traits=traits), event("u2", traits={"bad": {}, "good": 1}))

    result = segbatch("backfill", "events.json", "--dry-run", "--json")

    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["profiles"], report["fields"]) == (2, {"object_not_supported": 1})
    assert report["would_send"]["updates"] == 3
    assert report["would_send"]["calls"] == 1
    assert report["would_send"]["seconds"] > 0
    assert batch.stats()["calls"] == 0
    assert not Path(".segbatch").exists()
    words = segbatch("backfill", "events.json", "--dry-run").stdout
    assert "nothing was sent" in words
    assert "3 updates" in words


def test_a_refused_profile_lies_in_the_state_folder_where_there_is_no_kafka(segbatch: Segbatch) -> None:
    local = LocalBatch(max_custom_id_chars=10)
    write("events.json", event("u1", traits={"n": 1}), event("much-too-long", traits={"n": 2}))
    try:
        result = segbatch("backfill", "events.json", "--json", **KEYS, SEGBATCH_BATCH__BASE_URL=local.url)
        assert set(local.attributes()) == {"u1"}
    finally:
        local.close()

    report = json.loads(result.stdout)
    assert report["dead_lettered"] == {"refused_by_batch": 1}
    letters = Path(".segbatch") / report["id"] / "dead-letters.jsonl"
    (letter,) = map(json.loads, letters.read_text().splitlines())
    assert letter["reason"] == "refused_by_batch"
    assert letter["event"]["userId"] == "much-too-long"
    assert letter["event"]["attributes"] == {"n": 2}
    assert stat.S_IMODE(letters.stat().st_mode) == 0o600
    assert stat.S_IMODE(Path(".segbatch").stat().st_mode) == 0o700


def test_a_profile_of_which_batch_refuses_an_event_is_accepted_with_a_copy_in_the_letters(
    start: Start, batch: LocalBatch, keys: dict[str, str]
) -> None:
    recent = (NOW - timedelta(hours=2)).isoformat().replace("+00:00", "Z")
    write("events.json", {**event("u1", 1, "track", event="New"), "timestamp": recent})
    batch.fault("partial_error")

    out, _ = start("backfill", "events.json", "--types", "track", "--json", **keys).communicate(timeout=30)

    report = json.loads(out)
    assert (report["phase"], report["accepted"], report["dead_lettered"]) == ("done", 1, {})
    letters = Path(".segbatch") / report["id"] / "dead-letters.jsonl"
    (letter,) = map(json.loads, letters.read_text().splitlines())
    assert letter["delivered"]
    assert [each["name"] for each in letter["event"]["events"]] == ["new"]


def test_ctrl_c_stops_it_and_resume_goes_on(
    segbatch: Segbatch, start: Start, batch: LocalBatch, keys: dict[str, str]
) -> None:
    write("events.json", *(event(f"u{number}", traits={"n": number}) for number in range(1_000)))
    running = start("backfill", "events.json", "--limit-rate", "200", **keys)
    wait_until(lambda: batch.stats()["updates"] > 100, "some are sent")

    running.send_signal(2)
    _, errors = running.communicate(timeout=30)
    assert running.returncode == 130
    found = re.search(r"segbatch backfill --resume (\S+)", errors)
    assert found is not None, errors
    assert batch.stats()["updates"] < 1_000
    shown = segbatch("backfill", "show", found[1])
    assert "interrupted" in shown.stdout
    assert "--resume" in shown.stdout

    again = segbatch("backfill", "events.json", "--limit-rate", "200", **keys)
    assert again.exit_code == 1
    assert f"backfill {found[1]} of the same range was not finished" in again.stderr

    result = segbatch("backfill", "--resume", found[1], **keys)
    assert result.exit_code == 0, result.output
    assert batch.stats()["updates"] == 1_000
    assert batch.attributes() == {f"u{number}": {"n": number} for number in range(1_000)}
    listed = json.loads(segbatch("backfill", "list", "--json").stdout)
    assert [(each["id"], each["phase"]) for each in listed] == [(found[1], "done")]
    assert segbatch("backfill", "--resume", found[1], **keys).exit_code == 1


def test_the_report_of_a_resumed_backfill_has_the_calls_of_the_process_that_was_killed(
    segbatch: Segbatch, start: Start, batch: LocalBatch, keys: dict[str, str]
) -> None:
    def shown() -> dict[str, Any]:
        (found,) = json.loads(segbatch("backfill", "list", "--json").stdout)
        return dict(found)

    write("events.json", *(event(f"u{number}", traits={"n": number}) for number in range(1_000)))
    running = start("backfill", "events.json", "--limit-rate", "200", **keys)
    wait_until(lambda: batch.stats()["calls"] > 0, "the first call")
    wait_until(lambda: shown()["report"]["calls"].get("202", 0) >= 3, "the state tells of three calls")
    running.kill()
    running.communicate()
    left, before = shown(), batch.stats()["calls"]
    words = segbatch("backfill", "show", left["id"]).stdout

    resumed = json.loads(segbatch("backfill", "--resume", left["id"], "--json", **keys).stdout)

    counted = left["report"]["calls"]["202"]
    assert left["report"]["profiles_left"] == 1_000 - left["report"]["accepted"] > 0
    assert f"in calls that ended {counted} with 202" in words
    assert (resumed["profiles_left"], resumed["accepted"]) == (0, 1_000)
    uncounted = batch.stats()["calls"] - before - (resumed["calls"]["202"] - counted)
    assert uncounted in (0, 1), "but for one that was in flight at the kill, every call is in the report"


def test_a_running_backfill_can_be_cancelled_and_is_held_by_its_process(
    segbatch: Segbatch, start: Start, batch: LocalBatch, keys: dict[str, str]
) -> None:
    write("events.json", *(event(f"u{number}", traits={"n": number}) for number in range(1_000)))
    running = start("backfill", "events.json", "--limit-rate", "100", **keys)
    wait_until(lambda: batch.stats()["updates"] > 50, "some are sent")
    (found,) = json.loads(segbatch("backfill", "list", "--json").stdout)

    assert found["running"]
    resumed = segbatch("backfill", "--resume", found["id"], **keys)
    assert (resumed.exit_code, "is running" in resumed.stderr) == (1, True)
    assert segbatch("backfill", "cancel", found["id"]).exit_code == 0
    out, _ = running.communicate(timeout=30)
    assert running.returncode == 1
    assert f"backfill {found['id']}: cancelled" in out
    assert batch.stats()["updates"] < 1_000
    assert "cancelled" in segbatch("backfill", "list").stdout


def test_an_interrupted_backfill_can_be_cancelled(
    segbatch: Segbatch, start: Start, batch: LocalBatch, keys: dict[str, str]
) -> None:
    write("events.json", *(event(f"u{number}", traits={"n": number}) for number in range(1_000)))
    running = start("backfill", "events.json", "--limit-rate", "100", **keys)
    wait_until(lambda: batch.stats()["updates"] > 50, "some are sent")
    running.kill()
    running.communicate()
    (found,) = json.loads(segbatch("backfill", "list", "--json").stdout)

    result = segbatch("backfill", "cancel", found["id"], **keys)

    assert result.exit_code == 0, result.output
    assert "cancelled" in segbatch("backfill", "show", found["id"]).stdout
    assert batch.stats()["updates"] < 1_000
    assert segbatch("backfill", "events.json", "--dry-run").exit_code == 0


def test_a_backfill_that_cannot_be_read_to_its_end_can_be_cancelled(
    segbatch: Segbatch, batch: LocalBatch, keys: dict[str, str]
) -> None:
    write("1.json", event("u1", traits={"n": 1}))
    Path("2.json.gz").write_bytes(b"\x1f\x8b damaged")
    assert segbatch("backfill", "1.json", "2.json.gz", **keys).exit_code == 1
    (found,) = json.loads(segbatch("backfill", "list", "--json").stdout)
    assert found["phase"] == "reading"

    result = segbatch("backfill", "cancel", found["id"], **keys)

    assert result.exit_code == 0, result.output
    assert f"{found['id']}: cancelled" in segbatch("backfill", "show", found["id"]).stdout
    assert batch.stats()["calls"] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "name files, or a topic"),
        (("none.json",), 1, "there is no such file"),
        (("--topic", "t"), 2, "--from"),
        (("x.json", "--from", "yesterday"), 2, "--from 'yesterday' is not an ISO 8601 time"),
        (("x.json", "--to", "later"), 2, "--to 'later' is not an ISO 8601 time"),
        (("x.json", "--from", "2026-01-02", "--to", "2026-01-01"), 2, "--from is not before --to"),
        (("x.json", "--types", "identity"), 2, "the types are identify"),
        (("x.json", "--where", "type ="), 2, "--where"),
        (("--resume", "nope"), 1, "there is no backfill 'nope'"),
        (("x.json", "--resume", "nope"), 2, "leave the other options out"),
        (("show", "nope"), 1, "there is no backfill 'nope'"),
        (("cancel", "nope"), 1, "there is no backfill 'nope'"),
    ],
)
def test_what_is_wrong_is_said(
    segbatch: Segbatch, arguments: tuple[str, ...], code: int, message: str
) -> None:
    result = segbatch("backfill", *arguments, **KEYS)

    assert result.exit_code == code, result.output
    assert message in result.stderr
    assert not list(Path().glob(".segbatch/*/state.sqlite")), (
        "a backfill that cannot begin leaves nothing behind"
    )


def test_keys_are_asked_for_before_anything_is_read(segbatch: Segbatch) -> None:
    write("events.json", event("u1", traits={"n": 1}))

    result = segbatch("backfill", "events.json")

    assert result.exit_code == 78
    assert "batch.rest_api_key" in result.stderr
    assert not Path(".segbatch").exists()


def test_metrics_are_served_while_it_runs(start: Start, batch: LocalBatch, keys: dict[str, str]) -> None:
    import urllib.request

    write("events.json", *(event(f"u{number}", traits={"n": number}) for number in range(500)))
    running = start("backfill", "events.json", "--limit-rate", "100", "--metrics-port", "0", **keys)
    assert running.stderr is not None
    found = re.search(r"metrics at (\S+)", running.stderr.readline())
    assert found is not None
    wait_until(lambda: batch.stats()["updates"] > 0, "some are sent")

    def told() -> bool:
        with urllib.request.urlopen(found[1], timeout=5) as answer:
            page = answer.read().decode()
        return "segbatch_updates_total 0.0" not in page and 'segbatch_calls_total{status="202"}' in page

    wait_until(told, "the metrics tell of updates and calls")


def test_help_is_that_of_the_start(segbatch: Segbatch) -> None:
    assert "--resume" in segbatch("backfill", "--help").stdout


def test_files_beside_a_live_stream_that_does_not_answer_say_how_to_go_without(
    segbatch: Segbatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_range, "LOOKUP_S", 0.5)
    Path("events.jsonl").write_text('{"type": "identify", "userId": "u1", "traits": {"plan": "basic"}}\n')
    nowhere = {"SEGBATCH_KAFKA__BROKERS": "127.0.0.1:1", "SEGBATCH_KAFKA__TOPICS": "events"}
    result = segbatch("backfill", "events.jsonl", "--dry-run", **nowhere)
    assert result.exit_code == 1
    assert "backfill: no broker answers at 127.0.0.1:1: " in result.stderr
    assert "Correct kafka.brokers" in result.stderr
    assert "take kafka.brokers and kafka.topics out of the settings" in result.stderr
    topic = segbatch("backfill", "--topic", "events", "--from", "earliest", "--dry-run", **nowhere)
    assert "Correct kafka.brokers" in topic.stderr
    assert "out of the settings" not in topic.stderr
