"""What people call things: the builder's half of `runtime.ports.Names`."""

from __future__ import annotations

from uuid import UUID

from builder.accounts.models import Workspace
from builder.connections.models import Connection
from builder.workflows.models import Workflow


class KnownNames:
    """Looks it up each time: a thing may have been renamed since."""

    def workspace(self, *, workspace_id: UUID) -> str:
        return Workspace.objects.filter(pk=workspace_id).values_list("name", flat=True).first() or ""

    def workflow(self, *, workspace_id: UUID, workflow_id: UUID) -> str:
        rows = Workflow.objects.filter(workspace_id=workspace_id, pk=workflow_id, deleted_at=None)
        return rows.values_list("name", flat=True).first() or ""

    def connection(self, *, workspace_id: UUID, connection_id: UUID) -> str:
        rows = Connection.objects.filter(workspace_id=workspace_id, pk=connection_id)
        return rows.values_list("name", flat=True).first() or ""
