"""When a schedule starts: its own times, and what people decided about them. The ticker, the calendar and whoever asks
for the next starts read the same plan.

A start is known by its `instant`, the time that the schedule names; it comes `at` another moment where somebody moved
it, or where all starts of the schedule come a little later. That a later version of the workflow no longer names the
instant makes a change of it void.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import merge
from operator import attrgetter
from typing import Any, Final, Literal
from uuid import UUID

from runtime.engine.jsonprofile import loads_stored
from runtime.nodes.triggers.schedule import moments, next_fires
from runtime.sdk.calendars import OWN_SIGN, WorkCalendar
from runtime.sdk.schedules import ScheduleError
from runtime.store.calendars import calendars_in, filled
from runtime.store.models import ScheduleChange, ScheduleSetting, Trigger

__all__ = ["Fate", "Plan", "Planned", "plan_of", "plans_of"]

Fate = Literal["start", "skip", "paused"]

_AT: Final = attrgetter("at")


@dataclass(frozen=True, slots=True)
class Planned:
    """A start to come: of which time, when, and whether it does."""

    instant: int
    at: int
    fate: Fate = "start"
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Of one schedule. `config`: its settings, with the working days that they mean now; `to`: by instant, to when it
    is moved, None where it is left out."""

    config: Mapping[str, Any]
    delay_ms: int = 0
    paused_until: int | None = None
    to: Mapping[int, int | None] = field(default_factory=dict)

    def after(self, moment: int) -> Iterator[Planned]:
        """All that comes strictly after this moment (ms), in the order in which it comes. Raises ScheduleError."""
        return merge(self._regular(moment), self._moved(moment), key=_AT)

    def starts(self, moment: int) -> Iterator[Planned]:
        """What of this starts, or is left out by itself; what falls into the pause is passed over."""
        return self.after(max(moment, (self.paused_until or 0) - 1))

    def next_at(self, moment: int) -> int | None:
        """When the schedule is due next, after this moment; None: never, as far as the calendar goes."""
        try:
            first = next(self.starts(moment), None)
        except OverflowError:
            return None
        return None if first is None else first.at

    def fate(self, at: int, *, skipped: bool = False) -> Fate:
        """What becomes of a start at this moment."""
        return "skip" if skipped else "paused" if at < (self.paused_until or 0) else "start"

    def _regular(self, moment: int) -> Iterator[Planned]:
        for instant in moments(self.config, moment - self.delay_ms):
            at = instant + self.delay_ms
            if instant not in self.to:
                yield Planned(instant, at, self.fate(at))
            elif self.to[instant] is None:
                yield Planned(instant, at, self.fate(at, skipped=True))

    def _moved(self, moment: int) -> Iterable[Planned]:
        found = (
            Planned(instant, to, self.fate(to), moved=True)
            for instant, to in self.to.items()
            if to is not None and to > moment and self.names(instant)
        )
        return sorted(found, key=_AT)

    def names(self, instant: int) -> bool:
        """Whether this is a time of the schedule; nothing outside the calendar is."""
        try:
            return next_fires(self.config, instant - 1, 1) == [instant]
        except (ScheduleError, OverflowError):
            return False


def plan_of(trigger: Trigger) -> Plan:
    """The plan of this schedule, as it stands."""
    return plans_of([trigger])[trigger.pk]


def plans_of(triggers: Iterable[Trigger]) -> dict[UUID, Plan]:
    """The plans of these schedules, by trigger. Three queries at the most, however many there are."""
    rows = list(triggers)
    ids = [row.pk for row in rows]
    settings = ScheduleSetting.objects.in_bulk(ids) if ids else {}
    changes: dict[UUID, dict[int, int | None]] = {}
    if ids:
        found = ScheduleChange.objects.filter(trigger_id__in=ids).values_list("trigger_id", "instant", "to")
        for trigger_id, instant, to in found:
            changes.setdefault(trigger_id, {})[instant] = to
    here = calendars_in(row.workspace_id for row in rows if f'"{OWN_SIGN}' in row.config)
    return {row.pk: _plan(row, settings.get(row.pk), changes.get(row.pk, {}), here) for row in rows}


def _plan(
    row: Trigger,
    setting: ScheduleSetting | None,
    changes: Mapping[int, int | None],
    here: Mapping[tuple[UUID, str], WorkCalendar],
) -> Plan:
    stored: Any = loads_stored(row.config)
    config = filled(row.workspace_id, stored, here)
    if setting is None:
        return Plan(config, to=changes)
    return Plan(config, setting.delay_ms, setting.paused_until, changes)
