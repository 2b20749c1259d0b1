"""One connection put in place of another in all drafts. What is live changes when somebody publishes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from builder.accounts.models import User
from builder.workflows import documents, services
from builder.workflows.models import Draft


def replace_connection(*, workspace_id: UUID, old: UUID, new: UUID, by: User, now: datetime) -> dict[UUID, int]:
    """Have each step that names `old` name `new`; how many steps that were, by workflow. Within the caller's
    transaction, all or none. Raises DraftIsStale where somebody saves at this moment."""
    found: dict[UUID, int] = {}
    drafts = Draft.objects.select_related("workflow", "workflow__workspace").filter(
        workflow__workspace_id=workspace_id, workflow__deleted_at=None, graph__contains=str(old)
    )
    for draft in drafts.order_by("workflow_id"):
        graph = services.graph_of(draft)
        count = 0
        for node in documents.nodes_of(graph):
            config = node.get("config")
            replaced = _replaced(config, str(old), str(new))
            if replaced != config:
                node["config"] = replaced
                count += 1
        if count:
            services.save_draft(workflow=draft.workflow, graph=graph, expected=draft.revision, by=by, now=now)
            found[draft.workflow_id] = count
    return found


def _replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, Mapping):
        return {name: _replaced(one, old, new) for name, one in value.items()}
    if isinstance(value, list):
        return [_replaced(one, old, new) for one in value]
    return new if value == old else value
