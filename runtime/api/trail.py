"""What is on record of a run: its transitions, and the steps that were added without one, in their order (I40)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any, Final
from uuid import UUID

from runtime.api.cursors import BadCursor, page_size
from runtime.contracts import NotFound, Page, TrailEntry, TrailStep
from runtime.engine.jsonprofile import loads_stored
from runtime.engine.state import DECIDED, StepKey
from runtime.engine.trail import Entry, Rebuilt, Stood, differences, rebuild
from runtime.store.models import Attempt, Run, StepRun
from runtime.store.transitions import Transition

__all__ = ["trail", "trail_faults", "trail_from"]

_RUN: Final = ("accepted_at", "started_by", "generation", "status", "outcome", "seq", "lease_token")
_TRANSITION: Final = (
    "number", "at", "seq", "token", "worker", "generation", "status_before", "status", "outcome", "cancelled_by",
    "detail",
)  # fmt: skip
_STEP: Final = (
    "node_id", "generation", "status", "attempt", "ports", "due_at", "commit_seq", "started_at", "wait", "seq", "token",
    "finished_at",
)  # fmt: skip
_READ: Final = 500
_DECIDED: Final = tuple(sorted(status.value for status in DECIDED))


def trail(*, workspace_id: UUID, run_id: UUID, after: str | None = None, limit: int = 100) -> Page[TrailEntry]:
    """Every change of the run, the oldest first. Raises NotFound, BadCursor."""
    size = page_size(limit)
    found: list[TrailEntry] = []
    last = after
    for entry, here in trail_from(workspace_id=workspace_id, run_id=run_id, after=after):
        if len(found) == size:
            return Page(found, last)
        found.append(entry)
        last = here
    return Page(found, None)


def trail_from(*, workspace_id: UUID, run_id: UUID, after: str | None = None) -> Iterator[tuple[TrailEntry, str]]:
    """Every change of the run, the oldest first, each with the cursor behind it; read in portions as they are asked
    for. Raises NotFound, BadCursor."""
    run = _run(workspace_id, run_id)
    place = _place(after)
    first = [] if after else [(_accepted(run), "0-0")]
    rest = ((entry, f"{here[0]}-{here[1]}") for entry, here in _entries(run_id, place))
    return chain(first, rest)


def trail_faults(*, workspace_id: UUID, run_id: UUID) -> list[str]:
    """Where the run's state is not what its trail says, in words; empty where it is. Raises NotFound."""
    run = _run(workspace_id, run_id)
    entries = [
        Entry(row[0], row[2], row[3], row[5], row[6], row[7], row[8], _detail(row[10]))
        for row in Transition.objects.filter(run_id=run_id).order_by("number").values_list(*_TRANSITION)
    ]
    rows = [Stood(_said(row), row[9], row[10]) for row in StepRun.objects.filter(run_id=run_id).values_list(*_STEP)]
    stored = Rebuilt(run["status"], run["outcome"], run["generation"], run["seq"], run["lease_token"])
    stored.steps = {StepKey(row.said[0], row.said[1]): row.said for row in rows}
    tries = Attempt.objects.filter(run_id=run_id)
    stored.attempts = {
        (node, generation, attempt): status
        for node, generation, attempt, status in tries.values_list("node_id", "generation", "attempt", "status")
    }
    folded = rebuild(entries, rows)
    return [*folded.faults, *differences(folded, stored)]


def _run(workspace_id: UUID, run_id: UUID) -> dict[str, Any]:
    row = Run.objects.filter(workspace_id=workspace_id, pk=run_id).values(*_RUN).first()
    if row is None:
        raise NotFound("There is no such run.", code="run_not_found")
    return dict(row)


def _place(cursor: str | None) -> tuple[int, int]:
    """How far the reader has come: the number of a transition, and the seq of steps that were added."""
    if not cursor:
        return 0, 0
    number, _, seq = cursor.partition("-")
    if not (number.isdecimal() and seq.isdecimal() and len(cursor) < 40):
        raise BadCursor("This page marker is not one of ours. Start again from the first page.")
    return int(number), int(seq)


def _entries(run_id: UUID, place: tuple[int, int]) -> Iterator[tuple[TrailEntry, tuple[int, int]]]:
    """Both sorts of rows in one order, each with the place behind it; read in portions."""
    number, seq = place
    added = _added(run_id, seq)
    group = next(added, None)
    told: set[tuple[str, int, int]] = set()
    while True:
        rows = list(
            Transition.objects.filter(run_id=run_id, number__gt=number)
            .order_by("number")
            .values_list(*_TRANSITION)[:_READ]
        )
        for row in rows:
            detail = _detail(row[10])
            told.update((step[0], step[1], row[2]) for step in detail.get("steps", ()))
            while group is not None and group[0][9] <= row[2]:
                if plain := [step for step in group if (step[0], step[1], step[9]) not in told]:
                    seq = group[0][9]
                    yield _worked(plain), (number, seq)
                group = next(added, None)
            # Steps of that commit and before have all been told.
            number, seq = row[0], max(seq, row[2])
            yield _changed(row, detail), (number, seq)
        if len(rows) < _READ:
            break
    while group is not None:
        if plain := [step for step in group if (step[0], step[1], step[9]) not in told]:
            yield _worked(plain), (number, group[0][9])
        group = next(added, None)


def _added(run_id: UUID, seq: int) -> Iterator[list[tuple[Any, ...]]]:
    """Decided steps by the commit that wrote them last."""
    group: list[tuple[Any, ...]] = []
    chosen = StepRun.objects.filter(run_id=run_id, status__in=_DECIDED, token__isnull=False)
    while True:
        rows = list(chosen.filter(seq__gt=seq).order_by("seq", "node_id").values_list(*_STEP)[:_READ])
        if len(rows) == _READ:
            # Of the last commit there may be more.
            last = rows[-1][9]
            whole = [row for row in rows if row[9] < last]
            rows = whole or list(chosen.filter(seq=last).order_by("node_id").values_list(*_STEP))
        for row in rows:
            if group and group[0][9] != row[9]:
                yield group
                group = []
            group.append(row)
            seq = row[9]
        if not rows:
            break
    if group:
        yield group


def _accepted(run: dict[str, Any]) -> TrailEntry:
    return TrailEntry(
        run["accepted_at"], "accepted", run["started_by"], None, 0, 0, 1, None, "accepted", None, (), {}
    )  # fmt: skip


def _changed(row: tuple[Any, ...], detail: dict[str, Any]) -> TrailEntry:
    _, at, seq, token, worker, generation, before, status, outcome, cancelled_by, _ = row
    steps = [TrailStep(one[0], one[1], one[3], one[2], began=one[7]) for one in detail.get("steps", ())]
    steps += [TrailStep(one[0], one[1], one[2], one[3], tried=True) for one in detail.get("attempts", ())]
    by = detail.get("by", cancelled_by)
    kind = detail.get("did") or ("changed" if status != before or not steps else "worked")
    more = {name: value for name, value in detail.items() if name not in ("did", "by", "steps", "attempts")}
    return TrailEntry(at, kind, by, worker, token, seq, generation, before, status, outcome, steps, more)


def _worked(rows: list[tuple[Any, ...]]) -> TrailEntry:
    steps = [TrailStep(row[0], row[1], row[3], row[2], began=row[7]) for row in rows]
    at = max((row[11] for row in rows if row[11] is not None), default=None)
    first = rows[0]
    return TrailEntry(at, "worked", None, None, first[10], first[9], first[1], None, None, None, steps, {})


def _detail(text: str | None) -> dict[str, Any]:
    found: Any = {} if text is None else loads_stored(text)
    return dict(found)


def _said(row: tuple[Any, ...]) -> tuple[Any, ...]:
    ports: Any = loads_stored(row[4])
    wait: Any = None if row[8] is None else loads_stored(row[8])
    return (*row[:4], ports, *row[5:8], wait)
