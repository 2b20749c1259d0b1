"""A run made of an event that started none, because somebody says so; of one that did, another run."""

from __future__ import annotations

from uuid import UUID

from runtime import queue
from runtime.api.retrying import replay_as_new
from runtime.api.runs import run as one_run
from runtime.contracts import NotFound, NotStartable, RuntimeRefused, RunView
from runtime.engine.ids import uuid7
from runtime.store import beside
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Deployment, Event, Hold, Run, Trigger
from runtime.store.statements import HELD

__all__ = ["replay_event"]

LATER = "Somebody started it later."


def _start(trigger_id: UUID | None) -> Trigger | None:
    if trigger_id is None:
        return None
    return Trigger.objects.select_related("version").filter(pk=trigger_id, enabled=True).first()


def replay_event(*, workspace_id: UUID, event_id: UUID, unverified: bool = False, by: UUID | None = None) -> RunView:
    """Start a run from this event, by the live version: the first one where it started none, else one more.
    `unverified`: although nobody knows who sent it.

    Raises NotFound, NotStartable (it is switched off, or has no such start), NotRetryable, RuntimeRefused (its body was
    not kept, or its signature does not fit and nobody said that it may run all the same).
    """
    found = Event.objects.filter(workspace_id=workspace_id, pk=event_id).first()
    if found is None:
        raise NotFound("There is no such event.", code="event_not_found")
    if found.run_id is not None:
        return replay_as_new(workspace_id=workspace_id, run_id=found.run_id, by=by)
    run_id = uuid7()
    with commit("run.replay"):
        now = database_now()
        # Under its lock: a rule that removes its body at this moment is seen here, or comes when it has its run.
        event = Event.objects.select_for_update().get(pk=event_id)
        if event.run_id is not None or event.verdict == "queued":
            raise RuntimeRefused("It has its run meanwhile, or waits for it.", code="event_started")
        if event.signature == "invalid" and not unverified:
            raise RuntimeRefused("Its signature does not fit: nobody knows who sent it.", code="event_unverified")
        if event.body is None and event.body_artifact_id is None and event.body_size:
            raise RuntimeRefused("Of this event only the size was kept.", code="event_body_gone")
        trigger = _start(event.trigger_id)
        live = Deployment.objects.filter(pk=event.workflow_id, enabled=True, retired=False).exists()
        if trigger is None or not live:
            raise NotStartable("The workflow is switched off, or no longer has this start.", code="switched_off")
        held = Hold.objects.select_for_update().filter(pk=trigger.workflow_id).exists()
        Run.objects.create(
            id=run_id,
            workspace_id=workspace_id,
            workflow_id=trigger.workflow_id,
            version_id=trigger.version_id,
            event_id=event.pk,
            trigger_node=trigger.node_id,
            mode="live",
            started_by="api" if by is None else f"user:{by}",
            status="accepted",
            accepted_at=now,
            wake_at=None if held else now,
            min_engine=trigger.version.min_engine + (HELD if held else 0),
            held=1 if held else None,
        )
        Event.objects.filter(pk=event.pk).update(verdict="accepted", run_id=run_id, reason=LATER)
        beside.tell(id=str(run_id), event=str(event_id))
    if not held:
        queue.ring([run_id])
    return one_run(workspace_id=workspace_id, run_id=run_id)
