"""The shapes of answers that several resources share. Runs and steps are shaped in `builder.workflows.shapes`."""

from __future__ import annotations

from typing import Generic, TypeVar
from uuid import UUID

from builder.accounts.models import Membership, StartPage, User
from builder.workflows.shapes import View

T = TypeVar("T")


class Items(View, Generic[T]):
    """A list that comes whole."""

    items: list[T]


class Paged(View, Generic[T]):
    """A page of a list; `next_cursor` goes into the next request, null at the end."""

    items: list[T]
    next_cursor: str | None


class PersonView(View):
    """The signed-in person. `undo_seconds`: for how long their decisions can be taken back; 0: they take effect at
    once. `start_page`: where signing in and the logo lead them."""

    id: UUID
    name: str
    email: str
    theme: str
    language: str
    undo_seconds: int
    start_page: StartPage
    is_instance_admin: bool


class WorkspaceView(View):
    """A workspace as its members see it, with their own role."""

    id: UUID
    name: str
    role: str
    language: str
    time_zone: str
    currency: str
    #: Names of fields whose values are shown to nobody unasked.
    sensitive_fields: list[str]


def person(user: User) -> PersonView:
    """The person themselves."""
    return PersonView(
        id=user.id,
        name=user.name,
        email=user.email,
        theme=user.theme,
        language=user.language,
        undo_seconds=user.undo_seconds,
        start_page=StartPage(user.start_page),
        is_instance_admin=user.is_instance_admin,
    )


def workspace(membership: Membership) -> WorkspaceView:
    """A workspace by its membership."""
    row = membership.workspace
    return WorkspaceView(
        id=row.id,
        name=row.name,
        role=membership.role,
        language=row.language,
        time_zone=row.time_zone,
        currency=row.currency,
        sensitive_fields=list(row.sensitive_fields),
    )
