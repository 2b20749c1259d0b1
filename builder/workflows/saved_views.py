"""Searches that people have saved under a name, for themselves or for all, each of one list: of runs, or of the audit
log; and with which of them somebody opens a list."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from builder.accounts.giving import give
from builder.accounts.models import User, Workspace
from builder.workflows.models import DefaultView, SavedView
from runtime.contracts.people import Erased

__all__ = ["MOST_VIEWS", "ListName", "TooManyViews", "change", "default", "delete", "find", "forget", "hand_over",
           "listing", "save", "set_default", "shared_by"]  # fmt: skip

ListName = Literal["runs", "audit"]
MOST_VIEWS: Final = 50


class TooManyViews(Exception):
    """This person has saved as many as anybody can."""


def listing(*, of: ListName, workspace: Workspace, person: User) -> list[SavedView]:
    """What this person can choose from: their own and those of all, by name."""
    rows = SavedView.objects.filter(Q(owner=person) | Q(shared=True), of=of, workspace=workspace)
    return sorted(rows.select_related("owner"), key=lambda row: (row.name.casefold(), row.id))


def find(*, of: ListName, workspace: Workspace, person: User, view_id: UUID, any_shared: bool) -> SavedView | None:
    """One that this person may change: their own, or with `any_shared` one of all."""
    mine = Q(owner=person) | Q(shared=True) if any_shared else Q(owner=person)
    return SavedView.objects.filter(mine, of=of, workspace=workspace, pk=view_id).select_related("owner").first()


def save(
    *, of: ListName, workspace: Workspace, person: User, name: str, search: dict[str, Any], shared: bool, now: datetime
) -> SavedView:
    """Save a search under a name. Raises TooManyViews."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=person.pk)
        if SavedView.objects.filter(of=of, workspace=workspace, owner=person).count() >= MOST_VIEWS:
            raise TooManyViews
        return SavedView.objects.create(
            of=of, workspace=workspace, owner=person, name=name.strip(), search=search, shared=shared, created_at=now
        )


@transaction.atomic
def change(*, row: SavedView, name: str | None, search: dict[str, Any] | None, shared: bool | None) -> bool:
    """Change what is given, leave the rest. False where somebody has taken it away meanwhile."""
    if not _held(row):
        return False
    give(row, {"name": None if name is None else name.strip(), "search": search, "shared": shared})
    return True


@transaction.atomic
def delete(*, row: SavedView) -> bool:
    """Take it away, for everybody who could choose it, or had it open first. False where somebody has meanwhile."""
    return _held(row) and row.delete()[0] > 0


def default(*, of: ListName, workspace: Workspace, person: User) -> UUID | None:
    """With which one this person opens the list, as long as they can choose it."""
    rows = DefaultView.objects.filter(of=of, workspace=workspace, person=person)
    return rows.filter(Q(view__owner=person) | Q(view__shared=True)).values_list("view_id", flat=True).first()


@transaction.atomic
def set_default(*, of: ListName, workspace: Workspace, person: User, view_id: UUID | None) -> bool:
    """Open the list with this one from now on; None: with everything. False where they cannot choose it."""
    if view_id is None:
        DefaultView.objects.filter(of=of, workspace=workspace, person=person).delete()
        return True
    row = find(of=of, workspace=workspace, person=person, view_id=view_id, any_shared=True)
    if row is None or not _held(row):
        return False
    DefaultView.objects.update_or_create(of=of, workspace=workspace, person=person, defaults={"view": row})
    return True


def shared_by(*, of: ListName, workspace: Workspace, person: User) -> list[SavedView]:
    """Those that this person has saved for all, by name."""
    return list(SavedView.objects.filter(of=of, workspace=workspace, owner=person, shared=True).order_by("name", "id"))


def hand_over(*, view_id: UUID, of: User, to: User) -> bool:
    """Make one that is shared another person's own, however many they have; False where it is not this person's any
    more."""
    return bool(SavedView.objects.filter(pk=view_id, owner=of, shared=True).update(owner=to))


def _held(row: SavedView) -> bool:
    """Whether it is still there, and is until the transaction ends."""
    return SavedView.objects.select_for_update().filter(pk=row.pk).values_list("pk", flat=True).first() is not None


def forget(person: User, who: Erased) -> None:
    """Remove what only this person was offered, who is erased, and take them out of the names and words of the rest."""
    SavedView.objects.filter(owner=person, shared=False).delete()
    DefaultView.objects.filter(person=person).delete()
    for row in list(SavedView.objects.only("name", "search")):
        name, search = who.cleaned(row.name)[:80], who.cleaned_in(row.search)
        if (name, search) != (row.name, row.search):
            SavedView.objects.filter(pk=row.pk).update(name=name, search=search)
