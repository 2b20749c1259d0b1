"""Which working days a setting means: those of a country, or of a calendar of the workspace as it is now.

Settings name a calendar (`@head-office`, `@default`); what they mean is looked up where it is reckoned. So a published
version stays what it is while the calendar changes, and what was reckoned before stays as it was reckoned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from runtime.contracts.calendars import CalendarDay, CalendarDraft
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.sdk.calendars import DEFAULT_CALENDAR, MONDAY_TO_FRIDAY, OWN_SIGN, WorkCalendar, every_day
from runtime.store.models import BusinessCalendar

__all__ = [
    "calendar_for",
    "calendar_gone",
    "calendars_in",
    "days_of",
    "days_text",
    "draft_of",
    "filled",
    "work_calendar",
]

#: Of so many calendars the days are kept laid out.
_MOST_KEPT: Final = 200
_KEPT: dict[tuple[UUID, int], WorkCalendar] = {}


def calendars_in(workspaces: Iterable[UUID]) -> dict[tuple[UUID, str], WorkCalendar]:
    """The calendars of these workspaces, by `@key`; the default one by `@default` too. One query."""
    found: dict[tuple[UUID, str], WorkCalendar] = {}
    wanted = set(workspaces)
    for row in BusinessCalendar.objects.filter(workspace_id__in=wanted) if wanted else ():
        found[row.workspace_id, OWN_SIGN + row.key] = work_calendar(row)
        if row.is_default:
            found[row.workspace_id, DEFAULT_CALENDAR] = work_calendar(row)
    return found


def calendar_for(workspace_id: UUID, country: str, region: str = "", free: tuple[str, ...] = ()) -> WorkCalendar:
    """The working days that these settings mean."""
    if not country.startswith(OWN_SIGN):
        return WorkCalendar(country, region if country else "", free)
    found = _named(workspace_id, country, calendars_in([workspace_id]))
    return WorkCalendar(found.country, found.region, free, found.weekdays, found.own, found.mark, found.name)


def filled(
    workspace_id: UUID, config: Mapping[str, Any], here: Mapping[tuple[UUID, str], WorkCalendar] | None = None
) -> Mapping[str, Any]:
    """The settings of a schedule with the working days that they mean in place of the calendar that they name. `here`:
    the calendars, where they have been read."""
    named = str(config.get("calendar") or "")
    if not named.startswith(OWN_SIGN):
        return config
    if here is None:
        here = calendars_in([workspace_id])
    return {**config, "calendar": _named(workspace_id, named, here)}


def _named(workspace_id: UUID, named: str, here: Mapping[tuple[UUID, str], WorkCalendar]) -> WorkCalendar:
    """The calendar of this name. One that is not here stands for the default one, and without any for Monday to
    Friday: nothing is to stop for that."""
    return here.get((workspace_id, named)) or here.get((workspace_id, DEFAULT_CALENDAR), MONDAY_TO_FRIDAY)


def calendar_gone(
    workspace_id: UUID, named: str, here: Mapping[tuple[UUID, str], WorkCalendar] | None = None
) -> str | None:
    """As a sentence, that there is no such calendar here; None where there is, or none is named. `here`: the calendars,
    where they have been read."""
    if not named.startswith(OWN_SIGN):
        return None
    if (workspace_id, named) in (calendars_in([workspace_id]) if here is None else here):
        return None
    if named == DEFAULT_CALENDAR:
        return "This workspace has no calendar yet. Add one in the settings, or choose other working days."
    return f"This workspace has no calendar “{named[1:]}”. Choose another one."


def draft_of(row: BusinessCalendar) -> CalendarDraft:
    """A calendar as people made it."""
    days: Any = loads_stored(row.days)
    return CalendarDraft(
        name=row.name,
        weekdays=_weekdays(row),
        country=row.country,
        region=row.region,
        days=tuple(CalendarDay(**day) for day in days),
        close=row.close,
        default=row.is_default,
    )


def work_calendar(row: BusinessCalendar) -> WorkCalendar:
    """The days of a calendar, laid out."""
    kept = _KEPT.get((row.pk, row.revision))
    # A backup may have put another calendar of the same number here, or a change may have been taken back.
    said = (row.name, row.country, row.region, row.weekdays, row.days)
    mark = sha256("\0".join(said).encode()).hexdigest()
    if kept is not None and kept.mark == mark:
        return kept
    made = WorkCalendar(row.country, row.region, (), _weekdays(row), days_of(draft_of(row)), mark, row.name)
    if len(_KEPT) >= _MOST_KEPT:
        _KEPT.clear()
    _KEPT[row.pk, row.revision] = made
    return made


def days_of(draft: CalendarDraft) -> dict[str, tuple[str, bool]]:
    """Its own days, each by itself: name, and whether it is worked. Raises ValueError for what is no day."""
    own: dict[str, tuple[str, bool]] = {}
    for day in draft.days:
        own.update(dict.fromkeys(every_day(day.day, day.until or day.day), (day.name, day.works)))
    return own


def _weekdays(row: BusinessCalendar) -> tuple[int, ...]:
    return tuple(number for number, sign in enumerate(row.weekdays) if sign == "1")


def days_text(days: Iterable[CalendarDay]) -> str:
    """As they are kept."""
    return dumps([{"day": one.day, "name": one.name, "until": one.until, "works": one.works} for one in days])
