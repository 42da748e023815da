"""Loading: file, then environment, then every check; all problems at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import SecretStr, ValidationError

from streams.settings.checks import cross_problems, mappings_file
from streams.settings.document import read_document
from streams.settings.entries import Entry, Reading, Unset, is_text, read_secret
from streams.settings.environment import CONFIG_VARIABLE, read_environment, setting_key
from streams.settings.keys import SETTINGS, value_of
from streams.settings.masking import MASK
from streams.settings.model import Settings
from streams.settings.problems import ConfigurationError, Problem, SettingError
from streams.settings.values import check_key
from streams.settings.wording import problem_of

DEFAULT_FILE = Path("segbatch.yaml")
REQUIRED_TO_RUN = ("kafka.brokers", "kafka.topics", "batch.rest_api_key", "batch.project_key")
"""What the worker cannot do without."""
_CREDENTIALS = ("batch.rest_api_key", "batch.project_key")


class BatchCredentials(NamedTuple):
    """The two keys of Batch, in plain text."""

    rest_api_key: str
    project_key: str

    def __repr__(self) -> str:
        return "BatchCredentials(rest_api_key='********', project_key='********')"


@dataclass(frozen=True)
class Loaded:
    """The effective settings, and where each value comes from."""

    settings: Settings
    origins: Mapping[str, str]
    """By dotted key: `default`, `file segbatch.yaml:12` or `environment SEGBATCH_…`."""
    secret_files: Mapping[str, Path] = field(default_factory=dict)
    """By dotted key: the files that secrets were read from."""
    path: Path | None = None
    """The settings file; None if there is none."""
    warnings: tuple[Problem, ...] = ()
    """Environment variables that look like settings and are none."""

    def credentials(self) -> BatchCredentials:
        """Batch's keys as they were loaded; empty text for one that is not set."""
        return BatchCredentials(*(_plain(self.settings, key) for key in _CREDENTIALS))

    def reload_secrets(self) -> BatchCredentials:
        """Batch's keys, those from files read again: a mounted secret may be rotated.

        Raises ConfigurationError if a file cannot be read any more, or holds what cannot be a key.
        """
        found = [self._read_again(key) for key in _CREDENTIALS]
        problems = [item for item in found if isinstance(item, Problem)]
        if problems:
            raise ConfigurationError(problems)
        return BatchCredentials(*(str(item) for item in found))

    def secrets(self) -> tuple[str, ...]:
        """Every secret in plain text, for masking logs."""
        values = (_plain(self.settings, key) for key, setting in SETTINGS.items() if setting.secret)
        return tuple(value for value in values if value)

    def _read_again(self, key: str) -> str | Problem:
        path = self.secret_files.get(key)
        if path is None:
            return _plain(self.settings, key)
        secret = read_secret(key, path, self.origins[key])
        try:
            return secret if isinstance(secret, Problem) else check_key(secret)
        except SettingError as error:
            return Problem(key, MASK, error.message, error.remedy, self.origins[key])


def load_settings(
    config: Path | None,
    environ: Mapping[str, str],
    *,
    require: Collection[str] = (),
    with_mappings: bool = False,
) -> Loaded:
    """The settings from file and environment; environment beats file.

    Args:
        config: the file; None for that of SEGBATCH_CONFIG, else ./segbatch.yaml if there is one, else none.
        environ: the environment variables.
        require: dotted keys that must be set.
        with_mappings: whether the file that `mappings` names must be there.

    Raises:
        ConfigurationError: with every problem found.
    """
    path = _configuration_file(config, environ)
    document = read_document(path, environ) if path is not None else Reading({}, ())
    environment = read_environment(environ)
    entries = {**document.entries, **environment.entries}
    settings, invalid = _validated(entries)
    given = {key: entry.origin for key, entry in entries.items()}
    found = [*document.problems, *environment.problems, *invalid]
    wrong = {setting_key(problem.key) for problem in found}
    found += cross_problems(settings, given, wrong)
    if with_mappings:
        found += mappings_file(settings, given)
    if document.readable:
        wanted = [key for key in require if key not in wrong]
        missing = list(_missing(settings, wanted, document.unset))
        if missing and path is None:
            missing[0] = missing[0]._replace(remedy=f"{missing[0].remedy} {_no_file()}")
        found += missing
    if found:
        raise ConfigurationError(found)
    unset = {key: _not_given(found) for key, found in document.unset.items()}
    origins = {key: given.get(key) or unset.get(key, "default") for key in SETTINGS}
    files = {key: entry.secret_file for key, entry in entries.items() if entry.secret_file is not None}
    return Loaded(settings, origins, files, path, environment.warnings)


def changed_settings(before: Settings, after: Settings) -> list[str]:
    """Dotted keys of the settings that differ."""
    return [key for key in SETTINGS if value_of(before, key) != value_of(after, key)]


def _configuration_file(config: Path | None, environ: Mapping[str, str]) -> Path | None:
    if config is not None:
        return config
    if environ.get(CONFIG_VARIABLE):
        return Path(environ[CONFIG_VARIABLE])
    return DEFAULT_FILE if DEFAULT_FILE.exists() else None


def _validated(entries: Mapping[str, Entry]) -> tuple[Settings, list[Problem]]:
    """Settings of the entries that are valid, and the problems of the others."""
    problems = {key: _not_text(entry) for key, entry in entries.items() if not is_text(entry.raw)}
    try:
        return Settings.model_validate(_nested(_without(entries, problems))), list(problems.values())
    except ValidationError as error:
        problems |= {problem.key: problem for problem in map(problem_of(entries), error.errors())}
    return Settings.model_validate(_nested(_without(entries, problems))), list(problems.values())


def _without(entries: Mapping[str, Entry], keys: Collection[str]) -> dict[str, Entry]:
    return {key: entry for key, entry in entries.items() if key not in keys}


def _not_text(entry: Entry) -> Problem:
    return Problem(entry.key, None, "has a character that is not allowed", "Write it anew.", entry.origin)


def _nested(entries: Mapping[str, Entry]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, entry in entries.items():
        *sections, name = key.split(".")
        branch = tree
        for section in sections:
            branch = branch.setdefault(section, {})
        branch[name] = entry.raw
    return tree


def _missing(settings: Settings, require: Collection[str], unset: Mapping[str, Unset]) -> Iterator[Problem]:
    for key in require:
        if value_of(settings, key) in (None, "", ()):
            setting = SETTINGS[key]
            own = [setting.environment, *([f"{setting.environment}_FILE"] if setting.secret else [])]
            if key not in unset:
                remedy = f"Set {', '.join(own)}, or {key} in the configuration file."
                yield Problem(key, None, "is required and not set", remedy)
                continue
            names = " and ".join(unset[key].variables)
            remedy = f"Set the environment variable {', '.join([names, *own[:-1]])} or {own[-1]}."
            message = f"is required, and the file takes it from {names}, which is not set"
            yield Problem(key, None, message, remedy, unset[key].origin)


def _not_given(unset: Unset) -> str:
    """The origin of a setting whose variable in the file is not set."""
    return f"default ({', '.join(unset.variables)} of {unset.origin} not set)"


def _no_file() -> str:
    """Nothing named a settings file: where one was looked for, and what is there instead."""
    other = DEFAULT_FILE.with_suffix(".yml")
    if other.exists():
        return f"There is a {other} in {Path.cwd()}, but {DEFAULT_FILE} is read: rename it, or name it with --config."
    return f"There is no {DEFAULT_FILE} in {Path.cwd()}; if it lies elsewhere, name it with --config."


def _plain(settings: Settings, key: str) -> str:
    value = value_of(settings, key)
    return value.get_secret_value() if isinstance(value, SecretStr) else ""
