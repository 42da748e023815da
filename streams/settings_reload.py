"""The settings are read again while the worker runs, and what may change then is applied."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

import structlog

from streams.logs import mask_secrets
from streams.settings import REQUIRED_TO_RUN, ConfigurationError, Loaded, changed_settings, load_settings

APPLIED = (
    "delivery.enabled",
    "dead_letter.max_ratio",
    "dead_letter.max_consecutive",
    "log.level",
    "batch.rest_api_key",
    "batch.project_key",
)
"""Settings that take effect at once; every other one needs a restart."""

log = structlog.get_logger("segbatch.settings")


class SettingsReload:
    """Reads from where `loaded` came from, and gives what it finds to `apply`, which takes those of `APPLIED`."""

    def __init__(self, loaded: Loaded, apply: Callable[[Loaded], None]) -> None:
        self._loaded = loaded
        self._apply = apply

    async def reload(self) -> None:
        """Read and apply, all or nothing."""
        try:
            latest = await asyncio.to_thread(
                load_settings, self._loaded.path, os.environ, require=REQUIRED_TO_RUN
            )
        except ConfigurationError as error:
            problems = [str(problem) for problem in error.problems]
            log.error("the settings are refused: the worker goes on with those it has", problems=problems)
            return
        mask_secrets(latest.secrets())
        log.info("the settings file was read again")
        changed = changed_settings(self._loaded.settings, latest.settings)
        if waiting := [key for key in changed if key not in APPLIED]:
            log.warning("these settings changed and need a restart", settings=waiting)
        self._apply(latest)
