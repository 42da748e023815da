"""Checks and readings of single values. Text comes from the file and the environment alike."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from streams.settings.problems import SettingError

_TOPIC = re.compile(r"[a-zA-Z0-9._-]{1,249}")
_BATCH_NAME = re.compile(r"[a-z0-9_]{1,30}")
_VERSION_SEGMENT = re.compile(r"/(\d+(?:\.\d+)*)/*$")
TOPIC_PLACEHOLDER = "<topic>"


def split_list(value: Any) -> Any:
    """`"a, b"` → `["a", "b"]`; a list stays as it is, without blank entries at the ends of its items."""
    if isinstance(value, str):
        return [item for item in (part.strip() for part in value.split(",")) if item]
    return value


def read_map(value: Any) -> Any:
    """A JSON object as text → a dict of text; a dict stays. Raises SettingError for anything else."""
    if not isinstance(value, str):
        return value
    remedy = 'Write a JSON object such as {"name": "value"}; in the file a map will do.'
    try:
        found = json.loads(value, parse_int=str, parse_float=str)
    except ValueError:
        raise SettingError("is not a JSON object", remedy) from None
    if not isinstance(found, dict):
        raise SettingError("is JSON, but not an object", remedy)
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise SettingError("has a character that is not allowed", remedy) from None
    nested = [name for name, item in found.items() if isinstance(item, dict | list) or item is None]
    if nested:
        raise SettingError(f"has an entry that is not a single value: {nested[0]!r}", remedy)
    return {name: str(item).lower() if isinstance(item, bool) else item for name, item in found.items()}


def upper(value: Any) -> Any:
    """Text in upper case; anything else unchanged."""
    return value.upper() if isinstance(value, str) else value


def lower(value: Any) -> Any:
    """Text in lower case; anything else unchanged."""
    return value.lower() if isinstance(value, str) else value


def start_point(value: Any) -> Any:
    """`earliest`, `latest`, or an ISO 8601 time as an aware datetime (UTC if it names no zone)."""
    if not isinstance(value, str):
        return value
    if value.lower() in ("earliest", "latest"):
        return value.lower()
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        raise SettingError(
            "is neither earliest, latest nor a time",
            "Write earliest, latest, or an ISO 8601 time such as 2026-01-31T08:00:00Z.",
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def broker_addresses(brokers: tuple[str, ...]) -> tuple[str, ...]:
    """Each must be `host` or `host:port`."""
    for broker in brokers:
        if "/" in broker or "@" in broker:
            raise SettingError(
                "is a URL, not the address of a broker",
                "Write host:port, comma-separated; encryption is kafka.security_protocol.",
            )
        try:
            parts = urlsplit(f"//{broker}")
            valid = bool(parts.hostname) and parts.port != 0
        except ValueError:
            valid = False
        if not valid or re.search(r"\s", broker):
            raise SettingError(
                f"has an address that cannot be read: {broker!r}",
                "Write host:port, comma-separated, with a port from 1 to 65535.",
            )
    return brokers


def topic_names(topics: tuple[str, ...]) -> tuple[str, ...]:
    """Each must be a name that Kafka allows, and none may stand twice."""
    for topic in topics:
        if not is_topic_name(topic):
            raise SettingError(
                f"has a name that Kafka does not allow: {topic!r}",
                "A name is 1 to 249 letters, digits, dots, underscores or hyphens; patterns are not read.",
            )
    repeated = sorted({topic for topic in topics if topics.count(topic) > 1})
    if repeated:
        raise SettingError(f"names a topic twice: {', '.join(repeated)}", "Name each topic once.")
    return topics


def is_topic_name(topic: str) -> bool:
    """Whether Kafka allows the name (Apache Kafka, class Topic: 249 characters, `.` and `..` excluded)."""
    return bool(_TOPIC.fullmatch(topic)) and topic not in (".", "..")


def dead_letter_template(template: str) -> str:
    """A topic's name in which `<topic>` stands for the source topic's."""
    if not is_topic_name(template.replace(TOPIC_PLACEHOLDER, "t")):
        raise SettingError(
            "is not the name of a topic",
            f"Write a topic's name; {TOPIC_PLACEHOLDER} in it stands for the source topic's, "
            f"as in {TOPIC_PLACEHOLDER}.dead-letter.",
        )
    return template


def base_url(url: str) -> str:
    """An http or https address without version, login, query or fragment; its last slash is taken off."""
    remedy = "Write an address such as https://api.batch.com."
    try:
        parts = urlsplit(url)
        readable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise SettingError("is not a web address", remedy) from None
    if not readable or re.search(r"\s", url):
        raise SettingError("is not a web address", remedy)
    if parts.username is not None or parts.password is not None:
        raise SettingError(
            "carries a login", "Leave it out: the keys are batch.rest_api_key and batch.project_key."
        )
    if parts.query or parts.fragment:
        raise SettingError("has a query or a fragment", remedy)
    version = _VERSION_SEGMENT.search(parts.path)
    if version:
        raise SettingError(
            f"ends in an API version, {version[1]}",
            f"Take /{version[1]} off: the version is batch.api_version.",
        )
    return url.rstrip("/")


def batch_names(names: dict[str, str]) -> dict[str, str]:
    """Each short name must be one that Batch takes (Profile API, "Attributes")."""
    for key, short in names.items():
        if not _BATCH_NAME.fullmatch(short):
            raise SettingError(
                f"gives {key!r} a name that Batch does not take: {short!r}",
                "A name is 1 to 30 lower-case letters, digits or underscores.",
            )
    return names


def header_secret(secret: SecretStr | None) -> SecretStr | None:
    """A key that goes into an HTTP header, checked by `check_key`."""
    if secret is not None:
        check_key(secret.get_secret_value())
    return secret


def check_key(text: str) -> str:
    """The key, if it is printable ASCII without spaces; else SettingError, which does not tell it."""
    if re.search(r"[^\x21-\x7e]", text):
        raise SettingError(
            "has a space, a line break or a character that no key has",
            "Copy the key again from Batch's dashboard (Settings, General), without what stands around it.",
        )
    return text
