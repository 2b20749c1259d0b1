"""What saved searches of all lists have in common: who may see, save, change and share them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Generic, TypeVar
from uuid import UUID

from pydantic import AfterValidator, Field, ValidationInfo
from rest_framework.exceptions import PermissionDenied

from builder.accounts.rights import Action, allows
from builder.api.operation import Body, Call, View
from builder.api.problems import Refusal, not_here
from builder.api.run_filters import Day
from builder.workflows import saved_views
from builder.workflows.models import SavedView
from builder.workflows.saved_views import ListName

__all__ = ["ChangeView", "FirstView", "NewView", "SavedDay", "ViewShape", "Views", "read_kept"]

#: Said to whoever reads a search that was kept: what was let in before stays readable.
_KEPT: Final = {"kept": True}


def _is_there(text: str, info: ValidationInfo) -> str:
    if "-" in text and info.context != _KEPT:
        try:
            datetime.fromisoformat(text)
        except ValueError:
            raise ValueError("There is no such day or time. Write 2026-11-30, 2026-11-30T14:30, or 7d.") from None
    return text


#: A day or a moment that there is, or so long ago.
SavedDay = Annotated[Day, AfterValidator(_is_there)]
Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"\S")]
S = TypeVar("S", bound=Body)
T = TypeVar("T", bound=View)


def read_kept(search: type[S], kept: Mapping[str, object]) -> S:
    """A search as it was kept."""
    return search.model_validate(kept, context=_KEPT)


class NewView(Body, Generic[S]):
    """A search and its name. `shared`: everybody who sees the list is offered it."""

    name: Name
    search: S
    shared: bool = False


class ChangeView(Body, Generic[S]):
    """What is to change; what is left out stays."""

    name: Name | None = None
    search: S | None = None
    shared: bool | None = None


class FirstView(Body):
    """With which saved search one opens the list; null: with everything."""

    view: UUID | None


class ViewShape(View, Generic[T]):
    """A saved search. `mine`: the asker has saved it; `owner`: who has; `first`: the asker opens the list with it."""

    id: UUID
    name: str
    search: T
    shared: bool
    mine: bool
    owner: str
    first: bool


@dataclass(frozen=True, slots=True)
class Views:
    """The saved searches of one list. `share`: who may do this shares them, and changes shared ones of others. What is
    one's own one changes and takes away in any case, also where it came shared from somebody who left."""

    of: ListName
    share: Action

    def listing(self, call: Call) -> list[SavedView]:
        """What the asker can choose from."""
        return saved_views.listing(of=self.of, workspace=call.workspace, person=call.person)

    def save(self, call: Call, body: NewView[Any]) -> SavedView:
        """Save a search under a name."""
        self._may_share(call, body.shared)
        try:
            row = saved_views.save(
                of=self.of,
                workspace=call.workspace,
                person=call.person,
                name=body.name,
                search=_kept(body.search),
                shared=body.shared,
                now=call.now,
            )
        except saved_views.TooManyViews as error:
            raise Refusal(
                409, "too_many_views", f"You have saved {saved_views.MOST_VIEWS} searches. Take one away first."
            ) from error
        call.deed.about(row.id)
        return row

    def change(self, call: Call, view_id: UUID, body: ChangeView[Any]) -> SavedView:
        """Change what is given."""
        row = self._find(call, view_id)
        self._may_share(call, bool(body.shared) and not row.shared)
        search = None if body.search is None else _kept(body.search)
        # What is shared already is left as it is: somebody may be taking that back at this moment.
        shared = None if body.shared and row.shared else body.shared
        if not saved_views.change(row=row, name=body.name, search=search, shared=shared):
            raise not_here("saved search")
        return row

    def remove(self, call: Call, view_id: UUID) -> None:
        """Take it away."""
        row = self._find(call, view_id)
        if not saved_views.delete(row=row):
            raise not_here("saved search")

    def open_with(self, call: Call, body: FirstView) -> None:
        """Open the list with this one from now on."""
        call.deed.about(call.person.id)
        if not saved_views.set_default(of=self.of, workspace=call.workspace, person=call.person, view_id=body.view):
            raise not_here("saved search")

    def first(self, call: Call) -> UUID | None:
        """With which one the asker opens the list."""
        return saved_views.default(of=self.of, workspace=call.workspace, person=call.person)

    def told(self, call: Call, row: SavedView, first: UUID | None) -> Mapping[str, Any]:
        """All of a shape but its search."""
        return {
            "id": row.id,
            "name": row.name,
            "shared": row.shared,
            "mine": row.owner_id == call.person.id,
            "owner": row.owner.name,
            "first": row.id == first,
        }

    def _find(self, call: Call, view_id: UUID) -> SavedView:
        """The asker's own; of whoever may share, any that is shared."""
        row = saved_views.find(
            of=self.of,
            workspace=call.workspace,
            person=call.person,
            view_id=view_id,
            any_shared=allows(call.role, self.share, call.actor),
        )
        if row is None:
            raise not_here("saved search")
        return row

    def _may_share(self, call: Call, shared: bool) -> None:
        if shared and not allows(call.role, self.share, call.actor):
            raise PermissionDenied


def _kept(search: Body) -> dict[str, object]:
    return search.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
