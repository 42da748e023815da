"""A local stand-in for Batch's Profiles API, an independent reading of what Batch documents."""

from sink.sandbox.server import RunningSandbox, start_sandbox
from sink.sandbox.settings import SandboxSettings

__all__ = ["RunningSandbox", "SandboxSettings", "start_sandbox"]
