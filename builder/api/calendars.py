"""Business calendars of a workspace: on which days people work. Everybody sees them; admins change them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from builder.accounts.rights import Action
from builder.accounts.selectors import names_of
from builder.accounts.times import stamp
from builder.api.deeds import NOTHING
from builder.api.operation import ApiView, Body, Call, Query, View, operation
from builder.api.problems import Refusal
from builder.workflows import selectors
from runtime import api as runtime_api
from runtime.contracts.calendars import (
    MOST_CALENDAR_DAYS,
    CalendarDay,
    CalendarDraft,
    CalendarView,
)

#: A date of one year, or of every year.
Day = Annotated[str, Field(pattern=r"^(\d{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
Weekday = Annotated[int, Field(ge=0, le=6)]


class CalendarDayBody(Body):
    """A day that is free, or worked (`works`) whatever else is said of it: `2026-12-24`, or `12-24` for every year;
    until `until` where it is several."""

    day: Day
    until: Day | Literal[""] = ""
    name: Annotated[str, Field(max_length=100)] = ""
    works: bool = False


class CalendarBody(Body):
    """A calendar. `weekdays`: which are worked, 0 is Monday. `country`, `region`: whose public holidays are free, by
    ISO 3166; empty: nobody's. `days`: its own. `close`: the day of each month on which a period is closed: empty,
    `last`, `last_workday`, `workday_last_2`, `workday_last_3`, `first_workday`, or `workday_2` to `workday_15`.
    `default`: the one that the workspace goes by."""

    name: Annotated[str, Field(max_length=80)]
    weekdays: Annotated[list[Weekday], Field(max_length=7)] = [0, 1, 2, 3, 4]
    country: Annotated[str, Field(pattern=r"^([A-Z]{2})?$")] = ""
    region: Annotated[str, Field(max_length=20)] = ""
    days: Annotated[list[CalendarDayBody], Field(max_length=MOST_CALENDAR_DAYS)] = []
    close: Annotated[str, Field(max_length=20)] = ""
    default: bool = False


class ChangeCalendar(CalendarBody):
    """What it shall be. `revision`: of the calendar as you know it."""

    revision: Annotated[int, Field(ge=1)]


class IcsBody(Body):
    """The text of a calendar file (`.ics`, at most 200 KB), and the days that the calendar has already."""

    text: str
    days: Annotated[list[CalendarDayBody], Field(max_length=MOST_CALENDAR_DAYS)] = []


class YearQuery(Query):
    """Which year, from 1970 to 2100."""

    year: int


class CalendarDayShape(View):
    """A day of the calendar's own."""

    day: str
    until: str
    name: str
    works: bool


class CalendarRowShape(View):
    """A calendar. Settings of steps and alerts name it by `@` and its `key`, which never changes; the default one by
    `@default` too."""

    id: UUID
    key: str
    revision: int
    name: str
    weekdays: list[int]
    country: str
    region: str
    days: list[CalendarDayShape]
    close: str
    default: bool
    changed_at: str
    changed_by: str | None


class CalendarsShape(View):
    """All calendars, the default one first."""

    items: list[CalendarRowShape]


class CalendarCountryShape(View):
    """A country whose public holidays are known, with the regions in which they differ."""

    code: str
    name: str
    regions: list[str]


class CalendarCountriesShape(View):
    """All of them, by name."""

    items: list[CalendarCountryShape]


class DayOfYearShape(View):
    """A day of which there is something to say: `holiday` (public), `off` (the calendar's own), `worked` (by its own
    word, whatever else is said), `close` (a period is closed)."""

    day: str
    kind: Literal["holiday", "off", "worked", "close"]
    name: str


class CalendarYearShape(View):
    """A year of a calendar. `free`: all days on which nobody works; `working_days`: how many each month has."""

    year: int
    days: list[DayOfYearShape]
    free: list[str]
    working_days: list[int]


class IcsLeftOutShape(View):
    """An event that cannot be taken over: it is no whole day (`time`), comes again in another way than every year
    (`repeats`), is longer than a year (`long`), or its dates cannot be read (`broken`)."""

    name: str
    why: str


class IcsDaysShape(View):
    """What the file would add; `known`: so many of its days are there already."""

    days: list[CalendarDayShape]
    known: int
    left_out: list[IcsLeftOutShape]


class CalendarUseShape(View):
    """A workflow that goes by the calendar: by which steps, in its draft or live, or by an alert about it."""

    workflow_id: UUID
    name: str
    steps: list[str]
    draft: bool
    live: bool
    alert: bool


class CalendarUsesShape(View):
    """What goes by a calendar, by name."""

    items: list[CalendarUseShape]


class Calendars(ApiView):
    @operation(Action.WORKSPACE_SEE, answer=CalendarsShape)
    def get(self, call: Call) -> CalendarsShape:
        """The calendars of the workspace; at most 20."""
        return CalendarsShape(items=_shapes(runtime_api.calendars(workspace_id=call.workspace.id)))

    @operation(
        Action.WORKSPACE_EDIT,
        body=CalendarBody,
        answer=CalendarRowShape,
        status=201,
        also=(409,),
        repeat="stored_apart",
        does="calendar.created",
    )
    def post(self, call: Call, *, body: CalendarBody) -> CalendarRowShape:
        """Make a calendar. The first one is the default."""
        made = runtime_api.add_calendar(workspace_id=call.workspace.id, draft=_draft(body), by=call.person.id)
        return _one(call, made)


class CalendarCountries(ApiView):
    @operation(Action.WORKSPACE_SEE, answer=CalendarCountriesShape)
    def get(self, call: Call) -> CalendarCountriesShape:
        """The countries and regions whose public holidays can be chosen."""
        return CalendarCountriesShape(
            items=[
                CalendarCountryShape(code=code, name=name, regions=list(regions))
                for code, name, regions in runtime_api.calendar_countries()
            ]
        )


class PreviewImport(ApiView):
    @operation(Action.WORKSPACE_EDIT, body=IcsBody, answer=IcsDaysShape, does=NOTHING)
    def post(self, call: Call, *, body: IcsBody) -> IcsDaysShape:
        """What a calendar file would add to these days. Nothing is kept, and nothing is fetched."""
        found = runtime_api.ics_days(text=body.text, known=_days(body.days))
        return IcsDaysShape(
            days=[_day(one) for one in found.days],
            known=found.known,
            left_out=[IcsLeftOutShape(name=name, why=why) for name, why in found.left_out],
        )


class OneCalendar(ApiView):
    @operation(Action.WORKSPACE_SEE, answer=CalendarRowShape)
    def get(self, call: Call, *, calendar_id: UUID) -> CalendarRowShape:
        """One calendar."""
        return _one(call, calendar_id)

    @operation(
        Action.WORKSPACE_EDIT,
        body=ChangeCalendar,
        answer=CalendarRowShape,
        also=(409,),
        repeat="stored_apart",
        does="calendar.changed",
    )
    def put(self, call: Call, *, calendar_id: UUID, body: ChangeCalendar) -> CalendarRowShape:
        """Let it be this from now on. Schedules that go by it start next as it now says; what was reckoned before stays
        as it was reckoned."""
        runtime_api.change_calendar(
            workspace_id=call.workspace.id,
            calendar_id=calendar_id,
            revision=body.revision,
            draft=_draft(body),
            by=call.person.id,
        )
        return _one(call, calendar_id)

    @operation(Action.WORKSPACE_EDIT, status=204, also=(409,), repeat="stored_apart", does="calendar.removed")
    def delete(self, call: Call, *, calendar_id: UUID) -> None:
        """Take it away; refused while anything goes by it, with what that is."""
        uses = _uses(call, calendar_id)
        if uses:
            told = ", ".join(f"{one.name} ({', '.join(one.steps) or 'alert'})" for one in uses[:5])
            more = f" and {len(uses) - 5} more" if len(uses) > 5 else ""
            raise Refusal(
                409,
                "calendar_used",
                "This calendar is used. Choose another one there first.",
                detail=f"It is used by {told}{more}.",
                params={"uses": [one.model_dump(mode="json") for one in uses]},
            )
        runtime_api.remove_calendar(workspace_id=call.workspace.id, calendar_id=calendar_id)


class CalendarYear(ApiView):
    @operation(Action.WORKSPACE_SEE, query=YearQuery, answer=CalendarYearShape, also=(409,))
    def get(self, call: Call, *, calendar_id: UUID, query: YearQuery) -> CalendarYearShape:
        """The days of a year of which there is something to say, as the calendar is now."""
        found = runtime_api.calendar_year(workspace_id=call.workspace.id, calendar_id=calendar_id, year=query.year)
        return CalendarYearShape(
            year=found.year,
            days=[DayOfYearShape(day=one.day.isoformat(), kind=one.kind, name=one.name) for one in found.days],
            free=[day.isoformat() for day in found.free],
            working_days=found.working_days,
        )


class CalendarUses(ApiView):
    @operation(Action.WORKSPACE_EDIT, answer=CalendarUsesShape)
    def get(self, call: Call, *, calendar_id: UUID) -> CalendarUsesShape:
        """The workflows that go by this calendar, in their draft or in what is live, or by an alert about them."""
        return CalendarUsesShape(items=_uses(call, calendar_id))


# --- inside -----------------------------------------------------------------------------------------------------------


def _uses(call: Call, calendar_id: UUID) -> list[CalendarUseShape]:
    here = call.workspace.id
    names = runtime_api.calendar_names(runtime_api.calendar(workspace_id=here, calendar_id=calendar_id))
    found: dict[UUID, CalendarUseShape] = {}
    for name in names:
        for one in selectors.uses_of(workspace_id=here, text=f'"{name}"'):
            had = found.get(one.workflow_id)
            found[one.workflow_id] = CalendarUseShape(
                workflow_id=one.workflow_id,
                name=one.name,
                steps=list(dict.fromkeys([*(had.steps if had else ()), *one.steps])),
                draft=one.draft or (had is not None and had.draft),
                live=one.live or (had is not None and had.live),
                alert=False,
            )
    watched = [one for one in runtime_api.alerts_by_calendar(workspace_id=here, names=names) if one is not None]
    called = selectors.names(workspace_id=here, workflow_ids=set(watched))
    for workflow_id in (one for one in watched if one in called):
        had = found.get(workflow_id) or CalendarUseShape(
            workflow_id=workflow_id, name=called.get(workflow_id, ""), steps=[], draft=False, live=False, alert=True
        )
        found[workflow_id] = had.model_copy(update={"alert": True})
    return sorted(found.values(), key=lambda one: (one.name.casefold(), str(one.workflow_id)))


def _draft(body: CalendarBody) -> CalendarDraft:
    return CalendarDraft(
        name=body.name,
        weekdays=tuple(body.weekdays),
        country=body.country,
        region=body.region,
        days=_days(body.days),
        close=body.close,
        default=body.default,
    )


def _days(bodies: Sequence[CalendarDayBody]) -> tuple[CalendarDay, ...]:
    return tuple(CalendarDay(one.day, one.name, one.until, one.works) for one in bodies)


def _one(call: Call, calendar_id: UUID) -> CalendarRowShape:
    return _shapes([runtime_api.calendar(workspace_id=call.workspace.id, calendar_id=calendar_id)])[0]


def _shapes(views: Sequence[CalendarView]) -> list[CalendarRowShape]:
    people = names_of({view.changed_by for view in views if view.changed_by is not None})
    return [
        CalendarRowShape(
            id=view.id,
            key=view.key,
            revision=view.revision,
            name=view.draft.name,
            weekdays=list(view.draft.weekdays),
            country=view.draft.country,
            region=view.draft.region,
            days=[_day(one) for one in view.draft.days],
            close=view.draft.close,
            default=view.draft.default,
            changed_at=stamp(view.changed_at),
            changed_by=None if view.changed_by is None else people.get(view.changed_by),
        )
        for view in views
    ]


def _day(one: CalendarDay) -> CalendarDayShape:
    return CalendarDayShape(day=one.day, until=one.until, name=one.name, works=one.works)
