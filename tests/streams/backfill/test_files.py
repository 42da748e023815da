"""Files of events are found and read whatever their form."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
import zstandard

from streams.backfill.files import BLOCK_BYTES, Found, find_files, read_lines
from streams.backfill.parquet import parquet_rows
from streams.backfill.problems import BackfillError

LINES = [b'{"n":%d,"pad":"%s"}' % (number, b"x" * 500) for number in range(5_000)]
BODY = b"\n".join(LINES) + b"\n"


def found(path: Path) -> Found:
    return Found(str(path), path.stat().st_size)


def lines_of(path: Path) -> list[bytes]:
    return [line for some in read_lines(found(path), lambda size: None, parquet_rows) for line in some]


@pytest.mark.parametrize(
    "written",
    [
        BODY,
        BODY.rstrip(b"\n"),
        gzip.compress(BODY),
        gzip.compress(BODY[: len(BODY) // 2]) + gzip.compress(BODY[len(BODY) // 2 :]),
        zstandard.ZstdCompressor().compress(BODY),
        zstandard.ZstdCompressor().compress(BODY[:1000]) + zstandard.ZstdCompressor().compress(BODY[1000:]),
    ],
    ids=["plain", "no last newline", "gzip", "gzip of two members", "zstd", "zstd of two frames"],
)
def test_every_line_is_read_whatever_the_name_of_the_file(tmp_path: Path, written: bytes) -> None:
    assert len(BODY) > 2 * BLOCK_BYTES
    path = tmp_path / "events"
    path.write_bytes(written)
    counted: list[int] = []

    lines = [line for some in read_lines(found(path), counted.append, parquet_rows) for line in some]

    assert lines == LINES
    assert sum(counted) == len(written)


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert lines_of(tmp_path / "empty") == []


@pytest.mark.parametrize("cut", [200, -100])
def test_a_damaged_file_is_named_with_the_line_it_was_good_to(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(BODY)[:cut])

    with pytest.raises(BackfillError, match=r"cut.gz is damaged after line [\d,]+: .* then resume"):
        lines_of(path)


def test_folders_are_searched_in_order_without_hidden_files_and_markers(tmp_path: Path) -> None:
    names = ["b/2/x.gz", "b/1/y.gz", "a.json", "b/_SUCCESS", ".hidden/z", "b/.z"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"{}")

    files = find_files([str(tmp_path), str(tmp_path / "a.json")])

    assert [Path(file.path).relative_to(tmp_path).as_posix() for file in files] == [
        "a.json",
        "b/1/y.gz",
        "b/2/x.gz",
    ]
    assert files[0].bytes == 2


def test_globs(tmp_path: Path) -> None:
    for name in ("x1.gz", "x2.gz", "y.gz"):
        (tmp_path / name).touch()

    assert [Path(file.path).name for file in find_files([f"{tmp_path}/x*.gz"])] == ["x1.gz", "x2.gz"]
    with pytest.raises(BackfillError, match="there is no such file"):
        find_files([f"{tmp_path}/z*.gz"])


def test_urls_go_through_fsspec(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(BODY))
    (file,) = find_files([f"file://{tmp_path}/*.gz"])

    assert file.path == f"file://{tmp_path}/a.gz"
    assert [line for some in read_lines(file, lambda size: None, parquet_rows) for line in some] == LINES


def test_an_object_store_whose_package_is_missing_is_named() -> None:
    with pytest.raises(BackfillError, match=r"s3://bucket/x: .*s3fs"):
        find_files(["s3://bucket/x"])


@pytest.mark.parametrize(
    ("module", "given", "message"),
    [
        ("fsspec", "s3://bucket/x", r"pip install 'segbatch\[urls\]'"),
        ("pyarrow", "events.parquet", r"pip install 'segbatch\[parquet\]'"),
    ],
)
def test_a_missing_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, given: str, message: str
) -> None:
    (tmp_path / "events.parquet").write_bytes(b"PAR1....")
    monkeypatch.setitem(sys.modules, module, None)

    def read() -> None:
        for file in find_files([given if "://" in given else str(tmp_path / given)]):
            list(read_lines(file, lambda size: None, parquet_rows))

    with pytest.raises(BackfillError, match=message):
        read()


def write_parquet(path: Path, rows: list[dict[str, object]]) -> Path:
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


def test_rows_of_parquet_are_events_whose_nulls_are_not_there(tmp_path: Path) -> None:
    rows = [
        {
            "type": "identify",
            "userId": "u1",
            "traits": {"plan": "a", "city": None},
            "context": '{"locale":"fr-FR"}',
        },
        {"type": "identify", "userId": "u2", "traits": {"plan": None, "city": "Paris"}, "context": None},
    ]

    assert lines_of(write_parquet(tmp_path / "x", rows)) == [
        b'{"type":"identify","userId":"u1","traits":{"plan":"a"},"context":{"locale":"fr-FR"}}',
        b'{"type":"identify","userId":"u2","traits":{"city":"Paris"}}',
    ]


def test_parquet_with_a_whole_event_in_a_column(tmp_path: Path) -> None:
    assert lines_of(write_parquet(tmp_path / "x", [{"payload": '{"type":"identify"}'}])) == [
        b'{"type":"identify"}'
    ]


def test_parquet_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackfillError, match="no columns that can be read"):
        lines_of(write_parquet(tmp_path / "x", [{"user_id": "u1"}]))
