"""The fold keeps the last value of each attribute, however the range is cut into parts."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import orjson
from hypothesis import given
from hypothesis import strategies as st

from mapping.profile import ArrayDelta, DateString, ProfileUpdate
from streams.backfill.fold import PROGRAM_BYTES, Fold, merge_parts
from streams.backfill.folded import IN_RECORD_ORDER, WITHOUT_KEY, FoldedProfile, decode, encode
from streams.backfill.store import Store
from tests.streams.backfill.naive import Said, naive_fold, said_by

items = st.sampled_from("abcd")
plain = st.one_of(st.integers(0, 9), st.none(), st.just(DateString("2020-01-01T00:00:00Z")))
arrays = st.one_of(
    st.lists(items, min_size=1, max_size=3, unique=True),
    st.builds(ArrayDelta, st.tuples(items), st.just(())),
    st.builds(ArrayDelta, st.just(()), st.tuples(items)),
)
attributes = st.fixed_dictionaries({}, optional={"p": plain, "q": plain, "r": plain})
users = st.sampled_from(["u1", "u2"])

of_files = st.builds(Said, users, attributes, st.integers(1, 5))
with_key = st.builds(Said, users, attributes, st.just(IN_RECORD_ORDER), st.booleans())
without_key = st.builds(Said, users, attributes, st.integers(1, 5).map(WITHOUT_KEY.__add__))
with_arrays = st.builds(
    Said, users, st.fixed_dictionaries({}, optional={"a": arrays, "b": arrays}), st.just(IN_RECORD_ORDER)
)
histories = st.one_of(
    st.tuples(st.lists(of_files, max_size=8), st.lists(with_key, max_size=8)),
    st.tuples(st.lists(of_files, max_size=8), st.lists(without_key, max_size=8)),
    st.tuples(st.just([]), st.lists(with_arrays, max_size=8)),
).map(lambda parts: [*parts[0], *parts[1]])


def put(profiles: dict[str, FoldedProfile], said: Said) -> None:
    profile = profiles.setdefault(said.custom_id, FoldedProfile())
    if said.beside:
        profile.put_beside(said.attributes, said.mark)
    else:
        profile.put(dict(said.attributes), said.mark)


def shown(profiles: dict[str, FoldedProfile]) -> dict[str, object]:
    return {who: said_by(profile) for who, profile in profiles.items() if profile.attributes}


@given(histories)
def test_the_fold_is_that_of_the_events_one_by_one(events: list[Said]) -> None:
    profiles: dict[str, FoldedProfile] = {}
    for said in events:
        put(profiles, said)

    assert shown(profiles) == naive_fold(events)


@given(histories, st.lists(st.integers(0, 16), max_size=4))
def test_parts_that_were_put_down_and_merged_say_the_same(events: list[Said], cuts: list[int]) -> None:
    profiles: dict[str, FoldedProfile] = {}
    bounds = [0, *sorted(cuts), len(events)]
    for start, end in pairwise(bounds):
        part: dict[str, FoldedProfile] = {}
        for said in events[start:end]:
            put(part, said)
        for who, profile in part.items():
            restored = decode(orjson.loads(orjson.dumps(encode(profile))))
            if who in profiles:
                profiles[who].merge(restored)
            else:
                profiles[who] = restored

    assert shown(profiles) == naive_fold(events)


def test_deltas_that_do_not_fit_in_one_value_follow_in_further_updates() -> None:
    profile = FoldedProfile()
    profile.put({"tags": [f"t{number}" for number in range(25)]}, IN_RECORD_ORDER)
    profile.put({"tags": ArrayDelta(("more",), ())}, IN_RECORD_ORDER)
    profile.put({"tags": ArrayDelta(("still",), ("t0",))}, IN_RECORD_ORDER)

    restored = decode(orjson.loads(orjson.dumps(encode(profile))))
    assert list(restored.updates()) == [
        {"tags": [f"t{number}" for number in range(25)]},
        {"tags": ArrayDelta(("more", "still"), ("t0",))},
    ]
    restored.put({"tags": ["new"]}, IN_RECORD_ORDER)
    assert list(restored.updates()) == [{"tags": ["new"]}]


def update(who: str, **attributes: object) -> ProfileUpdate:
    return ProfileUpdate(who, attributes, (), (), None)  # type: ignore[arg-type]


def test_a_fold_larger_than_its_memory_is_merged_bucket_by_bucket_in_several_passes(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.sqlite")
    fold = Fold(store, memory_bytes=PROGRAM_BYTES + 100_000)
    parts = 0
    for number in range(3_000):
        fold.put(update(f"u{number % 1_000}", n=number, **{f"only{number // 1_000}": True}), IN_RECORD_ORDER)
        if fold.full:
            fold.spill({"parts": parts})
            parts += 1
    fold.spill({})
    assert parts > 5
    shares: list[float] = []
    assert merge_parts(store, PROGRAM_BYTES + 8, shares.append, lambda: False)

    found = {kept.custom_id: said_by(kept.profile()) for kept in store.between(1, 1_000)}
    assert found == {
        f"u{number}": {"n": 2_000 + number, "only0": True, "only1": True, "only2": True}
        for number in range(1_000)
    }
    assert store.count_profiles() == 1_000
    assert shares == sorted(shares)
    assert shares[-1] == 1
    store.close()


def test_a_merge_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.sqlite")
    fold = Fold(store, memory_bytes=PROGRAM_BYTES + 10**9)
    for number in range(500):
        fold.put(update(f"u{number}", n=number), IN_RECORD_ORDER)
    fold.spill({})
    asked: list[bool] = []

    def stopped_soon() -> bool:
        asked.append(True)
        return len(asked) > 20

    assert not merge_parts(store, PROGRAM_BYTES + 10**9, lambda done: None, stopped_soon)
    assert 0 < store.count_profiles() < 500
    store.close()

    store = Store(tmp_path / "state.sqlite")
    assert merge_parts(store, PROGRAM_BYTES + 10**9, lambda done: None, lambda: False)
    assert {kept.custom_id for kept in store.between(1, 500)} == {f"u{number}" for number in range(500)}
    assert store.find("u7") is not None
    assert store.find("u500") is None
    store.close()
