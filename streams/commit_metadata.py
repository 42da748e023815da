"""What travels beside a committed offset: the records done beyond it, and the partition's tokens.

The next owner of the partition skips those records and inherits those tokens. Kafka keeps at most 4,096 characters of
metadata; ours is ASCII of at most 4,000, with a version and a checksum, because other programs may commit for the
same group and confluent-kafka cannot always read what they wrote.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import NamedTuple

from sink.limiter import Level

VERSION = "sb1"
LONGEST = 4000
HEADER = 48
ROOM_BYTES = (LONGEST - HEADER) * 3 // 4
ROOM_OFFSETS = (ROOM_BYTES - 1) * 8 - 1
"""So many offsets beyond the commit always fit, whichever of them are done."""
DONE = 1
MOST_TOKENS = 1e9
"""A level beyond is as good as endless, and would take room."""
_BITS = bytes.maketrans(
    bytes(range(256)), bytes(ord("1") if value == DONE else ord("0") for value in range(256))
)


class CommitMetadata(NamedTuple):
    """`done[i]` is 1 where the record at the committed offset + i is done."""

    done: bytes
    level: Level | None


def encode(done: bytes | bytearray, level: Level | None) -> str:
    """Metadata for a commit. What cannot fit is left out from the end: those records are read again."""
    packed = _pack(done)
    tokens, at = "", ""
    if level is not None:
        tokens, at = f"{min(level.tokens, MOST_TOKENS):.1f}", f"{level.at:.3f}"
    text = f"{tokens}:{at}:{base64.b64encode(packed).decode('ascii')}"
    return f"{VERSION}:{_checksum(text)}:{text}"


def decode(text: str | None) -> CommitMetadata | None:
    """The metadata, or None if it is not ours or is damaged."""
    version, _, rest = (text or "").rstrip("\0").partition(":")
    checksum, _, body = rest.partition(":")
    try:
        if version != VERSION or checksum != _checksum(body):
            return None
        tokens, at, data = body.split(":", 2)
        level = Level(float(tokens), float(at)) if tokens else None
        return CommitMetadata(_unpack(base64.b64decode(data, validate=True)), level)
    except (ValueError, binascii.Error, zlib.error, UnicodeError):
        return None


def _checksum(text: str) -> str:
    return f"{zlib.crc32(text.encode('ascii')):08x}"


def _pack(done: bytes | bytearray) -> bytes:
    done = done[: done.rfind(DONE) + 1]
    if not done:
        return b""
    while True:
        bits = b"1" + done.translate(_BITS)
        raw = int(bits, 2).to_bytes((len(bits) + 7) // 8, "big")
        packed = b"r" + raw if len(raw) < ROOM_BYTES else b"z" + zlib.compress(raw)
        if len(packed) <= ROOM_BYTES:
            return packed
        done = done[: max(ROOM_OFFSETS - 16, len(done) * 3 // 4)]


def _unpack(packed: bytes) -> bytes:
    if not packed:
        return b""
    raw = zlib.decompress(packed[1:]) if packed[:1] == b"z" else packed[1:]
    bits = bin(int.from_bytes(raw, "big"))[3:]
    return bytes(bits.encode("ascii").translate(bytes.maketrans(b"01", b"\0\1")))
