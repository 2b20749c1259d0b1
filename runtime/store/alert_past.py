"""How often a rule would have told in the last days: from the figures of that time, never from rows of runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from runtime.contracts.alerts import AlertPast, AlertRuleDraft
from runtime.store.alert_measures import HOURS_FROM, calendar_of, clock_at, counts_on, zone_of
from runtime.store.figure_models import WHOLE
from runtime.store.figure_rows import HOUR, MINUTE
from runtime.store.models import Figure, StandingFigure, SystemFigure
from runtime.store.sketch import Sketch

__all__ = ["past"]

_DAYS: Final = 7
_FIGURES: Final = {
    "failure_rate": ("failed", "completed", "undone"),
    "duplicate_rate": ("duplicates", "conflicts", "received"),
    "failed_runs": ("failed",),
    "dead_letters": ("letters",),
}
#: How many of these names are the part, of all of them together.
_PART: Final = {"failure_rate": 1, "duplicate_rate": 2}


def past(workspace_id: UUID, rule: AlertRuleDraft, now: int) -> AlertPast | None:
    """By calendar day of the rule's time zone, today and the six days before: how often it would have begun to alert.
    None where nothing of that time is kept that tells it."""
    zone = zone_of(rule.time_zone)
    today = datetime.fromtimestamp(now / 1000, UTC).astimezone(zone).date()
    days = [today - timedelta(days=_DAYS - 1 - number) for number in range(_DAYS)]
    begins = [clock_at(day, time(), zone) for day in days]
    if rule.kind in ("stuck_runs", "no_workers"):
        return None
    if rule.kind == "arrival":
        found = _not_come(workspace_id, rule, now, days, begins)
    else:
        found = _begun(_over(workspace_id, rule, begins[0], now), begins[0], now)
    counts = [0] * _DAYS
    for at in found:
        counts[max(number for number, begin in enumerate(begins) if begin <= max(at, begins[0]))] += 1
    return AlertPast(tuple(day.isoformat() for day in days), tuple(counts))


def _begun(states: Iterator[tuple[int, bool]], begin: int, now: int) -> list[int]:
    """When it began to alert. What was so when the first day began counts as begun then."""
    found: list[int] = []
    alerts = False
    for at, same in groupby(states, key=lambda state: state[0]):
        # What goes out of the time that is looked at and what comes in at one moment is seen together.
        over = [over for _, over in same][-1]
        if at > now:
            break
        if at <= begin:
            found = [begin] if over else []
        elif over and not alerts:
            found.append(at)
        alerts = over
    return found


def _over(workspace_id: UUID, rule: AlertRuleDraft, begin: int, now: int) -> Iterator[tuple[int, bool]]:
    """From when on it is above its limit, or is not: each moment at which that may change, in order."""
    if rule.kind == "queue_age":
        # Nothing is kept of a minute in which nothing waited.
        rows = StandingFigure.objects.filter(
            workspace_id=workspace_id, level=MINUTE, at__gte=begin, at__lte=now, oldest_ms__gt=int(rule.limit * 1000)
        )
        times = list(rows.order_by("at").values_list("at", flat=True))
        return _sliding([(at, (1,)) for at in times], 0, MINUTE * 1000, lambda sums: sums[0] > 0)
    level = MINUTE if rule.minutes < HOURS_FROM else HOUR
    window = rule.minutes * MINUTE * 1000
    step = level * 1000
    span = {"workspace_id": workspace_id, "level": level, "at__gte": begin - window - step, "at__lte": now}
    if rule.kind == "connection_errors":
        errors = SystemFigure.objects.filter(**span, errors__gt=0)
        if rule.connection_id is not None:
            errors = errors.filter(system=rule.connection_id.hex)
        counted = [(at, (count,)) for at, count in errors.order_by("at").values_list("at", "errors")]
        return _sliding(counted, window, step, lambda sums: sums[0] > rule.limit)
    figures = Figure.objects.filter(**span, workflow_id=rule.workflow_id or WHOLE).order_by("at")
    if rule.kind == "p95":
        return _slow(list(figures.exclude(took="").values_list("at", "took")), window, step, rule)
    names = _FIGURES[rule.kind]
    rows_of = [(row[0], tuple(row[1:])) for row in figures.values_list("at", *names) if any(row[1:])]
    part = _PART.get(rule.kind)
    if part is None:
        return _sliding(rows_of, window, step, lambda sums: sums[0] > rule.limit)
    return _sliding(rows_of, window, step, lambda sums: _is_share_over(sums, part, rule))


def _is_share_over(sums: Sequence[int], part: int, rule: AlertRuleDraft) -> bool:
    whole = sum(sums)
    return whole >= max(1, rule.least) and 100 * sum(sums[:part]) / whole > rule.limit


def _sliding(
    rows: Sequence[tuple[int, tuple[int, ...]]], window: int, step: int, is_over: Callable[[Sequence[int]], bool]
) -> Iterator[tuple[int, bool]]:
    """Sums over the window that ends at each moment at which one comes in or goes out."""
    if not rows:
        return
    sums = [0] * len(rows[0][1])
    inside: deque[tuple[int, tuple[int, ...]]] = deque()
    for at, values, comes in _moments(rows, window + step):
        if comes:
            inside.append((at, values))
            sums = [one + more for one, more in zip(sums, values, strict=True)]
        else:
            _, gone = inside.popleft()
            sums = [one - less for one, less in zip(sums, gone, strict=True)]
        yield at, is_over(sums)


def _slow(rows: Sequence[tuple[int, str]], window: int, step: int, rule: AlertRuleDraft) -> Iterator[tuple[int, bool]]:
    """The same of a percentile: sketches are added where they come in, and taken off where they go out."""
    whole = Sketch()
    inside: deque[Sketch] = deque()
    for at, text, comes in _moments(rows, window + step):
        if comes:
            inside.append(Sketch(text))
            whole.merge(inside[-1])
        else:
            for bucket, count in inside.popleft().counts.items():
                whole.counts[bucket] -= count
                if not whole.counts[bucket]:
                    del whole.counts[bucket]
        enough = whole.total >= max(1, rule.least)
        yield at, enough and (whole.quantiles((0.95,))[0] or 0) / 1000 > rule.limit


def _moments(rows: Sequence[tuple[int, Any]], after: int) -> Iterator[tuple[int, Any, bool]]:
    """Rows as they come in, and as they go out so long after that; at one moment first what goes out."""
    going = 0
    for at, value in rows:
        while going < len(rows) and rows[going][0] + after <= at:
            yield rows[going][0] + after, rows[going][1], False
            going += 1
        yield at, value, True
    for at, value in rows[going:]:
        yield at + after, value, False


def _not_come(
    workspace_id: UUID, rule: AlertRuleDraft, now: int, days: Sequence[date], begins: Sequence[int]
) -> list[int]:
    """The moments by which nothing had come since midnight."""
    if rule.arrival is None or rule.workflow_id is None:
        return []
    rows = Figure.objects.filter(
        workspace_id=workspace_id, level=MINUTE, workflow_id=rule.workflow_id, at__gte=begins[0], received__gt=0
    )
    came = list(rows.order_by("at").values_list("at", flat=True))
    hour, minute = (int(part) for part in rule.arrival.by.split(":"))
    calendar = calendar_of(workspace_id, rule.arrival)
    due = [
        (begin, clock_at(day, time(hour, minute), zone_of(rule.time_zone)))
        for day, begin in zip(days, begins, strict=True)
        if counts_on(rule.arrival, day, calendar)
    ]
    return [at for begin, at in due if at <= now and not any(begin <= one < at for one in came)]
