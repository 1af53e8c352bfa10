"""The budget of a connection: whether one more call may leave now, and what an answer says of the calls that are left.

Pure: the stores read the lane's row and its slots under the row's lock, ask here, and write the answer.

A slot is one row of the window. It is taken from before the request until one window after its answer, or after its
deadline where none came. The call arrived somewhere in between, so that as many slots as the ledger allows calls are
never more arrivals than that in any rolling window.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from consumer.domain.exchanges import QuotaReading
from consumer.domain.settings import LedgerLimits
from consumer.domain.states import Priority

LEAVE_SECONDS = 1.0  # a request leaves within this after its slot was committed, so its deadline may lie as much later
HALVED_SECONDS = 600.0  # a 429 halves the pace for so long
AT_ONCE_PAUSE_SECONDS = 0.1  # nobody knows when a call under way will end; most do within this
PEOPLE_PAUSE_SECONDS = 60.0  # after a refusal for the day: plans get extended, so a person may try again after this
_DAY_SECONDS = 86_400.0  # until an answer tells when the day ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The lane's own figures, as stored. ``daily_left`` None: the whole of the day's calls is left."""

    paced_until: datetime | None = None
    throttled_until: datetime | None = None
    halved_until: datetime | None = None
    daily_limit: int | None = None
    daily_left: int | None = None
    daily_resets_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The slots of a lane. ``nth_free_at`` is when the first slot becomes free that this priority may take."""

    calls_under_way: int
    nth_free_at: datetime | None  # None: there is no such slot at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why the call may not leave yet (a ports.lanes.WaitCause by its value), and in how many seconds to ask again."""

    cause: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The call may leave: the budget after it, and until when its slot is open (under way) and taken."""

    budget: Budget
    open_until: datetime
    free_at: datetime


def slots_kept_for_people(limits: LedgerLimits, slots: int, priority: Priority) -> int:
    """Give how many free slots this priority has to leave alone; a small window keeps one for the rest."""
    return 0 if priority is Priority.PERSON else max(0, min(limits.people_calls, slots - 1))


def admit(
    budget: Budget,
    window: Window,
    limits: LedgerLimits,
    *,
    priority: Priority,
    queued: bool,
    deadline_seconds: float,
    now: datetime,
) -> Admission | Refusal:
    """Decide about one call. A person's call is never spaced: slots are kept for people for that very reason."""
    paced_until = _paced(budget, limits, now)
    checks = (
        _throttled(budget, now),
        _at_once(window, limits),
        _window(window, limits, now),
        _pace(paced_until, budget, limits, now) if queued and priority is not Priority.PERSON else None,
        _quota(budget, limits, priority, now),
    )
    refusal = next((check for check in checks if check is not None), None)
    if refusal is not None:
        return refusal
    open_until = now + timedelta(seconds=LEAVE_SECONDS + deadline_seconds)
    return Admission(
        budget=replace(_one_less(budget, limits, now), paced_until=_advanced(paced_until, budget, limits, now)),
        open_until=open_until,
        free_at=open_until + timedelta(seconds=limits.window_seconds),
    )


def _refusal(cause: str, until: datetime, now: datetime) -> Refusal:
    return Refusal(cause=cause, seconds=max(0.001, (until - now).total_seconds()))


def _throttled(budget: Budget, now: datetime) -> Refusal | None:
    if budget.throttled_until is None or budget.throttled_until <= now:
        return None
    return _refusal("throttled", budget.throttled_until, now)


def _at_once(window: Window, limits: LedgerLimits) -> Refusal | None:
    if window.calls_under_way < limits.calls_at_once:
        return None
    return Refusal(cause="at_once", seconds=AT_ONCE_PAUSE_SECONDS)


def _window(window: Window, limits: LedgerLimits, now: datetime) -> Refusal | None:
    if window.nth_free_at is None:
        return Refusal(cause="window", seconds=limits.window_seconds)
    return None if window.nth_free_at <= now else _refusal("window", window.nth_free_at, now)


def _period(budget: Budget, limits: LedgerLimits, now: datetime) -> timedelta:
    """Give the space between two calls when work waits."""
    seconds = limits.window_seconds / float(limits.calls_per_window * limits.pace_share)
    halved = budget.halved_until is not None and budget.halved_until > now
    return timedelta(seconds=seconds * (2 if halved else 1))


def _paced(budget: Budget, limits: LedgerLimits, now: datetime) -> datetime:
    """Give where the spacing stands: never in the past, and no further ahead than a window (calls need not queue)."""
    latest = now + timedelta(seconds=limits.window_seconds)
    return min(max(budget.paced_until or now, now), latest)


def _pace(paced_until: datetime, budget: Budget, limits: LedgerLimits, now: datetime) -> Refusal | None:
    allowed_from = paced_until - (limits.burst_calls - 1) * _period(budget, limits, now)
    return None if allowed_from <= now else _refusal("pace", allowed_from, now)


def _advanced(paced_until: datetime, budget: Budget, limits: LedgerLimits, now: datetime) -> datetime:
    return paced_until + _period(budget, limits, now)


# ---- the day's calls -----------------------------------------------------------------------------------------------


def _left(budget: Budget, limits: LedgerLimits, now: datetime) -> tuple[int, int]:
    """Give the day's calls and how many of them are left; after the reset all of them are."""
    limit = limits.daily_calls if budget.daily_limit is None else budget.daily_limit
    over = budget.daily_resets_at is not None and budget.daily_resets_at <= now
    return limit, limit if budget.daily_left is None or over else budget.daily_left


def blocked_until(budget: Budget, limits: LedgerLimits, priority: Priority, now: datetime) -> datetime | None:
    """Tell until when the day's budget keeps this priority from calling; None where it may call."""
    if priority is Priority.PERSON:
        return None
    limit, left = _left(budget, limits, now)
    stops_at = limits.backfill_stops_at if priority is Priority.BACKFILL else limits.live_stops_at
    if left > limit * stops_at:
        return None
    # Without a reading of when the day ends it is looked at again after an hour.
    return budget.daily_resets_at or now + timedelta(hours=1)


def rests_until(budget: Budget, limits: LedgerLimits, now: datetime) -> dict[Priority, datetime]:
    """Tell for each priority until when it may not call, because of a refusal or of the day's budget; else absent."""
    refused = budget.throttled_until if budget.throttled_until is not None and budget.throttled_until > now else None
    told = {priority: (refused, blocked_until(budget, limits, priority, now)) for priority in Priority}
    return {priority: max(m for m in moments if m) for priority, moments in told.items() if any(moments)}


def _quota(budget: Budget, limits: LedgerLimits, priority: Priority, now: datetime) -> Refusal | None:
    until = blocked_until(budget, limits, priority, now)
    return None if until is None else _refusal("quota", until, now)


def _one_less(budget: Budget, limits: LedgerLimits, now: datetime) -> Budget:
    _, left = _left(budget, limits, now)
    return replace(budget, daily_left=max(0, left - 1), daily_resets_at=_resets_at(budget, now))


def _resets_at(budget: Budget, now: datetime) -> datetime:
    if budget.daily_resets_at is not None and budget.daily_resets_at > now:
        return budget.daily_resets_at
    return now + timedelta(seconds=_DAY_SECONDS)


def one_back(budget: Budget) -> Budget:
    """Count a call back that was never sent."""
    return budget if budget.daily_left is None else replace(budget, daily_left=budget.daily_left + 1)


def learn(
    budget: Budget, limits: LedgerLimits, reading: QuotaReading, *, calls_under_way: int, now: datetime
) -> Budget:
    """Take what an answer says of the day's calls; the calls under way may not be in its figure yet.

    Answers arrive out of order: within one day the smaller figure is the newer. A figure that is higher by more than
    the disorder can explain tells of a new day, or of another plan.
    """
    left = max(0, reading.left - calls_under_way)
    _, ours = _left(budget, limits, now)
    same_day = (
        budget.daily_limit == reading.limit and budget.daily_resets_at is not None and budget.daily_resets_at > now
    )
    if same_day and left - ours <= 2 * limits.calls_at_once:
        left = min(left, ours)
    resets_at = _resets_at(budget, now)
    if reading.resets_in_seconds is not None:
        resets_at = now + timedelta(seconds=max(0.0, reading.resets_in_seconds))
    return replace(budget, daily_limit=reading.limit, daily_left=left, daily_resets_at=resets_at)


def throttle(budget: Budget, kind: str, wait_seconds: float, now: datetime) -> Budget:
    """Rest the lane, as a 429 (``kind``: an errors.ThrottleKind by its value) or the breaker asks."""
    rest = min(wait_seconds, PEOPLE_PAUSE_SECONDS) if kind == "day" else wait_seconds
    until = now + timedelta(seconds=max(0.0, rest))
    after = replace(budget, throttled_until=max(budget.throttled_until or until, until))
    if kind == "minute":
        return replace(after, halved_until=now + timedelta(seconds=HALVED_SECONDS))
    if kind == "day":
        return replace(after, daily_left=0, daily_resets_at=now + timedelta(seconds=wait_seconds))
    return after
