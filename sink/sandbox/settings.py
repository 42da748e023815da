"""What can be set of a sandbox: its address, its limits, and a choice wherever Batch documents none."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

OnProblem: TypeAlias = Literal["reject_call", "partial_error"]
"""`reject_call`: 400 for the whole call, nothing applied. `partial_error`: 202, the excess is refused."""

NameCase: TypeAlias = Literal["strict", "fold"]
RefusalBody: TypeAlias = Literal["json", "text", "empty"]

_POSITIVE = (
    "burst",
    "max_body_bytes",
    "max_event_bytes",
    "max_event_attributes",
    "max_custom_id_chars",
    "max_email_chars",
    "event_max_age_s",
    "export_burst",
    "export_file_bytes",
    "export_link_s",
)
_NOT_NEGATIVE = (
    "rate",
    "mass_rate",
    "latency_ms",
    "apply_delay_ms",
    "event_skew_s",
    "call_log_size",
    "update_log_size",
    "export_rate",
    "export_ms",
)
_CHOICES: dict[str, tuple[str, ...]] = {
    "empty_array": ("reject_call", "partial_error"),
    "missing_identifiers": ("reject_call", "partial_error"),
    "too_many_events": ("reject_call", "partial_error"),
    "too_many_attributes": ("reject_call", "partial_error"),
    "upper_case_names": ("strict", "fold"),
    "refusal_body": ("json", "text", "empty"),
    "export_outcome": ("success", "error"),
    "export_keys": ("bare", "posted"),
}


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """Every setting of a sandbox; `docs/sandbox.md` tells which are Batch's rules and which are open.

    Raises ValueError, naming the setting, for a value that cannot work.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    """0: any free port."""
    rate: float = 300.0
    """Profile updates a second on `/profiles/update` (Batch, Profiles API, "Choosing an endpoint")."""
    burst: float = 1000.0
    """Most profile updates the bucket of `/profiles/update` holds (same page)."""
    mass_rate: float = 10_000.0
    """Profile updates a second on `/profiles/mass-update`; its bucket holds one second of it (same page)."""
    latency_ms: float = 0.0
    """Every call is answered this much later; calls do not wait for one another."""
    light: bool = False
    """Authenticate, count and limit only: nothing is validated, stored or logged."""
    rest_api_key: str | None = field(default=None, repr=False)
    """The one key accepted after `Authorization: Bearer`; None: any key that is not empty."""
    project_key: str | None = field(default=None, repr=False)
    """The one key accepted in `X-Batch-Project`; None: any key that is not empty."""
    versions: str = r"2\.\d+"
    """A regular expression for the API versions that exist."""
    apply_delay_ms: float = 0.0
    """An accepted call shows in the profiles this much later (Batch applies asynchronously)."""
    apply_out_of_order: bool = False
    """Each call's delay is drawn at random from 0 to `apply_delay_ms`: calls may overtake one another."""
    apply_routes_apart: bool = False
    """Each call's delay is drawn likewise, but calls of one route are applied in order: only calls of the two routes
    overtake one another."""
    empty_array: OnProblem = "reject_call"
    """A call with `[]`. With `partial_error` it is a plain success."""
    missing_identifiers: OnProblem = "reject_call"
    """An update with no identifiers, with both, or with a custom_id that is not 1 to 1,024 characters."""
    too_many_events: OnProblem = "reject_call"
    """Over 15 events in an update. With `partial_error` the first 15 are kept."""
    too_many_attributes: OnProblem = "reject_call"
    """Over 50 attributes in an update. With `partial_error` the first 50 are kept."""
    upper_case_names: NameCase = "strict"
    """Capitals in attribute and event names: refused (`strict`) or lower-cased (`fold`)."""
    utc_only: bool = False
    """Refuse times that end in an offset, such as +02:00, rather than in Z."""
    retry_after_s: float | None = None
    """`Retry-After` of a 429, seconds; None: the header is not sent."""
    refusal_body: RefusalBody = "json"
    """The body of a 429."""
    max_body_bytes: int = 16 * 1024 * 1024
    """A larger body is refused with 413."""
    max_event_bytes: int = 25_000
    """The largest event, as compact JSON."""
    max_event_attributes: int = 20
    """Most attributes of an event, and of each object in it."""
    max_custom_id_chars: int = 1024
    max_email_chars: int = 128
    event_max_age_s: float = 86_400.0
    """Older events are refused."""
    event_skew_s: float = 0.0
    """How far in the future an event's time may be by the sandbox's clock."""
    export_rate: float = 1.0
    """Calls a second of the three export routes together, by project key (Batch's default for other routes)."""
    export_burst: float = 10.0
    """Most of them at once."""
    export_ms: float = 1_000.0
    """From an export's request to its end; a third each it is CREATED, PENDING and RUNNING."""
    export_outcome: Literal["success", "error"] = "success"
    """How exports end."""
    export_file_bytes: int = 100_000_000
    """The largest file of an export (Batch, "Exports": 100 MB)."""
    export_link_s: float = 1_200.0
    """How long the link to a file is valid (Batch, "Exports": 20 minutes)."""
    export_keys: Literal["bare", "posted"] = "bare"
    """Names of attributes in an export: `birthday` (`bare`) or `date(birthday)` (`posted`)."""
    echo_values: bool = False
    """The message of every error ends in what the call held: Batch documents no messages."""
    call_log_size: int = 10_000
    """The calls that `/_sandbox/calls` remembers."""
    update_log_size: int = 0
    """The applied updates that `/_sandbox/updates` remembers."""
    seed: int | None = None
    """Makes the faults and the delays of application draw the same chances each time."""

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be a number greater than 0")
        for name in _NOT_NEGATIVE:
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be a number that is not negative")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be one of {', '.join(choices)}")
        for name in ("apply_out_of_order", "apply_routes_apart"):
            if getattr(self, name) and self.apply_delay_ms == 0:
                raise ValueError(f"{name} needs apply_delay_ms greater than 0")
        if self.apply_out_of_order and self.apply_routes_apart:
            raise ValueError("apply_routes_apart keeps an order that apply_out_of_order does not: choose one")
        try:
            re.compile(self.versions)
        except re.error as error:
            raise ValueError(f"versions is not a regular expression: {error}") from error
