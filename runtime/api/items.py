"""The runs that a run has begun for its steps: how many there are, how they stand, and which."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

from django.db.models import Q, QuerySet

from runtime.api.cursors import decode_number, encode_number, page_size
from runtime.contracts import ItemCounts, ItemView, NotFound, Page, ParentView, StepView
from runtime.contracts.items import SolvedView
from runtime.engine.containers import MOST_DEEP
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.engine.state import Outcome
from runtime.store import below, children, left_out, readings, solved
from runtime.store.left_out import IS_LEFT_OUT
from runtime.store.models import Replay, Run
from runtime.store.parts import IS_ITEM
from runtime.store.pauses import WITH_RUN

__all__ = ["IS_ITEM", "NOTHING", "Halted", "counts", "halted", "items", "parents", "settled_of"]

_OF: Final = re.compile(r"[0-9]+ of ([0-9]+)")
_FAILED: Final = Q(finished_at__isnull=False) & ~Q(status="completed")
_CHOICES: Final = {
    "all": Q(),
    "done": Q(status="completed") & ~IS_LEFT_OUT,
    "skipped": IS_LEFT_OUT,
    "failed": _FAILED & ~solved.IS_SOLVED,
    "solved": _FAILED & solved.IS_SOLVED,
    "open": Q(finished_at__isnull=True),
}
#: Parts of which it is asked what holds up theirs.
_MOST_LOOKED_INTO: Final = 200
#: Of the number of an item.
_DIGITS: Final = 12
_ENDED: Final = ("succeeded", "failed", "cancelled")
_MOVING: Final = ("accepted", "running", "compensating")
_COLUMNS: Final = (
    "id", "item_index", "status", "outcome", "business_key", "started_at", "finished_at", "error", "waiting",
    "version_id", "generation",
)  # fmt: skip


def items(
    *,
    workspace_id: UUID,
    run_id: UUID,
    node: str,
    status: str = "all",
    search: str = "",
    first: int = 0,
    after: str | None = None,
    limit: int = 100,
) -> Page[ItemView]:
    """The runs of one step by their number. `status`: all, done, failed, solved, skipped or open; `search`: a part of
    what people call one, or its number (from 1); `first`: only from this number (from 0) on; `after`: the cursor of the
    page before. Raises NotFound, BadCursor."""
    if not Run.objects.filter(workspace_id=workspace_id, pk=run_id).exists():
        raise NotFound("There is no such run.", code="run_not_found")
    chosen = Run.objects.filter(_CHOICES[status], parent_run_id=run_id, parent_node=node)
    if wanted := search.strip():
        number = Q(item_index=int(wanted) - 1) if wanted.isdecimal() and len(wanted) < _DIGITS else Q()
        chosen = chosen.filter(
            Q(business_key__icontains=wanted) | number if number else Q(business_key__icontains=wanted)
        )
    if first:
        chosen = chosen.filter(item_index__gte=first)
    last = decode_number(after)
    if last is not None:
        chosen = chosen.filter(item_index__gt=last)
    size = page_size(limit)
    rows = list(chosen.order_by("item_index").values_list(*_COLUMNS)[: size + 1])
    done = [row for row in rows[:size] if row[2] == "completed" and row[3] != Outcome.SKIPPED]
    failed = below.failed({row[0]: row[9] for row in done})
    settled = settled_of({row[0]: (row[2], row[3]) for row in rows[:size]})
    corrected = _corrected(node, [row[0] for row in rows[:size] if row[10] > 1])
    views = [
        ItemView(
            row[0],
            row[1],
            row[2],
            row[3],
            row[4],
            row[5],
            row[6],
            error=_plain(row[7]),
            waiting=_plain(row[8]),
            failed_items=failed.get(row[0], below.NONE).items,
            failed_calls=failed.get(row[0], below.NONE).calls,
            solved=settled.get(row[0]),
            corrected=row[0] in corrected,
        )
        for row in rows[:size]
    ]
    return Page(views, encode_number(views[-1].index) if len(rows) > size else None)


def settled_of(runs: Mapping[UUID, tuple[str, str | None]]) -> dict[UUID, SolvedView]:
    """What was said of those of these runs (status, outcome) that failed and were settled, or were left out."""
    found = solved.solutions([run_id for run_id, (status, _) in runs.items() if status == "dead_lettered"])
    views = {run_id: SolvedView(*told) for run_id, told in found.items()}
    skipped = left_out.said(run_id for run_id, (_, outcome) in runs.items() if outcome == Outcome.SKIPPED)
    return views | {
        run_id: SolvedView("skipped", f"user:{one.voter}", one.reason, one.at) for run_id, one in skipped.items()
    }


def _corrected(node: str, run_ids: Sequence[UUID]) -> set[UUID]:
    """Those of these runs of a step that somebody gave something else (see `interpreter.corrections`)."""
    if not run_ids:
        return set()
    edited = Replay.objects.filter(run_id__in=run_ids, edits__startswith=f"{{{dumps(node)}:")
    return set(edited.values_list("run_id", flat=True))


def counts(run_id: UUID, version_id: UUID, steps: Mapping[str, StepView]) -> dict[str, ItemCounts]:
    """How the runs of each of these steps of a run stand, by node id, and how many there will be or would have been."""
    found = children.standings(run_id)
    totals = readings.totals(run_id) if found else {}
    # While a step is under way nobody looks into what is done: there may be a lot, and it is asked for often.
    over = any(node in steps and steps[node].status == "succeeded" and each.done for node, each in found.items())
    inside = below.failed_inside(run_id, version_id) if over else {}
    ended = [node for node, each in found.items() if each.failed and node in steps and steps[node].status in _ENDED]
    settled = solved.by_step(run_id, ended) if ended else {}
    # Of a list that is under way too: whoever watches it is not told that what was left out is done.
    done = [node for node, each in found.items() if each.done and node in steps]
    skipped = left_out.by_step(run_id, done) if done else {}
    return {
        node: ItemCounts(
            total=totals[node] if node in totals else _total(steps.get(node), each.started),
            started=each.started,
            done=each.done - skipped.get(node, 0),
            failed=each.failed - settled.get(node, 0),
            running=each.running,
            waiting=each.waiting,
            failed_inside=inside.get(node, below.NONE).items,
            failed_calls=inside.get(node, below.NONE).calls,
            solved=settled.get(node, 0),
            left_out=skipped.get(node, 0),
        )
        for node, each in found.items()
    }


def parents(rows: Iterable[Mapping[str, Any]]) -> dict[UUID, ParentView]:
    """Of those of these runs that another has begun: which one."""
    begun = [row for row in rows if row["parent_run_id"] is not None]
    if not begun:
        return {}
    around = {
        run_id: (workflow_id, version_id)
        for run_id, workflow_id, version_id in Run.objects.filter(
            id__in={row["parent_run_id"] for row in begun}
        ).values_list("id", "workflow_id", "version_id")
    }
    return {
        row["id"]: ParentView(
            row["parent_run_id"],
            row["parent_node"],
            row["item_index"],
            *around[row["parent_run_id"]],
            row["trigger_node"] == row["parent_node"],
        )
        for row in begun
        if row["parent_run_id"] in around
    }


@dataclass(frozen=True, slots=True)
class Halted:
    """What holds up a run that waits for runs of its own. `paused`: the number of the first that somebody paused by
    itself; `held`: the workflow that it runs, which holds it; `asking`: the number of the first that waits for people,
    while none moves."""

    paused: int | None = None
    held: UUID | None = None
    asking: int | None = None


NOTHING: Final = Halted()


def halted(run_ids: Sequence[UUID], levels: int = MOST_DEEP) -> dict[UUID, Halted]:
    """What holds up those of these runs that something does, so many `levels` further inside: a few queries for each,
    however many they are."""
    if not run_ids:
        return {}
    parts = Run.objects.filter(parent_run_id__in=run_ids, detached=False, finished_at__isnull=True)
    paused = _first(parts.filter(paused_at__isnull=False).exclude(paused_by=WITH_RUN))
    held = dict(parts.filter(held=1).values_list("parent_run_id", "workflow_id"))
    asking = _first(parts.filter(status="waiting_human"))
    moving = parts.filter(parent_run_id__in=list(asking), status__in=_MOVING) if asking else Run.objects.none()
    for parent in moving.values_list("parent_run_id", flat=True):
        asking.pop(cast("UUID", parent), None)
    found = {
        run_id: Halted(paused.get(run_id), held.get(run_id), asking.get(run_id))
        for run_id in (*paused, *held, *asking)
        if run_id is not None
    }
    rest = [run_id for run_id in run_ids if run_id not in found]
    return found | _halted_inside(parts.filter(parent_run_id__in=rest), levels - 1) if rest and levels else found


def _halted_inside(parts: QuerySet[Run], levels: int) -> dict[UUID, Halted]:
    """The same of runs none of whose own parts is halted by itself, and none of which moves: by their parts' parts."""
    waiting = parts.filter(waiting__startswith='{"kind":"children"').order_by("item_index")
    rows = list(waiting.values_list("id", "parent_run_id", "item_index")[:_MOST_LOOKED_INTO])
    inside = halted([row[0] for row in rows], levels)
    around = {parent for run_id, parent, _ in rows if run_id in inside}
    moving = set(parts.filter(parent_run_id__in=around, status__in=_MOVING).values_list("parent_run_id", flat=True))
    found: dict[UUID, Halted] = {}
    for run_id, parent, index in rows:
        one = inside.get(run_id)
        if one is not None and parent is not None and parent not in moving:
            paused, asking = (index if of is not None else None for of in (one.paused, one.asking))
            found.setdefault(parent, Halted(paused, one.held, asking))
    return found


def _first(parts: QuerySet[Run]) -> dict[UUID, int]:
    """The lowest number among them, by the run around."""
    rows = parts.order_by("-item_index").values_list("parent_run_id", "item_index")
    return {parent: index for parent, index in rows if parent is not None and index is not None}


def _total(step: StepView | None, started: int) -> int | None:
    if step is None:
        return None
    if step.status == "waiting":
        total = None if step.wait is None else step.wait.get("total")
        return total if isinstance(total, int) else None
    # A step that has ended says in its note how far it came; one that did all of them says so by having ended well.
    told = _OF.match(step.note or "")
    return started if told is None or step.status == "succeeded" else max(started, int(told[1]))


def _plain(text: str | None) -> dict[str, Any] | None:
    found: Any = None if text is None else loads_stored(text)
    return found if isinstance(found, dict) else None
