"""Saves of a draft on their way to the audit log.

A draft is saved every few seconds while somebody draws. What goes on record is the sitting: who changed what from when
to when. Until it is over it is a row here, written in the same transaction as each save, so that no save is without
one. A sitting is over when nothing was saved for a while, when it has lasted long, when somebody else saves, or when
the workflow is published, restored or deleted.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from builder.accounts.times import stamp
from builder.audit import chain
from builder.audit.chain import Actor, Entry, Origin
from builder.workflows.differences import differences
from builder.workflows.models import Draft, Editing, Workflow
from runtime import api as runtime_api
from runtime.contracts import dumps, loads

__all__ = ["close", "close_over", "note"]

QUIET: Final = timedelta(minutes=2)
LONGEST: Final = timedelta(minutes=30)


def note(*, before: Draft, after: Draft, entry: Entry) -> None:
    """Take note of a save, within its transaction. `entry`: who saved, from where, and of which workflow."""
    now = after.updated_at
    row = Editing.objects.select_for_update().filter(pk=after.pk).first()
    known: Any = None if row is None else loads(row.entry)
    if row is not None and (known["actor"] != asdict(entry.actor) or _is_over(row, now)):
        _append(row, before)
        row = None
    if row is None:
        row = Editing(workflow_id=after.pk, began_at=now, revision_before=before.revision, graph_before=before.graph)
        row.sha256_before = before.graph_sha256
    row.entry = dumps(asdict(entry))
    row.last_at, row.saves = now, row.saves + 1
    row.save()


def close(*, workflow: Workflow) -> None:
    """Put the sitting at this workflow on record, if there is one."""
    with transaction.atomic():
        _close(workflow.pk)


def close_over(*, now: datetime) -> int:
    """Put on record the sittings that are over; returns how many. Two at once do no harm."""
    quiet = Editing.objects.filter(last_at__lt=now - QUIET) | Editing.objects.filter(began_at__lt=now - LONGEST)
    closed = 0
    for workflow_id in list(quiet.values_list("pk", flat=True)[:1_000]):
        with transaction.atomic():
            closed += _close(workflow_id, unless_later=now)
    return closed


def _close(workflow_id: Any, *, unless_later: datetime | None = None) -> bool:
    row = Editing.objects.select_for_update().filter(pk=workflow_id).first()
    if row is None or (unless_later is not None and not _is_over(row, unless_later)):
        return False
    # In the order in which a save locks them: the draft comes first there, and is only read here.
    _append(row, Draft.objects.get(pk=workflow_id))
    return True


def _is_over(row: Editing, now: datetime) -> bool:
    return now - row.last_at > QUIET or now - row.began_at > LONGEST


def _append(row: Editing, after: Draft) -> None:
    kept: Any = loads(row.entry)
    detail = {
        "saves": row.saves,
        "began_at": stamp(row.began_at),
        "ended_at": stamp(row.last_at),
        "before": {"revision": row.revision_before},
        "after": {"revision": after.revision},
        "sha256_before": row.sha256_before,
        "sha256_after": after.graph_sha256,
        "changes": differences(_graph(row.graph_before), _graph(after.graph)),
    }
    row.delete()
    entry = Entry(**{**kept, "actor": Actor(**kept["actor"]), "origin": Origin(**kept["origin"]), "detail": detail})
    chain.append(runtime_api.ask, entry)


def _graph(text: str) -> dict[str, Any]:
    found = loads(text)
    return found if isinstance(found, dict) else {}
