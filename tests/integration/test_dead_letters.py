"""Records that cannot be delivered lie in the dead-letter topic, unchanged, before they count as done."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from sink.settlement import profile_hash
from tests.integration.conftest import MakeScene
from tests.integration.local_batch import LocalBatch
from tests.integration.scene import Scene, header, identify
from tests.integration.workers import SEGBATCH, environment, wait_until
from tests.kafka import Record

BROKEN = b'{"type": "identify", "userId": "user-1", '
HEADERS = [("trace", b"t-1"), ("empty", b""), ("trace", b"t-2")]


def test_a_letter_is_the_record_unchanged_with_the_reason_in_headers(scene: Scene) -> None:
    worker = scene.worker().ready()
    scene.kafka.produce(
        scene.topic,
        [
            Record(identify("user-0", plan="gold"), b"user-0", partition=4),
            Record(BROKEN, b"user-1", HEADERS, partition=4),
        ],
    )

    scene.wait_until_drained()

    (letter,) = scene.dead_letters()
    assert (letter.key(), letter.value(), letter.partition()) == (b"user-1", BROKEN, 4)
    assert (letter.headers() or [])[: len(HEADERS)] == HEADERS
    assert header(letter, "__connect.errors.topic") == scene.topic
    assert header(letter, "__connect.errors.partition") == "4"
    assert header(letter, "__connect.errors.offset") == "1"
    assert header(letter, "segbatch.reason") == "invalid_json"
    assert worker.stop() == 0
    assert worker.summary["records"] == {
        "accepted": 1,
        "skipped": {},
        "dead_lettered": {"invalid_json": 1},
    }


def test_every_reason_of_a_refusal_is_told_and_the_others_are_delivered(scene: Scene) -> None:
    bad = {
        "blank_user_id": b'{"type": "identify", "userId": " ", "traits": {"a": 1}}',
        "junk_user_id": b'{"type": "identify", "userId": "null", "traits": {"a": 1}}',
        "invalid_json": b"\x00\xff",
    }
    scene.kafka.produce(scene.topic, [Record(value, reason.encode()) for reason, value in bad.items()])
    scene.kafka.produce(scene.topic, [Record(identify("user-1", plan="gold"), b"user-1")])
    worker = scene.worker().ready()

    scene.wait_until_drained()

    letters = {letter.value(): header(letter, "segbatch.reason") for letter in scene.dead_letters()}
    assert letters == {value: reason for reason, value in bad.items()}
    assert scene.batch.attributes() == {"user-1": {"plan": "gold"}}
    assert worker.stop() == 0
    assert worker.summary["records"]["dead_lettered"] == dict.fromkeys(sorted(bad), 1)


def test_a_record_too_large_for_the_topic_goes_without_value_and_says_so(make_scene: MakeScene) -> None:
    scene = make_scene()
    scene.kafka.create_topic(scene.topic, 2)
    scene.kafka.create_topic(scene.dead_letter_topic, 2, max_message_bytes="4000")
    large = Random(1).randbytes(20_000)
    scene.kafka.produce(
        scene.topic,
        [
            Record(large, b"user-1", [("trace", b"t-1")], partition=1),
            Record(BROKEN, b"user-2", partition=1),
        ],
    )
    worker = scene.worker().ready()

    scene.wait_until_drained()

    letters = {letter.key(): letter for letter in scene.dead_letters()}
    assert letters.keys() == {b"user-1", b"user-2"}
    assert letters[b"user-1"].value() is None
    assert letters[b"user-1"].partition() == 1
    assert header(letters[b"user-1"], "segbatch.value.left.out") == "true"
    assert header(letters[b"user-1"], "trace") == "t-1"
    assert header(letters[b"user-1"], "__connect.errors.topic") == scene.topic
    assert header(letters[b"user-1"], "__connect.errors.partition") == "1"
    assert header(letters[b"user-1"], "__connect.errors.offset") == "0"
    assert letters[b"user-2"].value() == BROKEN
    assert header(letters[b"user-2"], "segbatch.value.left.out") is None
    assert worker.stop() == 0


def test_a_missing_dead_letter_topic_is_told_before_there_is_a_letter(make_scene: MakeScene) -> None:
    scene = make_scene()
    scene.kafka.create_topic(scene.topic, 3)
    worker = scene.worker().ready()

    told = worker.wait_for("the topic of the dead letters is missing")
    assert (told["level"], told["topic"]) == ("error", scene.dead_letter_topic)
    assert "Create it with 3 partitions, or set dead_letter.topic" in told["remedy"]
    assert worker.readiness() == (200, {})
    assert worker.page("readyz")["warnings"] == {"dead_letters": told["remedy"]}
    shown = subprocess.run(
        [SEGBATCH, "status", "--url", worker.web], capture_output=True, text=True, check=False
    )
    assert f"dead_letters: {scene.dead_letter_topic} does not exist" in shown.stdout
    assert worker.stop() == 0


def test_a_worker_does_not_stop_later_for_letters_that_kafka_refuses(make_scene: MakeScene) -> None:
    scene = make_scene()
    scene.kafka.create_topic(scene.topic, 1)
    scene.kafka.produce(scene.topic, [Record(BROKEN, b"user-1")])
    forever = {"SHUTDOWN_TIMEOUT_S": "3600", "DRAIN_TIMEOUT_S": "250"}
    worker = scene.worker(**forever).ready()
    wait_until(lambda: worker.readiness()[0] == 503, "the worker says that it cannot write dead letters")

    assert worker.stop() == 3

    told = worker.logged("stopping without dead letters that Kafka refuses")
    assert [(line["letters"], line["setting"]) for line in told] == [(1, "dead_letter.topic")]
    assert scene.kafka.committed(scene.group, scene.topic).get(0, 0) == 0


def test_a_missing_source_topic_is_told_with_what_to_do(make_scene: MakeScene) -> None:
    scene = make_scene()
    worker = scene.worker()
    told = worker.wait_for("Kafka reports a problem")
    assert (told["error"], scene.topic in told["detail"]) == ("UNKNOWN_TOPIC_OR_PART", True)
    assert "create the topic, or correct kafka.topics" in told["remedy"]
    scene.kafka.create_topic(scene.topic, 1)
    assert worker.ready().readiness() == (200, {})
    assert worker.stop() == 0


def test_without_a_dead_letter_topic_records_wait_until_there_is_one(make_scene: MakeScene) -> None:
    scene = make_scene()
    scene.kafka.create_topic(scene.topic, 3)
    scene.kafka.produce(
        scene.topic,
        [
            Record(BROKEN, b"user-1", partition=2),
            Record(BROKEN, b"user-3", partition=0),
            Record(identify("user-2", plan="gold"), b"user-2", partition=2),
        ],
    )
    worker = scene.worker().ready()

    wait_until(lambda: worker.readiness()[0] == 503, "the worker says that it cannot write dead letters")
    assert "dead_letters" in worker.readiness()[1]
    wait_until(lambda: scene.batch.attributes() == {"user-2": {"plan": "gold"}}, "the others are delivered")
    assert scene.kafka.committed(scene.group, scene.topic).get(2, 0) == 0
    scene.kafka.create_topic(scene.dead_letter_topic, 3)

    scene.wait_until_drained()
    assert worker.readiness() == (200, {})
    assert [(letter.key(), letter.partition()) for letter in scene.dead_letters()] == [
        (b"user-3", 0),
        (b"user-1", 2),
    ]
    assert worker.stop() == 0


def test_of_a_replayed_letter_the_worker_sends_what_was_not_settled(scene: Scene) -> None:
    worker = scene.worker().ready()
    two_days_ago = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    late = {
        "type": "track",
        "userId": "user-1",
        "event": "Bought",
        "messageId": "m-1",
        "timestamp": two_days_ago,
        "context": {"traits": {"plan": "old"}},
    }
    scene.kafka.produce(
        scene.topic, [Record(json.dumps(late).encode(), b"user-1", [("trace", b"t-1")], partition=3)]
    )
    scene.wait_until_drained()
    (letter,) = scene.dead_letters()
    assert header(letter, "segbatch.part") == "event"
    assert header(letter, "segbatch.mapping") == "Update Profile"
    scene.kafka.produce(scene.topic, [Record(identify("user-1", plan="new"), b"user-1", partition=3)])
    scene.wait_until_drained()

    command = ["dead-letters", "replay", "--late", "send_without_time"]
    done = subprocess.run(
        [SEGBATCH, *command], env=environment(scene.settings()), capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    wait_until(lambda: worker.metric("segbatch_records_total", outcome="accepted") == 2, "it was delivered")
    (profile,) = scene.batch.profiles()
    assert profile["attributes"] == {"plan": "new"}
    assert [event["name"] for event in profile["events"]] == ["bought"]
    replayed = scene.kafka.read_all(scene.topic)[-1]
    assert (replayed.partition(), header(replayed, "trace")) == (3, "t-1")
    assert worker.stop() == 0
    assert scene.dead_letters()[0].value() == letter.value()
    assert worker.summary["records"]["dead_lettered"] == {"event_too_old": 1}


def test_a_replayed_record_that_is_refused_again_is_a_letter_again_without_what_replay_added(
    scene: Scene,
) -> None:
    scene.kafka.produce(scene.topic, [Record(BROKEN, b"user-1", HEADERS, partition=2)])
    worker = scene.worker().ready()
    scene.wait_until_drained()
    command = [SEGBATCH, "dead-letters", "replay"]
    subprocess.run(command, env=environment(scene.settings()), capture_output=True, check=True)
    wait_until(
        lambda: worker.metric("segbatch_records_total", outcome="dead_lettered") == 2, "it was refused again"
    )
    letters = [letter for letter in scene.dead_letters() if letter.key() == b"user-1"]
    assert len(letters) == 2
    names = [[name for name, _ in letter.headers() or ()] for letter in letters]
    assert names[0] == names[1]
    assert "segbatch.replayed" not in names[0]
    assert header(letters[1], "__connect.errors.offset") == "1"
    assert worker.stop() == 0


TWO_PROFILES = """
mappings:
  - name: Buyer
    trigger: type = "track"
    mapping:
      identifiers:
        custom_id: {"@path": $.userId}
      eventName: bought
  - name: Company
    trigger: type = "track"
    mapping:
      identifiers:
        custom_id: {"@path": $.properties.company}
      profileAttributes:
        last_buyer: {"@path": $.userId}
      eventName: bought
"""


def test_of_a_record_of_two_profiles_only_the_refused_one_is_sent_again(
    make_scene: MakeScene, tmp_path: Path
) -> None:
    scene = make_scene(max_custom_id_chars=10, update_log_size=100).create_topics()
    lenient = LocalBatch(update_log_size=100)
    mappings = tmp_path / "mappings.yaml"
    mappings.write_text(TWO_PROFILES)
    company = "company-with-a-long-id"
    bought = {"type": "track", "userId": "user-1", "event": "Bought", "properties": {"company": company}}
    scene.kafka.produce(scene.topic, [Record(json.dumps(bought).encode(), b"user-1", partition=3)])
    worker = scene.worker(MAPPINGS=str(mappings)).ready()
    scene.wait_until_drained()
    assert worker.stop() == 0
    assert [update["custom_id"] for update in scene.batch.updates()] == ["user-1"]
    (letter,) = scene.dead_letters()
    assert header(letter, "segbatch.part") == "record"
    assert header(letter, "segbatch.profile") == profile_hash(company)

    settings = scene.settings(MAPPINGS=str(mappings), BATCH__BASE_URL=lenient.url)
    done = subprocess.run(
        [SEGBATCH, "dead-letters", "replay"], env=environment(settings), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    worker = scene.start(settings).ready()
    scene.wait_until_drained()
    assert worker.stop() == 0
    assert worker.summary["records"] == {"accepted": 1, "skipped": {}, "dead_lettered": {}}
    assert [update["custom_id"] for update in lenient.updates()] == [company]
    (profile,) = lenient.profiles()
    assert profile["attributes"] == {"last_buyer": "user-1"}
    assert [event["name"] for event in profile["events"]] == ["bought"]
    lenient.close()


def test_a_replay_whose_profile_the_mappings_no_longer_make_is_a_letter_until_all_profiles_are_asked_for(
    make_scene: MakeScene, tmp_path: Path
) -> None:
    scene = make_scene(max_custom_id_chars=10, update_log_size=100).create_topics()
    mappings = tmp_path / "mappings.yaml"
    mappings.write_text(TWO_PROFILES)
    properties = {"company": "company-with-a-long-id", "number": "c-1"}
    bought = {"type": "track", "userId": "user-1", "event": "Bought", "properties": properties}
    scene.kafka.produce(scene.topic, [Record(json.dumps(bought).encode(), b"user-1", partition=3)])
    worker = scene.worker(MAPPINGS=str(mappings)).ready()
    scene.wait_until_drained()
    mappings.write_text(TWO_PROFILES.replace("properties.company", "properties.number"))
    worker.hang_up()
    worker.wait_for("mappings read again")

    env = environment(scene.settings())
    subprocess.run([SEGBATCH, "dead-letters", "replay"], env=env, check=True)
    wait_until(lambda: len(scene.kafka.read_all(scene.dead_letter_topic)) == 3, "a letter, a mark, a letter")
    *_, letter = scene.dead_letters()
    assert header(letter, "segbatch.reason") == "profile_not_found"
    assert header(letter, "segbatch.profile") == profile_hash(properties["company"])
    assert [update["custom_id"] for update in scene.batch.updates()] == ["user-1"]

    subprocess.run([SEGBATCH, "dead-letters", "replay", "--all-profiles"], env=env, check=True)
    wait_until(lambda: worker.metric("segbatch_records_total", outcome="accepted") == 1, "it was delivered")
    assert worker.stop() == 0
    assert sorted(update["custom_id"] for update in scene.batch.updates()) == ["c-1", "user-1", "user-1"]
