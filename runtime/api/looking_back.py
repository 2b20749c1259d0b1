"""A run as it stood at each moment, from what is on record of it: its trail, its steps, and the runs it has begun."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from runtime.contracts import NotFound
from runtime.contracts.looking_back import ItemsPoint, PlaybackFrame, PlaybackStep, RunPlayback
from runtime.engine.jsonprofile import loads_stored
from runtime.engine.state import DECIDED
from runtime.store.models import Run, StepRun
from runtime.store.transitions import Transition

__all__ = ["playback"]

#: More frames than these are drawn together into the first.
MOST_FRAMES: Final = 4_000
#: Nobody sees more points in a bar.
MOST_POINTS: Final = 240
_TRANSITION: Final = ("number", "at", "seq", "generation", "status", "cancelled_by", "detail")
_STEP: Final = (
    "node_id", "generation", "status", "attempt", "ports", "due_at", "started_at", "wait", "seq", "finished_at",
)  # fmt: skip
_DECIDED: Final = frozenset(status.value for status in DECIDED)


def playback(*, workspace_id: UUID, run_id: UUID) -> RunPlayback:
    """How the run stood at each moment, the oldest first. Raises NotFound."""
    owned = Run.objects.filter(workspace_id=workspace_id, pk=run_id)
    run = owned.values("accepted_at", "started_by", "status").first()
    if run is None:
        raise NotFound("There is no such run.", code="run_not_found")
    frames = _frames(run_id, run["accepted_at"], run["started_by"])
    whole = len(frames) <= MOST_FRAMES
    if not whole:
        cut = len(frames) - MOST_FRAMES + 1
        frames = [_together(frames[:cut]), *frames[cut:]]
    return RunPlayback(frames, _items(run_id), whole)


def _frames(run_id: UUID, accepted_at: int, started_by: str) -> list[PlaybackFrame]:
    rows = list(StepRun.objects.filter(run_id=run_id).order_by("seq", "node_id").values_list(*_STEP))
    entries = [
        (*row[:6], _parsed(row[6]))
        for row in Transition.objects.filter(run_id=run_id).order_by("number").values_list(*_TRANSITION)
    ]
    told = {(step[0], step[1], entry[2]) for entry in entries for step in entry[6].get("steps", ())}
    # Decided steps that no transition tells of, by the commit that only added them.
    added: dict[int, list[tuple[Any, ...]]] = {}
    for row in rows:
        if row[2] in _DECIDED and (row[0], row[1], row[8]) not in told:
            added.setdefault(row[8], []).append(row)
    waiting = sorted(added, reverse=True)
    made = _Made(accepted_at, started_by)
    for _, at, seq, generation, status, cancelled_by, detail in entries:
        while waiting and waiting[-1] <= seq:
            made.add(added[waiting.pop()])
        kind = detail.get("did") or "changed"
        steps = [_step(one[0], one[1], one[3], one[2], one[4], one[8], one[5]) for one in detail.get("steps", ())]
        began = {(one[0], one[1]): one[7] for one in detail.get("steps", ()) if one[7] is not None}
        made.take(PlaybackFrame(at, generation, status, kind, detail.get("by", cancelled_by), steps), began)
    while waiting:
        made.add(added[waiting.pop()])
    return made.whole()


class _Made:
    """Frames in the order of the record, whose moments never fall."""

    def __init__(self, accepted_at: int, started_by: str) -> None:
        self.frames = [PlaybackFrame(accepted_at, 1, "accepted", "accepted", started_by, ())]
        #: What the record leaves out: when a step began that was told of only once it was decided.
        self.begun: list[tuple[int, str, int, int]] = []
        self.stood: dict[tuple[str, int], str] = {}
        self.opened: dict[int, int] = {1: accepted_at}

    def add(self, rows: list[tuple[Any, ...]]) -> None:
        """A commit that only added decided steps."""
        at = max((row[9] for row in rows if row[9] is not None), default=self.frames[-1].at)
        steps = [_step(row[0], row[1], row[3], row[2], _parsed_list(row[4]), None, None) for row in rows]
        began = {(row[0], row[1]): row[6] for row in rows if row[6] is not None}
        status = self.frames[-1].status
        status = "running" if status == "accepted" else status
        self.take(PlaybackFrame(at, rows[0][1], status, "worked", None, steps), began)

    def take(self, frame: PlaybackFrame, began: dict[tuple[str, int], int]) -> None:
        at = max(frame.at, self.frames[-1].at)
        generation = max(frame.generation, self.frames[-1].generation)
        opened = self.opened.setdefault(generation, at)
        for step in frame.steps:
            key = (step.node, step.generation)
            start = began.get(key)
            # What an earlier go of the run did is kept, and does not begin again.
            new = step.status in _DECIDED and self.stood.get(key, "ready") == "ready"
            if new and start is not None and opened <= start < at:
                self.begun.append((start, step.node, step.generation, step.attempt))
            self.stood[key] = step.status
        self.frames.append(frame._replace(at=at, generation=generation))

    def whole(self) -> list[PlaybackFrame]:
        """With the beginnings between, in order of time."""
        found: list[PlaybackFrame] = []
        begun = sorted(self.begun, reverse=True)
        for frame in self.frames:
            while begun and begun[-1][0] < frame.at and found:
                at, node, generation, attempt = begun.pop()
                before = found[-1]
                step = PlaybackStep(node, generation, max(attempt, 1), "running", (), None, None)
                status = "running" if before.status == "accepted" else before.status
                found.append(PlaybackFrame(at, before.generation, status, "started", None, (step,)))
            found.append(frame)
        return found


def _step(
    node: str, generation: int, attempt: int, status: str, ports: Iterable[str], wait: Any, due_at: int | None
) -> PlaybackStep:
    kind, until = None, None
    if status in ("waiting", "retrying"):
        said = wait if isinstance(wait, dict) else {}
        kind, until = said.get("kind"), said.get("until") or due_at
    return PlaybackStep(node, generation, attempt, status, tuple(ports), kind, until)


def _together(frames: list[PlaybackFrame]) -> PlaybackFrame:
    """One frame for all of these: how everything stood after the last of them."""
    stood: dict[tuple[str, int], PlaybackStep] = {}
    for frame in frames:
        stood.update(((step.node, step.generation), step) for step in frame.steps)
    return frames[-1]._replace(steps=tuple(stood.values()))


def _items(run_id: UUID) -> dict[str, list[ItemsPoint]]:
    """How the runs that this one has begun stood, for each step: as many points as anybody can tell apart."""
    moments: dict[str, list[tuple[int, int]]] = {}
    rows = Run.objects.filter(parent_run_id=run_id).values_list(
        "parent_node", "accepted_at", "started_at", "finished_at", "status"
    )
    for node, accepted_at, started_at, finished_at, status in rows.iterator(chunk_size=2_000):
        if node is None:
            continue
        known = moments.setdefault(node, [])
        known.append((started_at or accepted_at, 0))
        if finished_at is not None:
            known.append((finished_at, 1 if status == "completed" else 2))
    return {node: _points(known) for node, known in moments.items()}


def _points(moments: list[tuple[int, int]]) -> list[ItemsPoint]:
    moments.sort()
    every = max(1, -(-len(moments) // MOST_POINTS))
    counts = [0, 0, 0]
    found: list[ItemsPoint] = []
    for number, (at, what) in enumerate(moments, start=1):
        counts[what] += 1
        if number % every == 0 or number == len(moments):
            found.append(ItemsPoint(at, *counts))
    return found


def _parsed(text: str | None) -> dict[str, Any]:
    found: Any = {} if text is None else loads_stored(text)
    return found if isinstance(found, dict) else {}


def _parsed_list(text: str) -> list[str]:
    found: Any = loads_stored(text)
    return list(found)
