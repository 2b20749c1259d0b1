"""What was removed by a rule of a workspace goes on record there, in the transaction that removes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from builder.accounts.models import Workspace
from builder.accounts.selectors import names_of
from builder.audit import chain
from builder.audit.chain import Actor, Entry
from runtime import api as runtime_api


def swept(workspace_id: UUID, detail: Mapping[str, Any], *, by: UUID | None = None) -> None:
    """A sweep has ended. `by`: who wanted it at that moment; None: its time had come."""
    entry = Entry(
        chain=str(workspace_id),
        actor=Actor("rule") if by is None else Actor("member", str(by), names_of({by}).get(by, "")),
        verb="retention.swept",
        object_kind="workspace",
        object_id=str(workspace_id),
        object_name=Workspace.objects.filter(pk=workspace_id).values_list("name", flat=True).first() or "",
        detail=dict(detail),
    )
    chain.append(runtime_api.ask, entry)
