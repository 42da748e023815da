"""Tries Batch's credentials for `segbatch check --batch`, without making a profile."""

from __future__ import annotations

from sink.breaker import REMEDIES
from sink.client import Answer, BatchClient, Credentials
from streams.commands.findings import Finding
from streams.settings import Loaded

LONGEST_S = 10.0
UNKNOWN_EXPORT = "segbatch-check"
_NETWORK = ("connection_failed", "connection_lost", "timeout")


async def look_at_batch(loaded: Loaded) -> Finding:
    """Asks for an export that does not exist: Batch answers 404 to right keys, 401 to wrong ones."""
    batch = loaded.settings.batch
    client = BatchClient(
        batch.base_url,
        batch.api_version,
        Credentials(*loaded.credentials()),
        connections=1,
        timeout_s=min(LONGEST_S, batch.request_timeout_s),
    )
    async with client:
        answer = await client.view_export(UNKNOWN_EXPORT)
    return judge(answer, batch.base_url)


def judge(answer: Answer, base_url: str) -> Finding:
    """What the answer says of the settings."""
    status = answer.status
    if status in ("401", "403"):
        return Finding(
            "batch", "error", f"{base_url} refuses the credentials ({status}).", _sentence(REMEDIES[status])
        )
    if status in _NETWORK:
        message = f"{base_url} does not answer: {answer.message}."
        return Finding("batch", "error", message, "Correct batch.base_url; can this machine reach it?")
    if status == "404" and "ROUTE" in answer.message:
        message = f"{base_url} has no such route: {answer.message}"
        return Finding("batch", "error", message, "Correct batch.base_url and batch.api_version.")
    if status == "404" and not answer.message:
        message = f"{base_url} answers 404, which tells of right credentials, but not in Batch's form."
        return Finding("batch", "warning", message, "Are batch.base_url and batch.api_version right?")
    if status == "404":
        return Finding("batch", "ok", f"{base_url} takes the credentials.")
    if status == "429" or status.startswith("5"):
        message = f"{base_url} answers {status}: the credentials could not be tried."
        return Finding("batch", "warning", message, "Check again later.")
    message = f"{base_url} answers {status}, which Batch does not document here."
    return Finding("batch", "error", message, "Correct batch.base_url and batch.api_version.")


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
