"""The part of the settings that the mapping reads."""

from __future__ import annotations

from mapping.settings import MappingSettings
from streams.settings import Settings


def mapping_settings(settings: Settings) -> MappingSettings:
    """The mapping's own settings."""
    return MappingSettings(
        naming=settings.naming,
        names=settings.names,
        integrations_names=settings.integrations.names,
        audience_tracks=settings.engage.audience_tracks,
        event_attribute_limit=settings.event_attribute_limit,
        consent_categories=settings.consent.required_categories,
    )
