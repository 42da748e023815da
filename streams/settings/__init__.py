"""The settings of segbatch: one typed model, read from file and environment."""

from streams.settings.batch_limits import above_batch_limits
from streams.settings.kafka_client import client_settings, consumer_settings
from streams.settings.load import REQUIRED_TO_RUN, BatchCredentials, Loaded, changed_settings, load_settings
from streams.settings.model import (
    BatchSettings,
    ConsentSettings,
    DeadLetterSettings,
    DeliverySettings,
    EngageSettings,
    FlushSettings,
    IntegrationsSettings,
    KafkaSettings,
    LogSettings,
    Settings,
    WebSettings,
    dead_letter_topic,
)
from streams.settings.problems import ConfigurationError, Problem
from streams.settings.show import Row, show, show_json, show_rows

__all__ = [
    "REQUIRED_TO_RUN",
    "BatchCredentials",
    "BatchSettings",
    "ConfigurationError",
    "ConsentSettings",
    "DeadLetterSettings",
    "DeliverySettings",
    "EngageSettings",
    "FlushSettings",
    "IntegrationsSettings",
    "KafkaSettings",
    "Loaded",
    "LogSettings",
    "Problem",
    "Row",
    "Settings",
    "WebSettings",
    "above_batch_limits",
    "changed_settings",
    "client_settings",
    "consumer_settings",
    "dead_letter_topic",
    "load_settings",
    "show",
    "show_json",
    "show_rows",
]
