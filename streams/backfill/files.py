"""Files of Segment events: JSON lines, plain or compressed, and Parquet; folders, globs and URLs of them.

Segment's S3 logs and archives are JSON lines in gzip files, in folders by source and day
(`segment-logs/{source}/{day}/{file}.gz`). What a file is, its first bytes tell; its name does not matter.
"""

from __future__ import annotations

import glob
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import zstandard

from streams.backfill.problems import BackfillError

BLOCK_BYTES = 1 << 20
LONGEST_LINE = 64 << 20
_GZIP, _ZSTD, _PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1"
_DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError)


class Found(NamedTuple):
    """A file to be read."""

    path: str
    """A local path or a URL."""
    bytes: int


def find_files(given: Sequence[str]) -> list[Found]:
    """The files that paths, folders, globs and URLs stand for, each once, sorted by name within each.

    Raises BackfillError if one of them stands for nothing.
    """
    files: dict[str, Found] = {}
    for each in given:
        found = _remote(each) if "://" in each else _local(each)
        if not found:
            raise BackfillError(
                f"{each}: there is no such file, or it stands for none; write globs in quotes"
            )
        files.update((file.path, file) for file in found)
    return list(files.values())


def read_lines(
    file: Found, on_bytes: Callable[[int], None], rows: Callable[[BinaryIO, str], Iterator[list[bytes]]]
) -> Iterator[list[bytes]]:
    """The file's lines, some at a time. `on_bytes` hears how many bytes of it were read, `rows` reads Parquet.

    Raises BackfillError if it cannot be read to its end.
    """
    done = 0
    try:
        with _opened(file) as raw:
            counted = cast(BinaryIO, io.BufferedReader(_Counting(raw, on_bytes), BLOCK_BYTES))
            magic = counted.peek(4)[:4]  # type: ignore[attr-defined]
            if magic == _PARQUET:
                yield from rows(raw, file.path)
                return
            for lines in _lines(_plain(counted, magic)):
                yield lines
                done += len(lines)
    except _DAMAGED as error:
        raise BackfillError(
            f"{file.path} is damaged after line {done:,}: {error}. Mend or replace it, then resume"
        ) from None
    except OSError as error:
        raise BackfillError(f"{file.path} cannot be read: {error.strerror or error}") from None


def _local(given: str) -> list[Found]:
    path = Path(given).expanduser().absolute()
    if path.is_dir():
        names = [str(each) for each in path.rglob("*") if not _is_hidden(each.relative_to(path))]
    elif path.exists():
        names = [str(path)]
    else:
        names = glob.glob(str(path), recursive=True)
    files = sorted(Path(name) for name in names if Path(name).is_file())
    return [Found(str(file), file.stat().st_size) for file in files]


def _is_hidden(path: Path) -> bool:
    """Hidden files, and markers such as `_SUCCESS`, which hold no events."""
    return any(part.startswith((".", "_")) for part in path.parts)


def _remote(url: str) -> list[Found]:
    system, path = _filesystem(url)
    try:
        if glob.has_magic(path):
            names = system.glob(path)
        elif system.isdir(path):
            names = [name for name in system.find(path) if not name.rpartition("/")[2].startswith((".", "_"))]
        else:
            names = [path] if system.exists(path) else []
        sizes = ((system.unstrip_protocol(name), system.info(name)) for name in sorted(names))
        return [
            Found(found, int(info.get("size") or 0))
            for found, info in sizes
            if info.get("type") != "directory"
        ]
    except Exception as error:  # each file system has errors of its own
        raise BackfillError(f"{url} cannot be listed: {type(error).__name__}: {error}") from None


def _filesystem(url: str) -> tuple[Any, str]:
    try:
        import fsspec
    except ImportError:
        raise BackfillError(f"{url}: URLs need the extra `urls`: pip install 'segbatch[urls]'") from None
    try:
        found: tuple[Any, str] = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise BackfillError(f"{url}: {error}") from None
    return found


@contextmanager
def _opened(file: Found) -> Iterator[BinaryIO]:
    if "://" in file.path:
        system, path = _filesystem(file.path)
        with system.open(path, "rb") as stream:
            yield stream
    else:
        with open(file.path, "rb") as stream:
            yield stream


def _plain(stream: BinaryIO, magic: bytes) -> BinaryIO:
    if magic.startswith(_GZIP):
        return cast(BinaryIO, gzip.GzipFile(fileobj=stream))
    if magic == _ZSTD:
        return cast(BinaryIO, zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True))
    return stream


def _lines(stream: BinaryIO) -> Iterator[list[bytes]]:
    rest = b""
    while block := stream.read(BLOCK_BYTES):
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        if len(rest) > LONGEST_LINE:
            raise OSError(None, f"it has a line of more than {LONGEST_LINE:,} bytes, so it is not JSON lines")
        if lines:
            yield lines
    if rest:
        yield [rest]


class _Counting(io.RawIOBase):
    """A stream that tells how much was read of it."""

    def __init__(self, stream: BinaryIO, on_bytes: Callable[[int], None]) -> None:
        self._stream, self._on_bytes = stream, on_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer."""
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._on_bytes(len(data))
        return len(data)
