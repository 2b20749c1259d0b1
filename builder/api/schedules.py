"""Schedules of all workflows: a calendar of what came and what comes, and what people decide about their times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from builder.accounts.rights import Action
from builder.accounts.selectors import names_of
from builder.accounts.times import maybe, ms_of, stamp
from builder.api.operation import ApiView, Body, Call, Query, View, operation
from builder.api.problems import not_here
from builder.workflows import selectors
from runtime import api as runtime_api
from runtime.contracts.schedules import ClockNote, ComingStart, PastStart, ScheduleView

MOST: Final = 200
MOST_MINUTES: Final = 60


class CalendarQuery(Query):
    """From when until when, at most two months; days are those of this time zone, else of the workspace's."""

    begin: AwareDatetime
    end: AwareDatetime
    time_zone: Annotated[str, Field(max_length=60)] = ""


class OneStart(Body):
    """A start to come, by the time of the schedule that it is for."""

    instant: AwareDatetime


class MoveStart(OneStart):
    """When it shall come, this once."""

    to: AwareDatetime


class PauseUntil(Body):
    """Until when nothing starts."""

    until: AwareDatetime


class SpreadBody(Body):
    """These schedules start evenly within so many minutes behind their time, in this order; 0: at their time."""

    schedules: Annotated[list[UUID], Field(min_length=1, max_length=MOST)]
    minutes: Annotated[int, Field(ge=0, le=MOST_MINUTES)]


class ComingShape(View):
    """A start to come, for the time `instant` of the schedule, by which it is named; it comes `at` another moment where
    it was moved, or the schedule spread. `fate`: start, skip (somebody left it out), or paused."""

    instant: str
    at: str
    fate: str
    moved: bool


class ClockNoteShape(View):
    """A start that meets a change of the clocks on `day`. `asked`: the time that does not exist, empty where it is one
    of several; null: the time comes twice, and starts `both` times or once. It starts at `starts`."""

    at: str
    day: str
    asked: str | None
    starts: str
    both: bool


class PastShape(View):
    """A start that came. `reason`: why it started nothing, or waited; `status` and `outcome`: of its run."""

    schedule_id: UUID
    workflow_id: UUID
    instant: str
    at: str
    received_at: str
    event_id: UUID
    verdict: str
    reason: str | None
    run_id: UUID | None
    status: str | None
    outcome: str | None


class ScheduleShape(View):
    """A schedule of a live version. `step`: the key of its start; `step_name`: what it is called, empty where that is
    not known. `words`: how often. `next`: the next three. `starts_later_seconds`: how much behind its time each start
    comes."""

    id: UUID
    workflow_id: UUID
    workflow_name: str
    step: str
    step_name: str
    enabled: bool
    held: bool
    words: str
    time_zone: str
    missed: str
    overlap: str
    off_days: str
    calendar: str
    starts_later_seconds: int
    paused_until: str | None
    paused_by: str | None
    next: list[ComingShape]
    clock_changes: list[ClockNoteShape]
    last: PastShape | None


class CollisionShape(View):
    """These schedules start in the same minute, first at `at`, and so many times in the coming week."""

    at: str
    schedules: list[UUID]
    times: int


class SchedulesShape(View):
    """All schedules, in the order in which they start next, and where many of them meet."""

    items: list[ScheduleShape]
    collisions: list[CollisionShape]


class PlannedShape(ComingShape):
    """A start to come, of which schedule."""

    schedule_id: UUID
    workflow_id: UUID


class DayShape(View):
    """How a schedule that starts often went on a day: runs by status, starts that were left out, and how many are to
    come; null where that is too far off to be counted."""

    schedule_id: UUID
    workflow_id: UUID
    day: str
    by_status: dict[str, int]
    left_out: int
    planned: int | None


class FreeDayShape(View):
    """A day on which nobody works, by the calendar of some schedules or the workspace's default one. `kind`: `off`, or
    `close`, the day on which the workspace closes a period, on which people do work."""

    day: str
    name: str
    calendar: str
    kind: Literal["off", "close"]


class CalendarShape(View):
    """What came and what comes. Schedules that start too often to be listed singly stand in `days`."""

    now: str
    time_zone: str
    past: list[PastShape]
    planned: list[PlannedShape]
    days: list[DayShape]
    free_days: list[FreeDayShape]


class Schedules(ApiView):
    @operation(Action.WORKFLOW_SEE, answer=SchedulesShape)
    def get(self, call: Call) -> SchedulesShape:
        """The schedules of all live versions, those that start next first, and where many meet in the coming week."""
        items = _shapes(call, runtime_api.schedules(workspace_id=call.workspace.id))
        met = runtime_api.collisions(workspace_id=call.workspace.id)
        return SchedulesShape(
            items=items,
            collisions=[CollisionShape(at=stamp(one.at), schedules=one.schedules, times=one.times) for one in met],
        )


class ScheduleCalendar(ApiView):
    @operation(Action.WORKFLOW_SEE, query=CalendarQuery, answer=CalendarShape, also=(409,))
    def get(self, call: Call, *, query: CalendarQuery) -> CalendarShape:
        """What the schedules started, and what they start next, as the ticker will."""
        zone = query.time_zone or call.workspace.time_zone
        found = runtime_api.schedule_calendar(
            workspace_id=call.workspace.id, begin=ms_of(query.begin), end=ms_of(query.end), time_zone=zone
        )
        rows = runtime_api.schedules(workspace_id=call.workspace.id)
        flows = {row.id: row.workflow_id for row in rows}
        return CalendarShape(
            now=stamp(found.now),
            time_zone=zone,
            past=[_past(one, flows[one.schedule_id]) for one in found.past if one.schedule_id in flows],
            planned=[
                PlannedShape(schedule_id=schedule, workflow_id=flows[schedule], **_coming(one).model_dump())
                for schedule, one in found.planned
                if schedule in flows
            ],
            days=[
                DayShape(
                    schedule_id=one.schedule_id,
                    workflow_id=flows[one.schedule_id],
                    day=one.day.isoformat(),
                    by_status=one.by_status,
                    left_out=one.left_out,
                    planned=one.planned,
                )
                for one in found.days
                if one.schedule_id in flows
            ],
            free_days=[
                FreeDayShape(day=one.day.isoformat(), name=one.name, calendar=one.calendar, kind=one.kind)
                for one in found.free_days
            ],
        )


class LeaveStartOut(ApiView):
    @operation(
        Action.SCHEDULE_CHANGE,
        body=OneStart,
        answer=ScheduleShape,
        also=(409,),
        repeat="stored_apart",
        does="schedule.start_left_out",
    )
    def post(self, call: Call, *, schedule_id: UUID, body: OneStart) -> ScheduleShape:
        """Leave this start out, and no other. It can be made up for later as a past time."""
        runtime_api.skip_start(
            workspace_id=call.workspace.id, schedule_id=schedule_id, instant=ms_of(body.instant), by=call.person.id
        )
        return _one(call, schedule_id)


class MoveOneStart(ApiView):
    @operation(
        Action.SCHEDULE_CHANGE,
        body=MoveStart,
        answer=ScheduleShape,
        also=(409,),
        repeat="stored_apart",
        does="schedule.start_moved",
    )
    def post(self, call: Call, *, schedule_id: UUID, body: MoveStart) -> ScheduleShape:
        """Have this start come at another moment, this once. It stays the start of its time."""
        runtime_api.move_start(
            workspace_id=call.workspace.id,
            schedule_id=schedule_id,
            instant=ms_of(body.instant),
            to=ms_of(body.to),
            by=call.person.id,
        )
        return _one(call, schedule_id)


class PutStartBack(ApiView):
    @operation(
        Action.SCHEDULE_CHANGE,
        body=OneStart,
        answer=ScheduleShape,
        also=(409,),
        repeat="stored_apart",
        does="schedule.start_put_back",
    )
    def post(self, call: Call, *, schedule_id: UUID, body: OneStart) -> ScheduleShape:
        """Let a start that was left out or moved come at its time again."""
        runtime_api.put_start_back(workspace_id=call.workspace.id, schedule_id=schedule_id, instant=ms_of(body.instant))
        return _one(call, schedule_id)


class PauseSchedule(ApiView):
    @operation(
        Action.SCHEDULE_CHANGE,
        body=PauseUntil,
        answer=ScheduleShape,
        also=(409,),
        repeat="stored_apart",
        does="schedule.paused",
    )
    def post(self, call: Call, *, schedule_id: UUID, body: PauseUntil) -> ScheduleShape:
        """Start nothing by this schedule until then. What falls into the pause is left out."""
        runtime_api.pause_schedule(
            workspace_id=call.workspace.id, schedule_id=schedule_id, until=ms_of(body.until), by=call.person.id
        )
        return _one(call, schedule_id)


class ResumeSchedule(ApiView):
    @operation(Action.SCHEDULE_CHANGE, answer=ScheduleShape, repeat="stored_apart", does="schedule.resumed")
    def post(self, call: Call, *, schedule_id: UUID) -> ScheduleShape:
        """End the pause of this schedule."""
        runtime_api.resume_schedule(workspace_id=call.workspace.id, schedule_id=schedule_id)
        return _one(call, schedule_id)


class SpreadSchedules(ApiView):
    @operation(
        Action.SCHEDULE_CHANGE,
        body=SpreadBody,
        answer=SchedulesShape,
        also=(409,),
        repeat="stored_apart",
        does="schedules.spread",
    )
    def post(self, call: Call, *, body: SpreadBody) -> SchedulesShape:
        """Have these schedules start evenly within some minutes behind their time, so that they do not all start in the
        same one; with 0 minutes at their time again."""
        first = next(iter(runtime_api.schedules(workspace_id=call.workspace.id, schedule_id=body.schedules[0])), None)
        names = selectors.names(workspace_id=call.workspace.id, workflow_ids={first.workflow_id} if first else set())
        call.deed.about(body.schedules[0], ", ".join(names.values()))
        runtime_api.spread_schedules(workspace_id=call.workspace.id, schedule_ids=body.schedules, minutes=body.minutes)
        return Schedules().get(call)


def _one(call: Call, schedule_id: UUID) -> ScheduleShape:
    found = runtime_api.schedules(workspace_id=call.workspace.id, schedule_id=schedule_id)
    if not found:
        raise not_here("schedule")
    return _shapes(call, found)[0]


def _shapes(call: Call, views: Sequence[ScheduleView]) -> list[ScheduleShape]:
    names = selectors.names(workspace_id=call.workspace.id, workflow_ids={view.workflow_id for view in views})
    people = names_of({view.paused_by for view in views if view.paused_by is not None})
    live = runtime_api.deployments(workspace_id=call.workspace.id, workflow_ids=list(names))
    steps: dict[UUID, Mapping[str, str]] = {
        workflow_id: selectors.step_names(workspace_id=call.workspace.id, version_id=one.version.id)
        for workflow_id, one in live.items()
        if one.version is not None
    }
    return [_shape(view, names, people, steps.get(view.workflow_id, {}).get(view.node_id, "")) for view in views]


def _shape(view: ScheduleView, names: dict[UUID, str], people: dict[UUID, str], step_name: str) -> ScheduleShape:
    return ScheduleShape(
        id=view.id,
        workflow_id=view.workflow_id,
        workflow_name=names.get(view.workflow_id, ""),
        step=view.node_key,
        step_name=step_name,
        enabled=view.enabled,
        held=view.held,
        words=view.words,
        time_zone=view.time_zone,
        missed=view.missed,
        overlap=view.overlap,
        off_days=view.off_days,
        calendar=view.calendar,
        starts_later_seconds=view.delay_ms // 1000,
        paused_until=maybe(view.paused_until),
        paused_by=None if view.paused_by is None else people.get(view.paused_by),
        next=[_coming(one) for one in view.next],
        clock_changes=[_note(one) for one in view.clock_changes],
        last=None if view.last is None else _past(view.last, view.workflow_id),
    )


def _coming(one: ComingStart) -> ComingShape:
    return ComingShape(instant=stamp(one.instant), at=stamp(one.at), fate=one.fate, moved=one.moved)


def _note(one: ClockNote) -> ClockNoteShape:
    return ClockNoteShape(at=stamp(one.at), day=one.day.isoformat(), asked=one.asked, starts=one.starts, both=one.both)


def _past(one: PastStart, workflow_id: UUID) -> PastShape:
    return PastShape(
        schedule_id=one.schedule_id,
        workflow_id=workflow_id,
        instant=stamp(one.instant),
        at=stamp(one.at),
        received_at=stamp(one.received_at),
        event_id=one.event_id,
        verdict=one.verdict,
        reason=one.reason,
        run_id=one.run_id,
        status=one.status,
        outcome=one.outcome,
    )
