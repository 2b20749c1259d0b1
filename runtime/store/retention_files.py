"""What came to start events, and files that runs have made, when they are old enough."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from runtime.store import artifacts, files
from runtime.store.dialect import database_now
from runtime.store.figures import counted
from runtime.store.models import (
    Artifact,
    BulkRetry,
    BulkRetryItem,
    DeadLetter,
    Delivery,
    Event,
    File,
    HumanTask,
    Reading,
    Run,
    StepRun,
)
from runtime.store.retention_runs import Held, forget_artifacts
from runtime.store.signal_models import Signal

__all__ = ["clear_events", "drop_bytes", "mentioned", "open_replays", "remove_files", "roots_of"]

_ID: Final = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_MARK: Final = "@artifact:"
_AT_ONCE: Final = 500


def open_replays(workspace_id: UUID) -> set[UUID]:
    """The start events of open runs that were started anew: of each more than its own run may need it."""
    anew = Run.objects.filter(workspace_id=workspace_id, finished_at=None, replay_of__isnull=False)
    return set(anew.exclude(event=None).values_list("event_id", flat=True).iterator())


def roots_of(run_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """For each of these runs the outermost one that it is a part of; those that are gone are left out."""
    found: dict[UUID, UUID] = {}
    level = {run_id: run_id for run_id in run_ids}
    while level:
        above: dict[UUID, tuple[UUID | None, bool]] = {}
        wanted = sorted(set(level.values()))
        for start in range(0, len(wanted), _AT_ONCE):
            rows = Run.objects.filter(pk__in=wanted[start : start + _AT_ONCE])
            above |= {pk: (up, apart) for pk, up, apart in rows.values_list("pk", "parent_run_id", "detached")}
        following: dict[UUID, UUID] = {}
        for run_id, at in level.items():
            if at not in above:
                # Whoever is around it was removed before: it is on its own.
                found[run_id] = at
                continue
            up, apart = above[at]
            if up is None or apart:
                found[run_id] = at
            else:
                following[run_id] = up
        level = following
    return found


def clear_events(event_ids: Sequence[UUID], held: Held) -> tuple[int, list[str]]:
    """Take away the bodies and headers of these events, and their repeated deliveries; that they came stays. The caller
    holds the transaction. How many, and places as `retention_runs.clear` returns them."""
    rows = list(
        Event.objects.filter(counted(), pk__in=event_ids, removed_at=None)
        .exclude(verdict="queued")
        .exclude(workflow_id__in=held.workflows)
        .order_by("pk")
        .select_for_update()
        .values_list("pk", "body_artifact_id")
    )
    ids = [row[0] for row in rows]
    if not ids:
        return 0, []
    repeated = Delivery.objects.filter(counted(), event_id__in=ids)
    bodies: set[Any] = {row[1] for row in rows} | set(repeated.values_list("body_artifact_id", flat=True))
    repeated.delete()
    # One whose repeats are not counted yet waits for the next sweep.
    late = set(Delivery.objects.filter(event_id__in=ids).values_list("event_id", flat=True))
    bodies -= {None, *(body for pk, body in rows if pk in late)}
    ids = [pk for pk in ids if pk not in late]
    Event.objects.filter(pk__in=ids).update(
        body=b"", body_artifact=None, headers="[]", query="", removed_at=database_now()
    )
    bodies -= set(Event.objects.filter(body_artifact__in=bodies).values_list("body_artifact_id", flat=True))
    bodies -= set(Delivery.objects.filter(body_artifact__in=bodies).values_list("body_artifact_id", flat=True))
    places = list(Artifact.objects.filter(pk__in=bodies).values_list("location", flat=True))
    forget_artifacts(bodies)
    return len(ids), places


def remove_files(file_ids: Sequence[UUID]) -> list[UUID]:
    """Say that these files are gone, within the caller's transaction; those whose bytes go behind the commit."""
    rows = File.objects.filter(pk__in=file_ids, removed_at=None).order_by("pk").select_for_update()
    ids = list(rows.values_list("pk", flat=True))
    File.objects.filter(pk__in=ids).update(removed_at=database_now(), removed_by=None)
    return ids


def drop_bytes(file_ids: Sequence[UUID]) -> None:
    """Behind the commit; what a crash leaves the sweep of the store takes."""
    for file_id in file_ids:
        files.forget(file_id)


def mentioned(workspace_id: UUID, wanted: set[UUID]) -> set[UUID]:
    """Those of these files that anything under way may read: a run that is open, or that somebody is still to decide
    about or is going on with; a question, a start that waits."""
    found: set[UUID] = set()
    for text in _texts(workspace_id):
        for name in _ID.findall(text):
            if (file_id := UUID(name)) in wanted:
                found.add(file_id)
    return found


def _texts(workspace_id: UUID) -> Iterator[str]:
    """Everything that is written down of what is under way."""
    letters = DeadLetter.objects.filter(workspace_id=workspace_id, solved_at=None).values("run_id")
    bulks = BulkRetry.objects.filter(workspace_id=workspace_id, closed_at=None).values("pk")
    turns = BulkRetryItem.objects.filter(bulk_id__in=bulks, status__in=("pending", "begun")).values("run_id")
    needed = Q(finished_at=None) | Q(pk__in=letters) | Q(pk__in=turns)
    going = Run.objects.filter(needed, workspace_id=workspace_id).order_by("pk")
    after = UUID(int=0)
    while rows := list(going.filter(pk__gt=after).values_list("pk", "event_id", "item")[:_AT_ONCE]):
        after = rows[-1][0]
        runs: list[UUID] = [row[0] for row in rows]
        events: list[Any] = [row[1] for row in rows]
        yield from (_whole(row[2]) for row in rows)
        for pair in StepRun.objects.filter(run_id__in=runs).values_list("input", "output").iterator(_AT_ONCE):
            yield from map(_whole, pair)
        yield from map(_whole, Reading.objects.filter(run_id__in=runs).values_list("state", flat=True))
        yield from _bodies(Q(pk__in=[one for one in events if one is not None]))
    yield from _bodies(Q(workspace_id=workspace_id, verdict="queued"))
    open_tasks = HumanTask.objects.filter(workspace_id=workspace_id, status="open")
    yield from (text for text in open_tasks.values_list("spec", flat=True).iterator(_AT_ONCE))
    unsettled = Signal.objects.filter(workspace_id=workspace_id, settled=False)
    yield from map(_whole, unsettled.values_list("output", flat=True))


def _bodies(chosen: Q) -> Iterator[str]:
    rows: Any = Event.objects.filter(chosen).values_list("body", "body_artifact_id")
    for body, artifact_id in rows.iterator(chunk_size=_AT_ONCE):
        data = artifacts.read(artifact_id) if artifact_id is not None else bytes(body or b"")
        yield data.decode("utf-8", "replace")


def _whole(text: Any) -> str:
    if text is None:
        return ""
    if not text.startswith(_MARK):
        return str(text)
    return artifacts.read(UUID(text.split(":", 2)[1])).decode("utf-8", "replace")
