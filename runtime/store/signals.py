"""What moves waiting steps on: events under a name and a key, and what comes by a link or from a person.

An event is committed first; then, in transactions of their own, it moves on the steps that wait for it. Whoever begins
to wait looks for such events behind its own commit. Of the two the later one finds the other, so nothing falls between
them; what a dying process leaves half done is finished by `settle_left`. Of a signal, the time-out and a cancel one
counts: whoever changes the row of the wait while it is `open`.

Over Django's connection of the calling thread. Faults of the database pass through.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from django.db import IntegrityError
from django.db.models import Q, QuerySet

from runtime.store import children
from runtime.store.beside import tell, unchanged
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Run, Signal, SignalWait, StepRun
from runtime.store.pauses import due_unless_stopped

__all__ = ["Draft", "Sent", "Used", "kept", "match", "resume", "send", "settle_left", "standing", "too_late"]

#: Waits that one transaction moves on.
_PAGE: Final = 200
#: An event that has not moved on what waits for it after so long was left behind by a process that died.
_LEFT_MS: Final = 3_000
_MOST_LEFT: Final = 100
_DECIDED: Final = ("succeeded", "failed", "skipped", "cancelled")


@dataclass(frozen=True, slots=True)
class Draft:
    """What is sent, with its output already written as a step gives it."""

    workspace_id: UUID
    kind: Literal["event", "link", "person"]
    output: str
    digest: str
    sent_at: int
    sent_by: str
    name: str = ""
    key: str = ""
    mode: str = "live"
    run_id: UUID | None = None
    dedupe_key: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of an event. A duplicate carries the first one's id; `conflict`: it says something else."""

    id: UUID
    duplicate: bool = False
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Used:
    """What became of a link, or of a person's word.

    `resumed`: the step goes on by it · `again`: it did before, by the same · `other`: it did before, by something else
    · `late`: the time was over · `ended`: the run needs it no more · `missing`: there is no such run, or no such wait.
    """

    what: Literal["resumed", "again", "other", "late", "ended", "missing", "open"]
    run_id: UUID | None = None
    at: int | None = None
    title: str = ""


# --- events ---------------------------------------------------------------------------------------------------------


def send(draft: Draft) -> Sent:
    """Commit an event. One with a known `dedupe_key` is not stored again."""
    try:
        with commit("event.send"):
            known = _known(draft)
            if known is not None:
                unchanged()
                return known
            stored = _stored(draft, settled=False)
            tell(id=str(stored.id), name=draft.name)
            return Sent(stored.id)
    except IntegrityError:
        known = _known(draft)  # somebody sent the same this moment
        if known is None:
            raise
        return known


def _known(draft: Draft) -> Sent | None:
    if draft.dedupe_key is None:
        return None
    found = Signal.objects.filter(workspace_id=draft.workspace_id, dedupe_key=draft.dedupe_key).first()
    if found is None:
        return None
    same = (found.name, found.key, found.digest) == (draft.name, draft.key, draft.digest)
    return Sent(found.id, duplicate=True, conflict=not same)


def match(signal_id: UUID) -> list[UUID]:
    """Move on what waits for this event; the runs to ring for, some of which may have been moved on before."""
    signal = Signal.objects.get(pk=signal_id)
    waiting = list(
        SignalWait.objects.filter(
            workspace_id=signal.workspace_id, name=signal.name, key=signal.key, kind="event", status="open",
            since__lte=signal.sent_at,
        )
        .order_by("run_id", "id")
        .values_list("id", "run_id")
    )  # fmt: skip
    for begin in range(0, len(waiting), _PAGE):
        page = waiting[begin : begin + _PAGE]
        with commit("event.match"):
            _move_on(signal, page)
    with commit("event.match"):
        Signal.objects.filter(pk=signal_id).update(settled=True)
    return list(dict.fromkeys(run_id for _, run_id in waiting))


def _move_on(signal: Signal, page: list[tuple[UUID, UUID]]) -> None:
    # In the order in which those who hold runs lock them: the runs first.
    runs = Run.objects.select_for_update().filter(pk__in={run_id for _, run_id in page}).order_by("id")
    open_runs = {run.id: run.generation for run in _of_mode(_going_on(runs), signal.mode)}
    waits = SignalWait.objects.select_for_update().filter(pk__in=[wait_id for wait_id, _ in page], status="open")
    moved = [
        wait
        for wait in waits.order_by("id")
        if open_runs.get(wait.run_id) == wait.generation and _in_time(wait, signal.sent_at)
    ]
    now = database_now()
    SignalWait.objects.filter(pk__in=[wait.id for wait in moved]).update(status="resumed", signal=signal, closed_at=now)
    Run.objects.filter(pk__in={wait.run_id for wait in moved}).update(wake_at=due_unless_stopped(now), claims=0)


def settle_left() -> list[UUID]:
    """Move on what waits for events whose sender died before it could; the runs to ring for."""
    before = database_now() - _LEFT_MS
    left = Signal.objects.filter(settled=False, sent_at__lt=before).order_by("sent_at").values_list("id", flat=True)
    return [run_id for signal_id in list(left[:_MOST_LEFT]) for run_id in match(signal_id)]


def kept(run_id: UUID) -> None:
    """Let the events that count already move on the steps of this run that wait for them."""
    waits = list(SignalWait.objects.filter(run_id=run_id, kind="event", status="open"))
    found = [(wait, signal) for wait in waits if (signal := _first(wait)) is not None]
    if not found:
        return
    with commit("event.match"):
        run = _going_on(Run.objects.select_for_update().filter(pk=run_id)).first()
        now = database_now()
        for wait, signal in found if run is not None else ():
            _take(wait, signal, now)


def _first(wait: SignalWait) -> Signal | None:
    """The earliest event that counts for this wait. What has moved this run on once does not do so again, nor what has
    moved on an earlier turn."""
    signals = Signal.objects.filter(
        workspace_id=wait.workspace_id, name=wait.name, key=wait.key, kind="event", sent_at__gte=wait.since
    )
    if wait.due_at is not None:
        signals = signals.filter(sent_at__lt=wait.due_at)
    run = Run.objects.get(pk=wait.run_id)
    if run.mode == "live":
        signals = signals.exclude(mode="test")
    mine = Q(run_id=run.id)
    if run.parent_node == run.trigger_node and not children.is_item(run.version_id, run.trigger_node):
        turns = Run.objects.filter(parent_run_id=run.parent_run_id, parent_node=run.parent_node)
        mine |= Q(run_id__in=turns.values("pk"))
    used = SignalWait.objects.filter(mine, signal__isnull=False).values("signal_id")
    return signals.exclude(pk__in=used).order_by("sent_at", "id").first()


# --- links and people -----------------------------------------------------------------------------------------------


def resume(draft: Draft, *, node_id: str, generation: int, workflow_id: UUID, early: bool) -> Used:
    """Move this step on, if it waits; with `early` also one that has not come to its wait. Nothing is written unless
    the answer is `resumed`."""
    assert draft.run_id is not None
    with commit("wait.resume"):
        run, wait, found = _standing(draft.run_id, node_id, generation, early=early, locked=True)
        if found.what != "open":
            unchanged()
        if found.what == "again":
            assert wait is not None
            assert wait.signal is not None
            # What an event brought is never what a person sends.
            return found if wait.signal.digest == draft.digest else Used("other", found.run_id, found.at)
        if found.what != "open" or run is None:
            return found
        signal = _stored(draft, settled=True)
        now = database_now()
        if wait is None:
            SignalWait.objects.create(
                workspace_id=run.workspace_id, workflow_id=workflow_id, run_id=run.id, node_id=node_id,
                generation=run.generation, kind="link", status="resumed", since=now, created_at=now, closed_at=now,
                signal=signal,
            )  # fmt: skip
        else:
            _take(wait, signal, now)
            Run.objects.filter(pk=run.id).update(wake_at=due_unless_stopped(now), claims=0)
        return Used("resumed", run.id, now)


def standing(run_id: UUID, node_id: str, generation: int) -> Used:
    """What using the link of this step would lead to; `open` where the run would go on by it."""
    return _standing(run_id, node_id, generation, early=True, locked=False)[2]


def _standing(
    run_id: UUID, node_id: str, generation: int, *, early: bool, locked: bool
) -> tuple[Run | None, SignalWait | None, Used]:
    runs, waits = Run.objects.filter(pk=run_id), SignalWait.objects.filter(run_id=run_id, node_id=node_id)
    if locked:
        runs, waits = runs.select_for_update(), waits.select_for_update()
    run = runs.first()
    if run is None:
        return None, None, Used("missing")
    wait = waits.filter(generation=generation).first()
    if generation < run.generation and (wait is None or wait.status in ("open", "cancelled")):
        # Somebody went on with the run: what was sent out for the step before is good for it now.
        generation, wait = run.generation, waits.filter(generation=run.generation).first()
    if wait is not None and wait.status == "resumed":
        return run, wait, Used("again", run.id, wait.closed_at, wait.title)
    title = "" if wait is None else wait.title
    if wait is not None and (wait.status == "late" or not _in_time(wait, database_now())):
        return run, wait, Used("late", run.id, wait.due_at, title)
    over = run.finished_at is not None or run.cancel_requested_at is not None or run.generation != generation
    if over or run.status == "compensating" or (wait is not None and wait.status != "open"):
        return run, wait, Used("ended", run.id, run.finished_at, title)
    if wait is None:
        if not early:
            return run, None, Used("missing", run.id)
        past = StepRun.objects.filter(run_id=run_id, node_id=node_id, generation=generation, status__in=_DECIDED)
        if past.exists():
            return run, None, Used("ended", run.id)
    return run, wait, Used("open", run.id, None if wait is None else wait.due_at, title)


def too_late(run_id: UUID, node_id: str, generation: int) -> None:
    """Let nothing move this step on any more, unless it came in time: the time is over."""
    wait = SignalWait.objects.filter(run_id=run_id, node_id=node_id, generation=generation, status="open").first()
    if wait is None:
        return
    signal = _first(wait) if wait.kind == "event" else None
    with commit("wait.late" if signal is None else "event.match"):
        if signal is None:
            SignalWait.objects.filter(pk=wait.id, status="open").update(status="late", closed_at=database_now())
        else:
            _take(wait, signal, database_now())


# --- both -----------------------------------------------------------------------------------------------------------


def _stored(draft: Draft, *, settled: bool) -> Signal:
    return Signal.objects.create(
        workspace_id=draft.workspace_id, kind=draft.kind, name=draft.name, key=draft.key, mode=draft.mode,
        output=draft.output, digest=draft.digest, sent_at=draft.sent_at, sent_by=draft.sent_by, run_id=draft.run_id,
        dedupe_key=draft.dedupe_key, settled=settled,
    )  # fmt: skip


def _take(wait: SignalWait, signal: Signal, now: int) -> None:
    SignalWait.objects.filter(pk=wait.id, status="open").update(status="resumed", signal=signal, closed_at=now)


def _going_on(runs: QuerySet[Run]) -> QuerySet[Run]:
    """Those that anything can still move on."""
    return runs.filter(finished_at__isnull=True, cancel_requested_at__isnull=True)


def _of_mode(runs: QuerySet[Run], mode: str) -> QuerySet[Run]:
    """Those that an event of this mode reaches."""
    return runs.filter(mode="test") if mode == "test" else runs


def _in_time(wait: SignalWait, at: int) -> bool:
    return wait.due_at is None or at < wait.due_at
