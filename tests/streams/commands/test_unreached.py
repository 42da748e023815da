"""When no broker answers, a command says at which addresses, why, and which setting to look at."""

from __future__ import annotations

import pytest

from streams.backfill import kafka_range
from tests.streams.commands.helpers import Segbatch

SETTINGS = {
    "SEGBATCH_KAFKA__TOPICS": "events",
    "SEGBATCH_BATCH__REST_API_KEY": "rest-key",
    "SEGBATCH_BATCH__PROJECT_KEY": "project-key",
}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("backfill", "--from", "earliest"), 1), (("verify",), 2), (("membership", "user-1"), 1)],
    ids=["backfill", "verify", "membership"],
)
def test_the_addresses_and_the_setting_are_named(
    segbatch: Segbatch, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int
) -> None:
    monkeypatch.setattr(kafka_range, "LOOKUP_S", 0.5)
    result = segbatch(*arguments, SEGBATCH_KAFKA__BROKERS="127.0.0.1:1,127.0.0.1:2", **SETTINGS)
    assert result.exit_code == code
    told = result.stderr.splitlines()[-1]
    assert told.startswith(
        f"segbatch: {arguments[0]}: no broker answers at 127.0.0.1:1, 127.0.0.1:2: 127.0.0.1:"
    )
    assert "Connection refused" in told
    assert told.endswith(
        "Correct kafka.brokers and kafka.security_protocol; can this machine reach those ports?"
    )
    assert "rest-key" not in result.output
