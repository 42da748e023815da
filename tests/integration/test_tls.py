"""Batch's certificate is verified; what listens listens on loopback."""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from sink.sandbox.settings import SandboxSettings
from streams.settings.model import Settings
from tests.integration.local_batch import LocalBatch
from tests.integration.workers import SEGBATCH, environment


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def batch(authority: trustme.CA) -> Iterator[LocalBatch]:
    """A Batch with a certificate for its address, by an authority that no system knows."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    running = LocalBatch(tls=tls)
    yield running
    running.close()


def batch_finding(batch: LocalBatch, **more: str) -> dict[str, str]:
    """What `segbatch check --batch` says of Batch."""
    settings = {
        "KAFKA__BROKERS": "127.0.0.1:1",
        "KAFKA__TOPICS": "events",
        "BATCH__BASE_URL": batch.url,
        "BATCH__REST_API_KEY": "k",
        "BATCH__PROJECT_KEY": "p",
    }
    done = subprocess.run(
        [SEGBATCH, "check", "--batch", "--json"],
        env={**environment(settings), **more},
        capture_output=True,
        text=True,
        check=False,
    )
    findings = {finding["check"]: finding for finding in json.loads(done.stdout)["findings"]}
    found: dict[str, str] = findings["batch"]
    return found


def test_a_certificate_that_nobody_signed_is_refused(batch: LocalBatch) -> None:
    finding = batch_finding(batch)
    assert finding["severity"] == "error"
    assert "certificate verify failed" in finding["message"]


def test_a_certificate_of_a_known_authority_is_taken(
    batch: LocalBatch, authority: trustme.CA, tmp_path: Path
) -> None:
    known = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(known))
    finding = batch_finding(batch, SSL_CERT_FILE=str(known))
    assert finding["severity"] == "ok", finding


def test_a_certificate_for_another_host_is_refused(authority: trustme.CA, tmp_path: Path) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("batch.example.com").configure_cert(tls)
    known = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(known))
    batch = LocalBatch(tls=tls)
    try:
        finding = batch_finding(batch, SSL_CERT_FILE=str(known))
    finally:
        batch.close()
    assert (finding["severity"], "certificate verify failed" in finding["message"]) == ("error", True)


def test_web_pages_and_sandbox_listen_on_loopback_by_default() -> None:
    assert Settings().web.host == "127.0.0.1"
    assert SandboxSettings().host == "127.0.0.1"
