"""Values of Kafka records as nobody would want them: sound events, damaged in their structure or in their bytes."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

from streams.demo.traffic import generate

CORPUS = 2_000
LARGE = 1_000_000
"""Bytes of the largest bodies."""

STRANGE: tuple[Any, ...] = (
    None,
    True,
    False,
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud83d",
    "\u202e\u200b\ufeff",
    "x" * 301,
    "é" * 2_000,
    "null",
    "[object Object]",
    "true",
    "2026-03-02T09:14:07.512Z",
    "2026-02-30T25:61:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "0000-00-00",
    "https://example.com/a",
    "https://" + "a" * 3_000,
    "javascript:alert(1)",
    "a@b.co",
    "@" * 40,
    "+336",
    "+" + "1" * 40,
    "fr-FR",
    "Europe/Paris",
    "../../etc/passwd",
    0,
    -0.0,
    1e308,
    -1e-320,
    450.0,
    2**63,
    -(2**63) - 1,
    10**400,
    float("nan"),
    float("inf"),
    [],
    {},
    [[]],
    [None] * 30,
    ["a"] * 40,
    ["a", 1, None, {}],
    [{"a": 1}] * 30,
    {"$add": ["a"], "$remove": ["b"]},
    {"": ""},
    {"a": {"b": {"c": {"d": {"e": {}}}}}},
    {"x" * 400: 1, "é": 2, "$email_address": 3, "date(a)": 4, "__proto__": {}},
)
NAMES = (
    "type",
    "userId",
    "anonymousId",
    "messageId",
    "timestamp",
    "event",
    "traits",
    "properties",
    "context",
    "integrations",
    "personas",
    "computation_key",
    "email",
    "A",
    "a",
    "a\x00",
    "\ud800",
    "x" * 64,
    "",
)


def strange_records(random: Random, count: int) -> Iterator[bytes | None]:
    """So many values; None is a tombstone. The same ones for the same `random`."""
    corpus = [
        each.value
        for each in generate(CORPUS, users=200, seed=random.randrange(2**32), now=datetime.now(UTC))
        if each.value is not None
    ]
    for _ in range(count):
        value = random.choice(corpus)
        roll = random.random()
        if roll < 0.3:
            value = _reshaped(random, value)
        elif roll < 0.6:
            value = random.choice(_DAMAGES)(random, value)
        elif roll < 0.601:
            yield None
            continue
        elif roll < 0.6015:
            value = random.choice(_LARGE)(random, value)
        yield value


def _reshaped(random: Random, value: bytes) -> bytes:
    """Some members replaced, renamed or removed, wherever they stand."""
    try:
        event = json.loads(value)
    except ValueError:
        return value
    for _ in range(random.randint(1, 4)):
        parent = _some_container(random, event)
        if isinstance(parent, dict):
            key = random.choice([*parent, *NAMES])
            if random.random() < 0.2:
                parent.pop(key, None)
            else:
                parent[key] = random.choice(STRANGE)
        elif parent:
            parent[random.randrange(len(parent))] = random.choice(STRANGE)
    return json.dumps(event, ensure_ascii=random.random() < 0.9).encode(errors="surrogatepass")


def _some_container(random: Random, root: Any) -> Any:
    """An object or array in it, the deeper the rarer. The strange values are not to be changed themselves."""
    found = root
    while isinstance(found, dict | list) and found and random.random() < 0.6:
        members = list(found.values()) if isinstance(found, dict) else found
        inner = [each for each in members if isinstance(each, dict | list) and each and not _is_strange(each)]
        if not inner:
            break
        found = random.choice(inner)
    return found if isinstance(found, dict | list) else {}


def _is_strange(value: Any) -> bool:
    return any(value is each for each in STRANGE)


def _flipped(random: Random, value: bytes) -> bytes:
    damaged = bytearray(value)
    for _ in range(random.randint(1, 8)):
        if damaged:
            damaged[random.randrange(len(damaged))] = random.randrange(256)
    return bytes(damaged)


def _inserted(random: Random, value: bytes) -> bytes:
    pieces = (
        b"\x00",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xc3",
        b"\\ud800",
        b"\\u0000",
        b"\xef\xbb\xbf",
        b'"{]1e999',
    )
    at = random.randint(0, len(value))
    return value[:at] + random.choice(pieces) * random.choice((1, 1, 1, 50)) + value[at:]


def _cut(random: Random, value: bytes) -> bytes:
    start, end = sorted((random.randint(0, len(value)), random.randint(0, len(value))))
    return random.choice((value[:start], value[start:], value[:start] + value[end:]))


def _doubled(random: Random, value: bytes) -> bytes:
    """Keys that come twice, with other values."""
    name = json.dumps(random.choice(NAMES)).encode()
    other = json.dumps(random.choice(STRANGE)).encode(errors="surrogatepass")
    return value.rstrip()[:-1] + b"," + name + b":" + other + b"," + name + b":1}"


def _twice(random: Random, value: bytes) -> bytes:
    return value + random.choice((b"", b"\n", b",")) + value


def _compressed(random: Random, value: bytes) -> bytes:
    packed = random.choice((gzip.compress(value, 1), zlib.compress(value, 1), b"\x28\xb5\x2f\xfd" + value))
    return packed if random.random() < 0.5 else _flipped(random, packed)


def _encoded(random: Random, value: bytes) -> bytes:
    text = value.decode(errors="replace")
    return text.encode(random.choice(("utf-16", "utf-32", "latin-1", "utf-8-sig")), errors="replace")


def _noise(random: Random, _: bytes) -> bytes:
    return random.randbytes(random.randint(0, 300))


def _scalar(random: Random, _: bytes) -> bytes:
    return json.dumps(random.choice(STRANGE)).encode(errors="surrogatepass")


def _deep(random: Random, _: bytes) -> bytes:
    depth = random.choice((200, 1_100, 20_000, 200_000))
    opened, closed = random.choice(((b"[", b"]"), (b'{"a":', b"}")))
    inner = opened * depth + b"1" + (closed * depth if random.random() < 0.7 else b"")
    return b'{"type":"identify","userId":"u","traits":{"a":' + inner + b"}}"


def _wide(random: Random, _: bytes) -> bytes:
    members = {f"name {n}": random.choice(STRANGE) for n in range(random.choice((51, 120, 3_000)))}
    kind = random.choice(("identify", "track"))
    event = {"type": kind, "userId": "wide", "event": "Wide", "traits": members, "properties": members}
    return json.dumps(event).encode()


def _long(random: Random, _: bytes) -> bytes:
    filler = random.choice(("x", "é", "\\u0000", "9"))
    text = filler * (LARGE // len(filler.encode()))
    if filler == "9":
        return b'{"type":"identify","userId":"u","traits":{"n":' + text.encode() + b"}}"
    return (
        b'{"type":"track","userId":"u","event":"'
        + text.encode()
        + b'","properties":{"a":"'
        + text.encode()
        + b'"}}'
    )


_Damage = Callable[[Random, bytes], bytes]
_DAMAGES: tuple[_Damage, ...] = (
    _flipped,
    _flipped,
    _inserted,
    _inserted,
    _cut,
    _doubled,
    _twice,
    _compressed,
    _encoded,
    _noise,
    _scalar,
)
_LARGE: tuple[_Damage, ...] = (_deep, _wide, _wide, _long)
