"""Whether a request may come in: its API version and its credentials (Batch, Profiles API, "Headers")."""

from __future__ import annotations

import hmac

from aiohttp import web

from sink.sandbox.answers import Answer, refusal
from sink.sandbox.state import State


def access_refusal(state: State, request: web.Request) -> Answer | None:
    """404 for an API version that does not exist, 401 for credentials that are missing or not the sandbox's;
    None if the request may come in."""
    if state.versions.fullmatch(request.match_info["version"]) is None:
        known = state.settings.versions
        message = f"There is no such API version; the sandbox has those that match {known}."
        return refusal(404, "ROUTE_NOT_FOUND", message)
    message = _credentials_problem(state, request)
    return refusal(401, "AUTHENTICATION_INVALID", message) if message else None


def project_of(request: web.Request) -> str:
    """The project key of a request that may come in."""
    return request.headers["X-Batch-Project"].strip()


def _credentials_problem(state: State, request: web.Request) -> str:
    settings = state.settings
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not key.strip():
        return "The header Authorization: Bearer <REST API key> is missing."
    if not request.headers.get("X-Batch-Project", "").strip():
        return "The header X-Batch-Project, with the project key, is missing."
    if not _matches(key.strip(), state.rest_api_key):
        return "The REST API key in Authorization is not the one of this sandbox."
    if not _matches(project_of(request), settings.project_key):
        return "The project key in X-Batch-Project is not the one of this sandbox."
    return ""


def _matches(given: str, expected: str | None) -> bool:
    return expected is None or hmac.compare_digest(given.encode(), expected.encode())
