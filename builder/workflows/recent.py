"""Which workflows a person touched last: edited, published, ran or tested by hand. One row for each person and
workflow, for their own eyes."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from builder.accounts.models import User, Workspace
from builder.workflows.models import Touch, Workflow

__all__ = ["MOST", "Did", "forget", "note", "of"]

Did = Literal["edited", "published", "ran", "tested"]

#: So many of them are told.
MOST: Final = 5


def note(*, workflow: Workflow, person: User, did: Did, now: datetime) -> None:
    """That the person did this just now; it takes the place of what they did to this workflow before."""
    row = Touch(workspace_id=workflow.workspace_id, person=person, workflow=workflow, did=did, at=now)
    # One statement: of two at once neither fails, and none waits for a row that the other reads.
    Touch.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["person", "workflow"], update_fields=["did", "at"]
    )


def of(*, workspace: Workspace, person: User) -> list[Touch]:
    """The person's own here, newest first, with their workflows; those that were deleted are not among them."""
    rows = Touch.objects.filter(workspace=workspace, person=person, workflow__deleted_at=None)
    rows = rows.select_related("workflow", "workflow__draft", "workflow__draft__updated_by", "workflow__owner")
    return list(rows.order_by("-at", "-pk")[:MOST])


def forget(person: User) -> None:
    """Remove what is known of a person, who is erased."""
    Touch.objects.filter(person=person).delete()
