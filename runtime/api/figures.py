"""What happened in a range of time: read from what was added up (`store.figures`), never from the runs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import BigIntegerField, F, Sum, Value
from django.db.models.functions import Cast

from runtime.contracts.figures import (
    Figures,
    FiguresPoint,
    Happened,
    HourFigures,
    PublishMarker,
    StandingPoint,
    SystemErrors,
    Took,
    WorkflowFigures,
)
from runtime.store.dialect import database_now
from runtime.store.figure_models import WHOLE
from runtime.store.figure_rows import COUNTS, DAY, HOUR, KEEP_MINUTES_MS, LEVELS, MINUTE, WEEK
from runtime.store.models import Deployment, Figure, StandingFigure, SystemFigure, Version
from runtime.store.sketch import Sketch

__all__ = ["LONGEST_MS", "SHORTEST_MS", "figures", "figures_state", "hours"]

SHORTEST_MS: Final = 15 * MINUTE * 1000
LONGEST_MS: Final = 400 * DAY * 1000
_SHARES: Final = (0.5, 0.95, 0.99)
#: The steps in which a range may be told, in seconds; the first that makes no more than so many.
_STEPS: Final = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, DAY, WEEK)
_MOST_STEPS: Final = 120
_TREND: Final = 24
_MOST_MARKERS: Final = 200


def figures_state(*, workspace_id: UUID) -> str:
    """Another text whenever the newest figures of the workspace have changed: two rows by their keys."""
    happened = Figure.objects.filter(workspace_id=workspace_id, level=MINUTE, workflow_id=WHOLE).order_by("-at")
    stood = StandingFigure.objects.filter(workspace_id=workspace_id, level=MINUTE).order_by("-at")
    rows = happened.values_list("at", *COUNTS)[:1], stood.values_list("at", "queue", "letters", "tasks")[:1]
    return ",".join(str(value) for part in rows for row in part for value in row)


class _Piece(NamedTuple):
    """Spans of one level."""

    level: int
    begin: int
    end: int


def figures(
    *, workspace_id: UUID, begin: int, end: int, workflow_id: UUID | None = None, people: bool = False
) -> Figures:
    """What happened from `begin` until `end`, in the workspace or in one workflow of it, and in as long a time before.

    `people`: how long runs took is told with the time in which people were waited for. Raises ValueError for a range
    that is shorter than 15 minutes or longer than 400 days.
    """
    if not SHORTEST_MS <= end - begin <= LONGEST_MS:
        raise ValueError("A range is from 15 minutes to 400 days.")
    now = database_now()
    step = _step(begin, end, now) * 1000
    begin, end = begin - begin % step, end + -end % step
    # Of the range before as much as of this one has passed.
    length = end - begin
    passed = min(end, now + -now % (MINUTE * 1000)) - begin
    earlier = (begin - length, begin - length + max(0, min(length, passed)))
    pieces, pieces_before = list(_pieces(begin, end, now)), list(_pieces(*earlier, now))
    chosen = [WHOLE if workflow_id is None else workflow_id]
    workflows = _workflows(workspace_id) if workflow_id is None else [workflow_id]
    sums = _sums(workspace_id, pieces, [*chosen, *workflows])
    sums_before = _sums(workspace_id, pieces_before, [*chosen, *workflows])
    took = _took(workspace_id, pieces, workflows, people=people)
    points, whole = _points(workspace_id, chosen[0], begin, end, step, people=people)
    trends = _trends(workspace_id, workflows, begin, end, now)
    nothing = Happened()
    return Figures(
        begin=begin,
        end=end,
        before_begin=earlier[0],
        step_ms=step,
        happened=sums.get(chosen[0], nothing),
        before=sums_before.get(chosen[0], nothing),
        took=_told(whole),
        took_before=_told(_took(workspace_id, pieces_before, chosen, people=people)[chosen[0]]),
        points=points,
        standing=_stood(workspace_id, begin, end, step),
        workflows=[
            WorkflowFigures(
                workflow_id=one,
                happened=sums.get(one, nothing),
                before=sums_before.get(one, nothing),
                took=_told(took[one]),
                trend=trends[one],
            )
            for one in workflows
            if one in sums or one in sums_before
        ],
        systems=_systems(workspace_id, pieces, pieces_before) if workflow_id is None else [],
        markers=_markers(workspace_id, workflow_id, begin, end),
        now=now,
    )


def hours(*, workspace_id: UUID) -> list[HourFigures]:
    """The last 24 hours of the clock, the one that is not over last. One row of what was added up for each."""
    now, width = database_now(), HOUR * 1000
    last = now - now % width
    begin = last - 23 * width
    rows = _rows(workspace_id, _Piece(HOUR, begin, last + width), [WHOLE])
    found = {at: (started, failed) for at, started, failed in rows.values_list("at", "started", "failed")}
    return [HourFigures(at, at + width, *found.get(at, (0, 0))) for at in range(begin, last + width, width)]


# --- ranges -----------------------------------------------------------------------------------------------------------


def _step(begin: int, end: int, now: int) -> int:
    # Minutes of long ago are gone; the range before begins as much earlier.
    least = HOUR if begin - (end - begin) < now - KEEP_MINUTES_MS + DAY * 1000 else MINUTE
    return next((step for step in _STEPS if step >= least and end - begin <= step * 1000 * _MOST_STEPS), _STEPS[-1])


def _pieces(begin: int, end: int, now: int) -> Iterator[_Piece]:
    """The range in as few spans as make it up: weeks in its middle, days around them, minutes at its ends."""
    levels: Sequence[int] = LEVELS
    if begin < now - KEEP_MINUTES_MS + DAY * 1000:
        levels = LEVELS[1:]
        begin, end = begin - begin % (HOUR * 1000), end - end % (HOUR * 1000)
    yield from _split(begin, end, sorted(levels, reverse=True))


def _split(begin: int, end: int, levels: Sequence[int]) -> Iterator[_Piece]:
    if begin >= end or not levels:
        return
    width = levels[0] * 1000
    first, last = begin + -begin % width, end - end % width
    if first >= last:
        yield from _split(begin, end, levels[1:])
        return
    yield from _split(begin, first, levels[1:])
    yield _Piece(levels[0], first, last)
    yield from _split(last, end, levels[1:])


# --- sums -------------------------------------------------------------------------------------------------------------


def _sums(workspace_id: UUID, pieces: Sequence[_Piece], workflows: Sequence[UUID]) -> dict[UUID, Happened]:
    found: defaultdict[UUID, Counter[str]] = defaultdict(Counter)
    for piece in pieces:
        for row in _rows(workspace_id, piece, workflows).values("workflow_id").annotate(*_ADDED):
            for name in COUNTS:
                found[row["workflow_id"]][name] += int(row[f"{name}__sum"])
    return {workflow_id: Happened(**counts) for workflow_id, counts in found.items() if counts.total()}


def _took(
    workspace_id: UUID, pieces: Sequence[_Piece], workflows: Sequence[UUID], *, people: bool
) -> dict[UUID, Sketch]:
    found = {workflow_id: Sketch() for workflow_id in workflows}
    for piece in pieces:
        rows = _rows(workspace_id, piece, workflows).exclude(took="")
        for workflow_id, took, whole in rows.values_list("workflow_id", "took", "took_whole"):
            found[workflow_id].add_text(took if whole is None or not people else whole)
    return found


def _points(
    workspace_id: UUID, workflow_id: UUID, begin: int, end: int, step: int, *, people: bool
) -> tuple[list[FiguresPoint], Sketch]:
    level = next(one for one in sorted(LEVELS, reverse=True) if step % (one * 1000) == 0)
    counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
    sketches: defaultdict[int, Sketch] = defaultdict(Sketch)
    rows = _rows(workspace_id, _Piece(level, begin, end), [workflow_id])
    for at, took, whole, *numbers in rows.values_list("at", "took", "took_whole", *COUNTS):
        place = at - at % step
        for name, number in zip(COUNTS, numbers, strict=True):
            counts[place][name] += number
        if took:
            sketches[place].add_text(took if whole is None or not people else whole)
    whole_range = Sketch()
    for sketch in sketches.values():
        whole_range.merge(sketch)
    points = [
        FiguresPoint(at, Happened(**counts[at]) if at in counts else Happened(), _told(sketches.get(at)))
        for at in range(begin, end, step)
    ]
    return points, whole_range


def _trends(workspace_id: UUID, workflows: Sequence[UUID], begin: int, end: int, now: int) -> dict[UUID, list[int]]:
    """How many runs ended in each of some equal parts."""
    found = {workflow_id: [0] * _TREND for workflow_id in workflows}
    width = (end - begin) / _TREND
    part = Cast((F("at") - begin) * Value(_TREND) / Value(end - begin), BigIntegerField())
    minutes = end - begin <= 12 * HOUR * 1000 and begin >= now - KEEP_MINUTES_MS + DAY * 1000
    level = DAY if width > DAY * 1000 else MINUTE if minutes else HOUR
    low = begin - begin % (level * 1000)
    rows = _rows(workspace_id, _Piece(level, low, end), workflows).annotate(part=part).values("workflow_id", "part")
    ended = F("completed") + F("failed") + F("cancelled") + F("undone")
    for row in rows.annotate(ended=Sum(ended)):
        found[row["workflow_id"]][min(_TREND - 1, max(0, row["part"]))] += int(row["ended"])
    return found


def _rows(workspace_id: UUID, piece: _Piece, workflows: Sequence[UUID]) -> Any:
    return Figure.objects.filter(
        workspace_id=workspace_id,
        level=piece.level,
        workflow_id__in=workflows,
        at__gte=piece.begin,
        at__lt=piece.end,
    ).order_by()


_ADDED: Final = [Sum(name) for name in COUNTS]


def _told(sketch: Sketch | None) -> Took:
    if sketch is None or not sketch.counts:
        return Took()
    return Took(sketch.total, *sketch.quantiles(_SHARES))


# --- what stands beside -----------------------------------------------------------------------------------------------


def _workflows(workspace_id: UUID) -> list[UUID]:
    return list(Deployment.objects.filter(workspace_id=workspace_id).values_list("workflow_id", flat=True))


def _stood(workspace_id: UUID, begin: int, end: int, step: int) -> list[StandingPoint]:
    level = HOUR if step % (HOUR * 1000) == 0 else MINUTE
    found: dict[int, list[int]] = {at: [0, 0, 0, 0] for at in range(begin, end, step)}
    rows = StandingFigure.objects.filter(workspace_id=workspace_id, level=level, at__gte=begin, at__lt=end)
    for at, *numbers in rows.values_list("at", "queue", "oldest_ms", "letters", "tasks"):
        place = begin + (at - begin) // step * step
        found[place] = [max(pair) for pair in zip(found[place], numbers, strict=True)]
    return [StandingPoint(at, *numbers) for at, numbers in sorted(found.items())]


def _systems(workspace_id: UUID, pieces: Sequence[_Piece], before: Sequence[_Piece]) -> list[SystemErrors]:
    now, then = _errors(workspace_id, pieces), _errors(workspace_id, before)
    found = []
    for system in sorted({*now, *then}, key=lambda one: (-now[one], -then[one], one)):
        try:
            connection_id, step_type = UUID(hex=system), None
        except ValueError:
            connection_id, step_type = None, system
        found.append(SystemErrors(connection_id, step_type, now[system], then[system]))
    return found


def _errors(workspace_id: UUID, pieces: Sequence[_Piece]) -> Counter[str]:
    found: Counter[str] = Counter()
    for piece in pieces:
        rows = SystemFigure.objects.filter(
            workspace_id=workspace_id, level=piece.level, at__gte=piece.begin, at__lt=piece.end
        ).order_by()
        for system, errors in rows.values_list("system").annotate(Sum("errors")):
            found[system] += int(errors)
    return found


def _markers(workspace_id: UUID, workflow_id: UUID | None, begin: int, end: int) -> list[PublishMarker]:
    rows = Version.objects.filter(workspace_id=workspace_id, kind="live", created_at__gte=begin, created_at__lt=end)
    if workflow_id is not None:
        rows = rows.filter(workflow_id=workflow_id)
    columns = ("created_at", "workflow_id", "number", "note", "created_by")
    return [PublishMarker(*row) for row in rows.order_by("-created_at").values_list(*columns)[:_MOST_MARKERS]]
