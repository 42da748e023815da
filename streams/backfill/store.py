"""The state of one backfill on disk: a SQLite database, in which every step is one transaction.

Reading spills the fold in parts; a part holds each profile in the bucket of its hash, so that one bucket after the
other can be merged in little memory. What is merged stands in `profiles`, numbered in the order of sending. A process
that is killed loses the step it was in, and nothing else.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import zstandard

from streams.backfill.folded import FoldedProfile, decode, encode

BUCKETS = 256
_LEVEL = 1
_SCHEMA = """
create table if not exists facts (name text primary key, value blob) without rowid;
create table if not exists parts (number integer primary key, bucket integer, size integer, body blob);
create index if not exists parts_of_bucket on parts (bucket, number);
create table if not exists profiles (number integer primary key, custom_id text, body blob);
create table if not exists stretches (
    number integer primary key, first integer, last integer, done blob, opened integer, settled_at real, closed blob
);
create table if not exists repairs (custom_id text primary key, body blob) without rowid;
"""


class Kept(NamedTuple):
    """A profile of the fold, with its number."""

    number: int
    custom_id: str
    body: bytes

    def profile(self) -> FoldedProfile:
        """What is to be sent of it."""
        return decode(orjson.loads(self.body))


class Store:
    """The database of one backfill. One process has it open at a time; see `streams.backfill.folder`."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        # WAL and NORMAL: no commit is lost when the process is killed; a power cut may undo the last ones, whole.
        for pragma in ("journal_mode=wal", "synchronous=normal", "temp_store=memory", "cache_size=-32000"):
            self._database.execute(f"pragma {pragma}")
        self._database.executescript(_SCHEMA)
        self._compress = zstandard.ZstdCompressor(level=_LEVEL).compress
        self._decompress = zstandard.ZstdDecompressor().decompress

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def begin(self) -> _Transaction:
        """A transaction, as a context manager: all of it or nothing."""
        return _Transaction(self._database)

    def fact(self, name: str, default: Any = None) -> Any:
        """A fact that was put down, as the JSON value that it was."""
        row = self._database.execute("select value from facts where name = ?", (name,)).fetchone()
        return default if row is None else orjson.loads(row[0])

    def put(self, name: str, value: Any) -> None:
        """Put down a fact."""
        self._database.execute("insert or replace into facts values (?, ?)", (name, orjson.dumps(value)))

    def spill(self, profiles: Mapping[str, FoldedProfile], facts: Mapping[str, Any]) -> None:
        """Put down a part of the fold, together with how far the reading has come."""
        buckets: list[list[Any]] = [[] for _ in range(BUCKETS)]
        for custom_id, profile in profiles.items():
            buckets[bucket_of(custom_id)].append((custom_id, encode(profile)))
        rows = []
        for bucket, entries in enumerate(buckets):
            if entries:
                body = orjson.dumps(entries)
                rows.append((bucket, len(body), self._compress(body)))
        with self.begin():
            self._database.executemany("insert into parts (bucket, size, body) values (?, ?, ?)", rows)
            for name, value in facts.items():
                self.put(name, value)

    def bucket_sizes(self) -> dict[int, int]:
        """Bytes of the buckets that are not merged yet, as JSON."""
        rows = self._database.execute("select bucket, sum(size) from parts group by bucket order by bucket")
        return {int(bucket): int(size) for bucket, size in rows}

    def parts_of(self, bucket: int, wanted: Callable[[str], bool]) -> Iterator[tuple[str, FoldedProfile]]:
        """The parts of a bucket's profiles, in the order in which they were read."""
        rows = self._database.execute("select body from parts where bucket = ? order by number", (bucket,))
        for (body,) in rows:
            for custom_id, values in orjson.loads(self._decompress(body)):
                if wanted(custom_id):
                    yield custom_id, decode(values)

    def add_profiles(self, profiles: Iterable[tuple[str, FoldedProfile]]) -> None:
        """Add merged profiles."""
        self._database.executemany(
            "insert into profiles (custom_id, body) values (?, ?)",
            ((custom_id, orjson.dumps(encode(profile))) for custom_id, profile in profiles),
        )

    def drop_bucket(self, bucket: int) -> None:
        """The bucket is merged."""
        self._database.execute("delete from parts where bucket = ?", (bucket,))

    def index_profiles(self) -> None:
        """All profiles are there: make them findable."""
        self._database.execute("create unique index if not exists profile_of on profiles (custom_id)")

    def count_profiles(self) -> int:
        """How many profiles the fold has."""
        count: int = self._database.execute("select coalesce(max(number), 0) from profiles").fetchone()[0]
        return count

    def find(self, custom_id: str) -> Kept | None:
        """The fold of one profile; None if the range says nothing of it."""
        row = self._database.execute(
            "select number, custom_id, body from profiles where custom_id = ?", (custom_id,)
        ).fetchone()
        return None if row is None else Kept(*row)

    def between(self, first: int, last: int) -> Iterator[Kept]:
        """The profiles of these numbers, both included."""
        rows = self._database.execute(
            "select number, custom_id, body from profiles where number between ? and ? order by number",
            (first, last),
        )
        return (Kept(*row) for row in rows)

    def replace(self, kept: Kept, profile: FoldedProfile) -> None:
        """A profile has changed."""
        body = orjson.dumps(encode(profile))
        self._database.execute("update profiles set body = ? where number = ?", (body, kept.number))

    def execute(self, statement: str, values: Iterable[Any] = ()) -> sqlite3.Cursor:
        """One statement on the tables of sending and repairing."""
        return self._database.execute(statement, tuple(values))


class _Transaction:
    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.execute("begin immediate")

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._database.execute("rollback" if kind else "commit")


def bucket_of(custom_id: str) -> int:
    """The bucket of a profile."""
    return zlib.crc32(custom_id.encode()) % BUCKETS
