"""The invented people of the demonstration: everything about one follows from the seed and a number.

Phone numbers come from ranges that regulators keep free for fiction, e-mail addresses from the reserved
example domains.
"""

from __future__ import annotations

import uuid
from hashlib import blake2b
from typing import Any, NamedTuple


class Locale(NamedTuple):
    """A `context.locale` as libraries send it, and the attributes that Batch must get for it."""

    sent: str
    attributes: dict[str, Any]


class User(NamedTuple):
    """`sent_id` is the userId in events (some send numbers), `custom_id` the same for Batch: a string."""

    sent_id: str | int
    custom_id: str
    key: bytes
    anonymous_id: str
    email: str
    former_email: str
    phone: str
    locale: Locale
    timezone: str
    ip: str


LOCALES = (
    Locale("fr-FR", {"$language": "fr", "$region": "FR"}),
    Locale("en-US", {"$language": "en", "$region": "US"}),
    Locale("en-us", {"$language": "en", "$region": "US"}),
    Locale("fr_FR", {"$language": "fr", "$region": "FR"}),
    Locale("zh-Hans-CN", {"$language": "zh", "$region": "CN"}),
    Locale("fr", {"$language": "fr"}),
    Locale("en-GB", {"$language": "en", "$region": "GB"}),
    Locale("pt_BR", {"$language": "pt", "$region": "BR"}),
    Locale("de-DE", {"$language": "de", "$region": "DE"}),
    Locale("de", {"$language": "de"}),
)
TIMEZONES = (
    "Europe/Paris",
    "Europe/London",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Shanghai",
    "Australia/Sydney",
)
FIRST_NAMES = ("lea", "sam", "ines", "noah", "emma", "jonas", "mina", "paul", "aisha", "tom", "olga", "hugo")
LAST_NAMES = ("martin", "gibbons", "rossi", "keller", "silva", "novak", "dubois", "chen", "okafor", "lind")
EMAIL_DOMAINS = ("example.com", "example.org", "example.net")


def make_user(seed: int, number: int) -> User:
    """The user of that number, always the same for the same seed."""
    dice = blake2b(f"{seed}:{number}".encode(), digest_size=32).digest()
    name = f"{FIRST_NAMES[dice[0] % len(FIRST_NAMES)]}.{LAST_NAMES[dice[1] % len(LAST_NAMES)]}"
    email = f"{name}.{number}@{EMAIL_DOMAINS[dice[2] % len(EMAIL_DOMAINS)]}"
    sent_id = _user_id(number, dice, email)
    custom_id = str(sent_id)
    return User(
        sent_id=sent_id,
        custom_id=custom_id,
        key=custom_id.encode(),
        anonymous_id=str(uuid.UUID(bytes=dice[:16], version=4)),
        email=email,
        former_email=f"former.{email}",
        phone=_phone(dice),
        locale=LOCALES[dice[3] % len(LOCALES)],
        timezone=TIMEZONES[dice[4] % len(TIMEZONES)],
        ip=f"203.0.113.{dice[5]}",
    )


def _user_id(number: int, dice: bytes, email: str) -> str | int:
    share = dice[6] / 256
    if share < 0.06:
        return email
    if share < 0.12:
        return str(uuid.UUID(bytes=dice[16:], version=4))
    if share < 0.16:
        return 48_000_000 + number
    return f"user-{number:06d}"


def _phone(dice: bytes) -> str:
    number = int.from_bytes(dice[7:9], "big")
    plans = (
        f"+3363998{number % 10_000:04d}",
        f"+447700900{number % 1_000:03d}",
        f"+120255501{number % 100:02d}",
    )
    return plans[dice[9] % len(plans)]
