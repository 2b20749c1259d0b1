"""Steps that wait for a link, an event or their next try: how they stand, what moves them on, and events that are
sent."""

from __future__ import annotations

import contextlib
from uuid import UUID

from django.db import InterfaceError, OperationalError

from runtime import queue
from runtime.api.runs import run
from runtime.contracts import (
    JSON,
    AlreadyDecided,
    AlreadyFinished,
    EventRefused,
    KeyReused,
    NotFound,
    NotStartable,
    RunView,
    SentEvent,
    Voter,
    WaitView,
)
from runtime.engine.jsonprofile import JSONRefused, normalise
from runtime.interpreter import signals as sending
from runtime.interpreter.keys import stored_secret
from runtime.interpreter.versions import Version
from runtime.sdk import PermanentError
from runtime.sdk.signals import named
from runtime.store import signals
from runtime.store import try_now as hurrying
from runtime.store.models import Run, SignalWait

__all__ = ["resume", "resume_link", "send_event", "try_now", "waits"]


def waits(*, workspace_id: UUID, run_id: UUID) -> list[WaitView]:
    """The steps of this run that wait, or waited, for a link or an event; the newest first. Raises NotFound."""
    _row(workspace_id, run_id)
    rows = SignalWait.objects.filter(run_id=run_id).select_related("signal").order_by("-created_at", "-id")
    return [_view(row) for row in rows]


def resume_link(*, workspace_id: UUID, run_id: UUID, node_id: str) -> str:
    """The path of the link that moves this step on, perhaps before the run comes to it. Whoever has it may use it.

    Raises NotFound, AlreadyDecided (it is of no use any more).
    """
    row = _row(workspace_id, run_id)
    secret = stored_secret()
    if secret is None or not _has_link(row, node_id):
        raise NotFound("This step has no link.", code="no_link")
    found = signals.standing(run_id, node_id, row.generation)
    if found.what != "open":
        raise _too_late(found)
    return sending.link_path(secret, run_id, node_id, row.generation)


def resume(*, workspace_id: UUID, run_id: UUID, node_id: str, voter: Voter, data: JSON = None) -> WaitView:
    """Let a step that waits for its link or for an event go on, with this as what came.

    Raises NotFound (it does not wait), AlreadyDecided (something was quicker), EventRefused.
    """
    row = _row(workspace_id, run_id)
    try:
        draft = sending.draft(
            workspace_id=workspace_id, kind="person", data=normalise(data), by=voter.name, sent_by=f"user:{voter.id}",
            mode=row.mode, run_id=run_id,
        )  # fmt: skip
    except (JSONRefused, sending.SignalTooLarge) as refused:
        raise _refused("data", refused) from None
    used = sending.resume(
        draft, node_id=node_id, generation=row.generation, workflow_id=row.workflow_id, early=False
    )  # fmt: skip
    if used.what == "missing":
        raise NotFound("This step does not wait for anything.", code="not_waiting")
    if used.what != "resumed":
        raise _too_late(used)
    found = SignalWait.objects.select_related("signal").get(
        run_id=run_id, node_id=node_id, generation=row.generation
    )  # fmt: skip
    return _view(found)


def try_now(*, workspace_id: UUID, run_id: UUID, node_id: str, attempt: int, by: UUID | None = None) -> RunView:
    """Do not wait for the try that follows `attempt`: it begins now. Asked twice, it is asked once.

    Raises NotFound, AlreadyFinished (also for a run that is being cancelled), AlreadyDecided (it has begun meanwhile,
    or nothing is tried again), NotStartable (the run is paused or held).
    """
    who = "api" if by is None else f"user:{by}"
    match hurrying.try_now(workspace_id=workspace_id, run_id=run_id, node_id=node_id, attempt=attempt, by=who):
        case "missing":
            raise NotFound("The run has not come to this step.", code="step_not_found")
        case "ended":
            raise AlreadyFinished("The run has ended, or is about to: nothing is tried again.")
        case "begun":
            raise AlreadyDecided("This try has begun already.", code="already_trying")
        case "stopped":
            raise NotStartable("The run is paused. Resume it first: it is tried again then.", code="run_paused")
    queue.ring([run_id])
    return run(workspace_id=workspace_id, run_id=run_id)


def send_event(
    *,
    workspace_id: UUID,
    name: str,
    key: str,
    data: JSON = None,
    sender: Voter | None = None,
    dedupe_key: str | None = None,
) -> SentEvent:
    """Send an event to the runs of this workspace that wait for it, and to those that count it when they come to wait.
    Once this returns it is stored; a second one with the same `dedupe_key` is the first.

    Raises EventRefused, KeyReused.
    """
    try:
        name, key = named(name, key)
        draft = sending.draft(
            workspace_id=workspace_id,
            kind="event",
            data=normalise(data),
            by="api" if sender is None else sender.name,
            sent_by="api" if sender is None else f"user:{sender.id}",
            name=str(normalise(name)),
            key=str(normalise(key)),
            dedupe_key=dedupe_key,
        )
    except PermanentError as error:
        raise EventRefused({error.code if error.code in ("name", "key") else "key": error.message}) from None
    except (JSONRefused, sending.SignalTooLarge) as refused:
        raise _refused("data", refused) from None
    sent = signals.send(draft)
    if sent.duplicate:
        sending.forget(draft)
    if sent.conflict:
        raise KeyReused("This key was used before for another event.")
    moved: int | None = None
    # It is stored: what cannot be moved on just now is moved on in a moment.
    with contextlib.suppress(OperationalError, InterfaceError):
        sending.pass_on(sent.id)
        moved = SignalWait.objects.filter(signal_id=sent.id).count()
    return SentEvent(sent.id, moved, sent.duplicate)


def _row(workspace_id: UUID, run_id: UUID) -> Run:
    row = Run.objects.select_related("version").filter(workspace_id=workspace_id, pk=run_id).first()
    if row is None:
        raise NotFound("There is no such run.", code="run_not_found")
    return row


def _has_link(row: Run, node_id: str) -> bool:
    """Whether a step of this run has one: those of a container's items are steps of the items' own runs."""
    version = Version(row.version_id, row.version.number, row.version.graph).of_run(row.trigger_node)
    return any(node.id == node_id for node in version.linked)


def _too_late(used: signals.Used) -> AlreadyDecided:
    match used.what:
        case "again" | "other":
            return AlreadyDecided("The run has gone on already.", code="already_resumed", at=used.at)
        case "late":
            return AlreadyDecided("The time for this is over.", code="too_late")
        case _:
            return AlreadyDecided("The run has ended, or needs this no more.", code="run_ended")


def _refused(field: str, refused: JSONRefused | sending.SignalTooLarge) -> EventRefused:
    said = refused.message if isinstance(refused, JSONRefused) else "This is too large: 10 MiB is the most."
    return EventRefused({field: said})


def _view(row: SignalWait) -> WaitView:
    return WaitView(
        node=row.node_id,
        generation=row.generation,
        kind=row.kind,
        status=row.status,
        title=row.title,
        name=row.name,
        key=row.key,
        due_at=row.due_at,
        created_at=row.created_at,
        closed_at=row.closed_at,
        resumed_by=None if row.signal is None else row.signal.sent_by,
    )
