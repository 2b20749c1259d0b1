"""Which columns of the list of runs each person looks at."""

from __future__ import annotations

from collections.abc import Sequence

from builder.accounts.models import User, Workspace
from builder.workflows.models import RunColumns

__all__ = ["columns", "set_columns"]


def columns(*, workspace: Workspace, person: User) -> list[str] | None:
    """The columns that this person has chosen; None: they have chosen none."""
    row = RunColumns.objects.filter(workspace=workspace, person=person).first()
    return None if row is None else list(row.columns)


def set_columns(*, workspace: Workspace, person: User, columns: Sequence[str]) -> None:
    """Remember which columns this person looks at."""
    RunColumns.objects.update_or_create(workspace=workspace, person=person, defaults={"columns": list(columns)})
