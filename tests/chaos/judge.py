"""Says whether a run kept the promise. Pure: the same evidence, the same verdict."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from statistics import median

from tests.chaos.evidence import Evidence, Window
from tests.chaos.oracle import Sent, Story, stories
from tests.chaos.order import Delivery, Followed, Repeat, Update, follow

EXAMPLES = 5


@dataclass(slots=True)
class Verdict:
    """`broken` is empty if the promise was kept; the rest are the figures of the run."""

    broken: list[str] = field(default_factory=list)
    events: int = 0
    """Records produced."""
    lost: int = 0
    repeated: int = 0
    """Deliveries of events that had been delivered before."""
    bound: int = 0
    """How often the promise would allow it in this run."""
    per_incident: float | None = None
    """The median of events that came again because of one incident; None if there was none."""
    reach_s: float | None = None
    """The longest time from a delivery to the incident that made it come again."""
    p50_s: float | None = None
    p99_s: float | None = None
    """From Kafka's confirmation until Batch had it."""
    recovery_s: float = 0.0
    """From the end of the disturbance until everything produced before it had arrived."""
    calls: int = 0
    ideal_calls: int = 0
    """Accepted calls that brought something new."""


def judge(evidence: Evidence) -> Verdict:
    """Apply every law to the evidence."""
    verdict = Verdict(events=len(evidence.sent))
    verdict.broken += evidence.trouble
    profiles = _follow_all(evidence, verdict)
    first: dict[int, Delivery] = {}
    for profile in profiles:
        first |= profile.first
    repeats = [repeat for profile in profiles for repeat in profile.repeats]
    _judge_repeats(evidence, repeats, verdict)
    _judge_letters(evidence, verdict)
    _judge_calls(evidence, verdict)
    _judge_quiet(evidence, verdict)
    _judge_vacuity(evidence, verdict)
    _measure(evidence, first, verdict)
    return verdict


def _follow_all(evidence: Evidence, verdict: Verdict) -> list[Followed]:
    by_user: defaultdict[str, list[Update]] = defaultdict(list)
    for update in evidence.updates:
        by_user[update.user].append(update)
    wanted = stories(evidence.sent)
    doubled = {number for number, times in evidence.held.items() if times > 1}
    profiles = [follow(user, story, by_user.pop(user, ()), doubled) for user, story in wanted.items()]
    profiles += [follow(user, Story(), updates) for user, updates in by_user.items()]
    verdict.lost = sum(len(profile.lost) for profile in profiles)
    if verdict.lost:
        lost = sorted(number for profile in profiles for number in profile.lost)
        verdict.broken.append(f"lost {verdict.lost}: events {_some(lost)}")
    problems = [problem for profile in profiles for problem in profile.problems]
    if problems:
        verdict.broken.append(f"order or content, {len(problems)} times: {_some(problems)}")
    missing = sum(each.number not in evidence.held for each in evidence.sent)
    if missing:
        verdict.broken.append(f"invalid: Kafka does not hold {missing} of the records that were produced")
    return profiles


def _judge_repeats(evidence: Evidence, repeats: Sequence[Repeat], verdict: Verdict) -> None:
    """Everything that came again needs an incident that explains it."""
    cut = {call.number for call in evidence.calls if call.status is None}
    cuts_explain = evidence.rules.cut_calls_explain
    events = {each.number: each for each in evidence.sent}
    unexplained: list[Repeat] = []
    by_incident = dict.fromkeys((window.at for window in evidence.windows), 0)
    for repeat in repeats:
        event, accepted_at = events[repeat.number], repeat.before.at
        causes = [window.at for window in evidence.windows if window.covers(event, accepted_at)]
        if causes:
            by_incident[min(causes)] += repeat.is_event
            verdict.reach_s = max(verdict.reach_s or 0.0, min(causes) - repeat.before.at)
        elif not (cuts_explain and repeat.before.call in cut):
            unexplained.append(repeat)
    verdict.per_incident = median(by_incident.values()) if by_incident else None
    verdict.repeated = sum(repeat.is_event for repeat in repeats)
    if unexplained:
        examples = [
            f"{'event' if r.is_event else 'identify'} {r.number} of call {r.before.call} again in {r.again.call}"
            for r in unexplained
        ]
        verdict.broken.append(f"repeated without cause, {len(unexplained)} times: {_some(examples)}")
    verdict.bound = _bound(evidence, events)
    applied_and_cut = sum(call.events for call in evidence.calls if call.number in cut and call.events)
    if cuts_explain:
        verdict.bound += applied_and_cut
        if not evidence.windows and verdict.repeated != applied_and_cut:
            verdict.broken.append(
                f"{verdict.repeated} events came again, and the calls that were cut had {applied_and_cut}"
            )
    if verdict.repeated > verdict.bound:
        verdict.broken.append(f"repeated {verdict.repeated}, and the promise allows {verdict.bound}")


def _bound(evidence: Evidence, events: Mapping[int, Sent]) -> int:
    """How many events may come again: those accepted in the windows. Of windows that stand for lost answers at most as
    many calls as answers were lost."""
    of_all = [window for window in evidence.windows if window.partition is None]
    by_window: defaultdict[Window, set[int]] = defaultdict(set)
    by_call: Counter[int] = Counter()
    for update in evidence.updates:
        call, at = update.delivery
        if any(window.start <= at <= window.end for window in of_all):
            by_call[call] += len(update.numbers)
        for window in evidence.windows:
            if window.partition is not None and window.start <= at <= window.end:
                known = events.keys() & update.numbers
                by_window[window] |= {number for number in known if window.covers(events[number], at)}
    of_calls = sum(count for _, count in by_call.most_common(evidence.rules.ambiguous_answers))
    return of_calls + sum(map(len, by_window.values()))


def _judge_letters(evidence: Evidence, verdict: Verdict) -> None:
    """Those that must be dead letters are, and no others."""
    kinds = {each.number: each.kind.value for each in evidence.sent}
    wanted = {number for number, kind in kinds.items() if kind in evidence.rules.letters_of}
    letters = Counter(letter.number for letter in evidence.letters)
    surplus = [letter for letter in evidence.letters if letter.number not in wanted]
    if surplus:
        verdict.broken.append(f"dead letters of sound records, {len(surplus)}: {_some(surplus)}")
    missing = sorted(number for number in wanted if number not in letters)
    if missing:
        verdict.lost += len(missing)
        verdict.broken.append(f"neither delivered nor dead letters, {len(missing)}: {_some(missing)}")
    if any(not letter.reason for letter in evidence.letters):
        verdict.broken.append("there are dead letters without a reason")


def _judge_calls(evidence: Evidence, verdict: Verdict) -> None:
    brought: set[int] = set()
    seen: set[tuple[str, int]] = set()
    for update in evidence.updates:
        new = {(update.user, number) for number in (*update.numbers, *update.attributes.values())} - seen
        if new:
            seen |= new
            brought.add(update.delivery.call)
    verdict.calls, verdict.ideal_calls = len(evidence.calls), len(brought)
    most = evidence.rules.most_calls
    repeating = len({update.delivery.call for update in evidence.updates} - brought)
    spare = evidence.rules.spare_calls
    if most is not None and verdict.calls - repeating > most * verdict.ideal_calls + spare:
        verdict.broken.append(
            f"{verdict.calls - repeating} calls where {verdict.ideal_calls} would do: over {most:g} times, and {spare}"
        )
    refused = evidence.refused_429 - evidence.injected.get("429", 0)
    if refused > evidence.rules.refusals_429:
        verdict.broken.append(f"Batch's limit was hit: {refused} calls were answered 429")
    allowed = {"same_profile_in_flight"} if evidence.rules.overlaps_allowed else set()
    violations = {name: n for name, n in evidence.violations.items() if n and name not in allowed}
    if violations:
        verdict.broken.append(f"Batch saw what no client should do: {violations}")


def _judge_quiet(evidence: Evidence, verdict: Verdict) -> None:
    if evidence.lag:
        verdict.broken.append(f"not drained: {evidence.lag} offsets are not committed in the end")


def _judge_vacuity(evidence: Evidence, verdict: Verdict) -> None:
    """A run in which nothing happened proves nothing."""
    for name, least in evidence.rules.at_least.items():
        if evidence.seen[name] < least:
            verdict.broken.append(f"invalid: {evidence.seen[name]} {name} seen, and at least {least} needed")


def _measure(evidence: Evidence, first: dict[int, Delivery], verdict: Verdict) -> None:
    appended = {each.number: each.at for each in evidence.sent if each.at is not None}
    took = sorted(d.at - appended[number] for number, d in first.items() if number in appended)
    if took:
        verdict.p50_s = took[len(took) // 2]
        verdict.p99_s = took[min(len(took) - 1, len(took) * 99 // 100)]
    resumed = min((d.at - evidence.calm_at for d in first.values() if d.at > evidence.calm_at), default=inf)
    if evidence.rules.resumed_s is not None and resumed > evidence.rules.resumed_s:
        verdict.broken.append(f"delivery resumed {resumed:.0f} s after the disturbance")
    before_calm = [
        d.at for number, d in first.items() if appended.get(number, evidence.calm_at) < evidence.calm_at
    ]
    verdict.recovery_s = max(0.0, max(before_calm, default=evidence.calm_at) - evidence.calm_at)


def _some(things: Iterable[object]) -> str:
    listed = list(things)
    rest = f" and {len(listed) - EXAMPLES} more" if len(listed) > EXAMPLES else ""
    return "; ".join(str(thing) for thing in listed[:EXAMPLES]) + rest
