"""Drafts of workflows that were deleted, when the workspace's rule lets them go. That the workflow was there stays, and
so do its versions, which runs are told by."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from builder.accounts import sweeps
from builder.workflows.models import Draft, Editing
from runtime import api as runtime_api

__all__ = ["remove_old", "to_remove"]

_PORTION: Final = 100


def to_remove(workspace_id: UUID, days: int, now: datetime) -> QuerySet[Draft]:
    """Those that the rule lets go; not those of workflows that are held."""
    held = [one.workflow_id for one in runtime_api.legal_holds(workspace_id=workspace_id) if one.workflow_id]
    old = Draft.objects.filter(workflow__workspace_id=workspace_id, workflow__deleted_at__lt=now - timedelta(days=days))
    return old.exclude(workflow_id__in=held)


def remove_old(*, now: datetime) -> int:
    """Remove them in every workspace with such a rule; how many. Two at once do no harm."""
    removed = 0
    for workspace_id, days in runtime_api.retention_days("drafts").items():
        while (gone := _some(workspace_id, days, now)) > 0:
            removed += gone
    return removed


def _some(workspace_id: UUID, days: int, now: datetime) -> int:
    with transaction.atomic():
        rows = to_remove(workspace_id, days, now).order_by("pk").select_for_update(of=("self",))
        ids = list(rows.values_list("pk", flat=True)[:_PORTION])
        if not ids:
            return 0
        Editing.objects.filter(pk__in=ids).delete()
        Draft.objects.filter(pk__in=ids).delete()
        sweeps.swept(workspace_id, {"removed": {"drafts": len(ids)}, "days": {"drafts": days}})
    return len(ids)
