"""Searches for runs that people have saved, for themselves or for all, and which columns each of them looks at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from builder.accounts.giving import give
from builder.accounts.models import User, Workspace
from builder.workflows.models import RunColumns, SavedRunView

__all__ = ["MOST_VIEWS", "TooManyViews", "change", "columns", "delete", "find", "hand_over", "listing", "save",
           "set_columns", "shared_by"]  # fmt: skip

MOST_VIEWS: Final = 50


class TooManyViews(Exception):
    """This person has saved as many as anybody can."""


def listing(*, workspace: Workspace, person: User) -> list[SavedRunView]:
    """What this person can choose from: their own and those of all, by name."""
    rows = SavedRunView.objects.filter(Q(owner=person) | Q(shared=True), workspace=workspace)
    return sorted(rows.select_related("owner"), key=lambda row: (row.name.casefold(), row.id))


def find(*, workspace: Workspace, person: User, view_id: UUID, any_shared: bool) -> SavedRunView | None:
    """One that this person may change: their own, or with `any_shared` one of all."""
    mine = Q(owner=person) | Q(shared=True) if any_shared else Q(owner=person)
    return SavedRunView.objects.filter(mine, workspace=workspace, pk=view_id).select_related("owner").first()


def save(
    *, workspace: Workspace, person: User, name: str, search: dict[str, Any], shared: bool, now: datetime
) -> SavedRunView:
    """Save a search under a name. Raises TooManyViews."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=person.pk)
        if SavedRunView.objects.filter(workspace=workspace, owner=person).count() >= MOST_VIEWS:
            raise TooManyViews
        return SavedRunView.objects.create(
            workspace=workspace, owner=person, name=name.strip(), search=search, shared=shared, created_at=now
        )


def change(*, row: SavedRunView, name: str | None, search: dict[str, Any] | None, shared: bool | None) -> SavedRunView:
    """Change what is given, leave the rest."""
    give(row, {"name": None if name is None else name.strip(), "search": search, "shared": shared})
    return row


def delete(*, row: SavedRunView) -> None:
    """Take it away, for everybody who could choose it."""
    row.delete()


def shared_by(*, workspace: Workspace, person: User) -> list[SavedRunView]:
    """Those that this person has saved for all, by name."""
    return list(SavedRunView.objects.filter(workspace=workspace, owner=person, shared=True).order_by("name", "id"))


def hand_over(*, view_id: UUID, of: User, to: User) -> bool:
    """Make one that is shared another person's own, however many they have; False where it is not this person's any
    more."""
    return bool(SavedRunView.objects.filter(pk=view_id, owner=of, shared=True).update(owner=to))


def columns(*, workspace: Workspace, person: User) -> list[str] | None:
    """The columns that this person has chosen; None: they have chosen none."""
    row = RunColumns.objects.filter(workspace=workspace, person=person).first()
    return None if row is None else list(row.columns)


def set_columns(*, workspace: Workspace, person: User, columns: Sequence[str]) -> None:
    """Remember which columns this person looks at."""
    RunColumns.objects.update_or_create(workspace=workspace, person=person, defaults={"columns": list(columns)})
