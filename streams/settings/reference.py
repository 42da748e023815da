"""docs/settings.md, made from the model: `python -m streams.settings.reference > docs/settings.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby

from streams.settings.keys import SETTINGS, Setting, environment_name
from streams.settings.librdkafka import FIXED, OWNED
from streams.settings.load import REQUIRED_TO_RUN
from streams.settings.masking import shown
from streams.settings.model import Settings

_INTRODUCTION = """\
# Settings

This page is made from the program: `python -m streams.settings.reference > docs/settings.md`.

## Where settings come from

1. A YAML file: that of `--config`, else that of `SEGBATCH_CONFIG`, else `segbatch.yaml` in the working
   directory if there is one.
2. The environment, which beats the file. A setting's variable is `SEGBATCH_` and its key in capitals, with
   `__` between the levels: `kafka.brokers` is `SEGBATCH_KAFKA__BROKERS`.

```yaml
kafka:
  brokers: kafka-1:9092,kafka-2:9092
  topics: [segment-events]
batch:
  rest_api_key_file: /run/secrets/batch_rest_api_key
  project_key: ${BATCH_PROJECT_KEY}
flush:
  linger_ms: ${LINGER_MS:100}
```

- **Environment in the file**: `${VAR}` is replaced by the environment variable; `${VAR:default}` by the
  default if it is unset or empty; `$${` is a plain `${`. An unset variable without default is an error.
- **Lists** are text with commas, **maps** are JSON objects; in the file YAML lists and maps will do too.
- **Empty** values count as not set, in the file and in the environment.
- **Secrets** may stand in files: `…_FILE` in the environment, or `…_file` in the file, names the file; its
  last line break is left out. Batch's keys are read again from their files when Batch answers 401, so a
  rotated key needs no restart.
- **Unknown keys** are errors in the file. In the environment they are errors with `__` after `SEGBATCH_`, and
  where only the underscores are wrong (`SEGBATCH_BATCH_REST_API_KEY`); other unknown names that begin with
  `SEGBATCH_` are warnings. What Kubernetes sets for a service, such as `SEGBATCH_SERVICE_HOST`, is passed over.

Every error is reported at once, with what to do, and the exit code is 78. `segbatch config show` prints the
effective settings and where each value comes from, with secrets masked.
"""

_LIBRDKAFKA = """\
## Settings of librdkafka

`kafka.librdkafka` takes any setting of librdkafka's CONFIGURATION.md by its own name, for example
`{"fetch.min.bytes": "65536", "socket.keepalive.enable": "true"}`. What only consumers know goes to consumers
and what only producers know to producers. librdkafka itself checks names and values at the start. Unless set
here, `queued.max.messages.kbytes` is 16384 and `fetch.queue.backoff.ms` 50, and with the classic group protocol
`partition.assignment.strategy` is `cooperative-sticky` and `heartbeat.interval.ms` 3000 or a third of the session
timeout, if that is less.

These have settings of their own and are refused here:
"""

_FIXED = """\
These are fixed, because the promise to lose and repeat nothing rests on them, and are refused:
"""


def settings_reference() -> str:
    """The Markdown of docs/settings.md."""
    parts = [_INTRODUCTION]
    for section, group in groupby(SETTINGS.values(), key=lambda setting: setting.key.rpartition(".")[0]):
        if section:
            parts.append("\n".join(_section(section, list(group))))
    top = [setting for setting in SETTINGS.values() if "." not in setting.key]
    parts.append("\n".join(["## Top level", "", *_table(top)]) + "\n")
    owned = [f"| `{name}` | `{key}` |" for name, key in OWNED.items()]
    parts.append("\n".join([_LIBRDKAFKA, "| librdkafka | setting |", "| --- | --- |", *owned]) + "\n")
    fixed = [f"| `{name}` | {value} |" for name, value in FIXED.items()]
    parts.append("\n".join([_FIXED, "| librdkafka | value |", "| --- | --- |", *fixed]) + "\n")
    return "\n".join(parts)


def _section(section: str, settings: list[Setting]) -> Iterator[str]:
    model = Settings.model_fields[section].annotation
    yield f"## `{section}`"
    yield ""
    yield (model.__doc__ or "").strip()
    yield ""
    yield from _table(settings)
    yield ""


def _table(settings: list[Setting]) -> Iterator[str]:
    yield "| key | environment | default | unit | meaning |"
    yield "| --- | --- | --- | --- | --- |"
    for setting in settings:
        cells = (f"`{setting.key}`", _variables(setting), _default(setting), setting.unit, setting.meaning)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _variables(setting: Setting) -> str:
    direct = f"`{environment_name(setting.key)}`"
    return f"{direct} or `…_FILE`" if setting.secret else direct


def _default(setting: Setting) -> str:
    if setting.key in REQUIRED_TO_RUN:
        return "required"
    default = shown(setting.default, secret=setting.secret, mask_entries=False)
    return f"`{default}`" if default else "not set"


if __name__ == "__main__":
    sys.stdout.write(settings_reference())
