"""The closing account: when all is well, and what it says when it is not."""

from __future__ import annotations

from typing import Any

import pytest

from streams.demo.summary import Account, Summary, add_up, problems_of
from streams.demo.words import closing_words

EXPECTED = {"accepted": 90, "skipped": {"no_user_id": 6}, "dead_lettered": {"invalid_json": 4}}
STATS: dict[str, Any] = {"updates": 30, "violations": {"same_profile_in_flight": 0, "repeated_in_call": 0}}
FIRST = {
    "records": {"accepted": 50, "skipped": {"no_user_id": 6}, "dead_lettered": {"invalid_json": 1}},
    "updates": 20,
    "calls": {"202": 3},
    "retries": 1,
    "ambiguous": 0,
}
SECOND = {
    "records": {"accepted": 40, "skipped": {}, "dead_lettered": {"invalid_json": 3}},
    "updates": 10,
    "calls": {"202": 2, "503": 1},
    "retries": 2,
    "ambiguous": 1,
}
ACCOUNT = add_up([FIRST, SECOND])


def summary(**changes: Any) -> Summary:
    whole: dict[str, Any] = {
        "produced": 100,
        "account": ACCOUNT,
        "lag": 0,
        "profiles": 12,
        "profile_events": 34,
        "differences": [],
        "problems": [],
        "refused_429": 0,
        "tokens_waited_s": 1.25,
        "workers": 2,
        "seconds": 30.04,
    }
    return Summary(**(whole | changes))


def words(of: Summary) -> str:
    return "\n".join(paragraph.plain for paragraph in closing_words(of))


def test_the_accounts_of_all_workers_are_added_up() -> None:
    wanted = Account(
        accepted=90,
        skipped={"no_user_id": 6},
        dead_lettered={"invalid_json": 4},
        updates=30,
        calls={"202": 5, "503": 1},
        retries=3,
        ambiguous=1,
    )
    assert add_up([FIRST, SECOND]) == wanted
    assert ACCOUNT.ended == 100


def test_nothing_is_wrong_with_counts_that_agree() -> None:
    assert problems_of(ACCOUNT, EXPECTED, 100, 4, STATS) == []


def test_a_record_of_which_batch_had_everything_counts_as_accepted() -> None:
    account = ACCOUNT._replace(accepted=85, skipped={"no_user_id": 6, "unchanged": 5})
    assert problems_of(account, EXPECTED, 100, 4, STATS) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"produced": 101}, "101 records were produced, but the workers account for 100"),
        ({"expected": EXPECTED | {"accepted": 91}}, "accepted is 90, expected 91"),
        (
            {"expected": EXPECTED | {"dead_lettered": {"event_too_old": 4}}},
            "dead-lettered is {'invalid_json': 4}, expected {'event_too_old': 4}",
        ),
        ({"letters": 5}, "4 dead letters are counted, but their topic holds 5"),
        ({"stats": STATS | {"updates": 31}}, "the workers count 30 accepted updates, the sandbox 31"),
        (
            {"stats": STATS | {"violations": {"same_profile_in_flight": 2, "repeated_in_call": 0}}},
            "a profile had two requests in flight at once (2 times)",
        ),
    ],
)
def test_counts_that_do_not_agree_are_told(changes: dict[str, Any], problem: str) -> None:
    given: dict[str, Any] = {"expected": EXPECTED, "produced": 100, "letters": 4, "stats": STATS} | changes
    assert problems_of(ACCOUNT, **given) == [problem]


def test_a_good_end_is_told_in_words_with_what_to_do_next() -> None:
    told = words(summary())
    assert "90 of 100 Segment events became 30 profile updates in 6 calls: 3.0 events an update." in told
    assert "6 skipped (no_user_id 6), 4 in the dead-letter topic (invalid_json 4). Lag is 0." in told
    assert "12 profiles and 34 events in Batch are exactly those expected" in told
    assert "map shows what an event of yours becomes" in told


def test_what_merging_saves_is_told() -> None:
    account = ACCOUNT._replace(accepted=9_000, updates=3_000)
    told = words(summary(account=account))
    assert "300 updates a second: 30 s for these events one by one, 10 s for these updates." in told


def test_the_next_commands_can_be_called_also_where_segbatch_is_not_on_the_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("sys.argv", [".venv/bin/segbatch", "demo"])
    assert "Next: .venv/bin/segbatch sandbox" in words(summary())


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"differences": ["profile a is missing"]},
            "differ from what was produced in 1 place:\n  - profile a is",
        ),
        ({"lag": 3}, "3 records were not committed"),
        ({"problems": ["one is two"]}, "The counts do not add up:\n  - one is two"),
    ],
)
def test_a_bad_end_is_no_success(changes: dict[str, Any], told: str) -> None:
    bad = summary(**changes)
    assert not bad.ok
    assert bad.as_json()["ok"] is False
    assert told in words(bad)
    assert "exactly" not in words(bad)


def test_many_differences_are_cut_short_and_counted() -> None:
    bad = summary(differences=[f"profile {number} is missing" for number in range(50)])
    assert words(bad).count("is missing") == 20
    assert "and 30 more" in words(bad)
    assert len(bad.as_json()["differences"]) == 20
    assert bad.as_json()["differences_total"] == 50


def test_without_updates_there_is_no_division() -> None:
    nothing = summary(account=Account(0, {}, {}, 0, {}, 0, 0))
    assert nothing.as_json()["events_per_update"] == 0
    assert "0 of 0 Segment events" in words(nothing)
