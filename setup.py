"""Builds segbatch. With SEGBATCH_COMPILE=1 in the environment the modules that every event goes through are compiled
by mypyc, from the same source; without it the package is pure Python."""

from __future__ import annotations

import os

from setuptools import setup

COMPILER = "mypy>=2.4,<2.5"
COMPILED = (
    "mapping/encode.py",
    "mapping/engage.py",
    "mapping/event_attributes.py",
    "mapping/identity.py",
    "mapping/integrations.py",
    "mapping/mapper.py",
    "mapping/naming.py",
    "mapping/natives.py",
    "mapping/preset.py",
    "mapping/profile_attributes.py",
    "mapping/read.py",
    "mapping/strings.py",
    "mapping/timestamps.py",
    "mapping/values.py",
    "sink/coalescer.py",
    "sink/encoding.py",
    "sink/lateness.py",
    "sink/packed_table.py",
    "sink/preparing.py",
    "sink/unchanged.py",
    "streams/backfill/fold.py",
    "streams/backfill/folded.py",
    "streams/backfill/letters.py",
    "streams/backfill/selection.py",
    "streams/ledger.py",
    "streams/pipeline.py",
    "streams/records.py",
    "streams/repeats.py",
    "streams/settlement.py",
)
CHECKED_AS = ("--config-file=", "--ignore-missing-imports", "--follow-imports=silent")


def compiled() -> dict[str, object]:
    """What `setup` is told when the modules are to be compiled: at first, that the compiler is needed."""
    try:
        from mypyc.build import mypycify
    except ImportError:
        return {"setup_requires": [COMPILER]}
    return {"ext_modules": mypycify([*CHECKED_AS, *COMPILED], opt_level="3")}


setup(**(compiled() if os.environ.get("SEGBATCH_COMPILE") == "1" else {}))
