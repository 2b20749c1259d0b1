"""Searches for runs that were saved under a name, and the columns that one looks at."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field
from rest_framework.exceptions import PermissionDenied

from builder.accounts.rights import Action, allows
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.problems import Refusal, not_here
from builder.api.run_filters import Day, Sort, Status
from builder.api.shapes import Items
from builder.workflows import run_views
from builder.workflows.models import SavedRunView

Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"\S")]
Column = Annotated[str, Field(min_length=1, max_length=40)]


class SavedSearch(Body):
    """What a list of runs is asked for; null and empty are left out."""

    q: Annotated[str, Field(max_length=400)] | None = None
    status: Annotated[list[Status], Field(max_length=11)] = []
    workflow: UUID | None = None
    mode: Annotated[str, Field(pattern="^(live|test)$")] | None = None
    since: Day | None = None
    until: Day | None = None
    sort: Sort | None = None


class NewRunView(Body):
    """A search and its name. `shared`: everybody here is offered it."""

    name: Name
    search: SavedSearch
    shared: bool = False


class ChangeRunView(Body):
    """What is to change; what is left out stays."""

    name: Name | None = None
    search: SavedSearch | None = None
    shared: bool | None = None


class SearchShape(View):
    """What a list of runs is asked for."""

    q: str | None
    status: list[str]
    workflow: UUID | None
    mode: str | None
    since: str | None
    until: str | None
    sort: str | None


class RunViewShape(View):
    """A saved search. `mine`: the asker has saved it; `owner`: who has."""

    id: UUID
    name: str
    search: SearchShape
    shared: bool
    mine: bool
    owner: str


class ColumnsBody(Body):
    """The columns in their order; a field's is `field:` and its short name."""

    columns: Annotated[list[Column], Field(max_length=40)]


class ColumnsShape(View):
    """The columns in their order; null where none were chosen."""

    columns: list[str] | None


class RunViews(ApiView):
    @operation(Action.RUN_SEE, answer=Items[RunViewShape])
    def get(self, call: Call) -> Items[RunViewShape]:
        """The searches that the asker can choose from: their own, and those of everybody."""
        found = run_views.listing(workspace=call.workspace, person=call.person)
        return Items[RunViewShape](items=[_shape(call, row) for row in found])

    @operation(
        Action.RUN_VIEW_SAVE,
        body=NewRunView,
        answer=RunViewShape,
        status=201,
        also=(409,),
        repeat="stored",
        does="run_view.saved",
    )
    def post(self, call: Call, *, body: NewRunView) -> RunViewShape:
        """Save a search under a name."""
        _may_share(call, body.shared)
        try:
            row = run_views.save(
                workspace=call.workspace,
                person=call.person,
                name=body.name,
                search=_kept(body.search),
                shared=body.shared,
                now=call.now,
            )
        except run_views.TooManyViews as error:
            raise Refusal(
                409, "too_many_views", f"You have saved {run_views.MOST_VIEWS} searches. Take one away first."
            ) from error
        call.deed.about(row.id)
        return _shape(call, row)


class OneRunView(ApiView):
    @operation(Action.RUN_VIEW_SAVE, body=ChangeRunView, answer=RunViewShape, repeat="stored", does="run_view.changed")
    def patch(self, call: Call, *, view_id: UUID, body: ChangeRunView) -> RunViewShape:
        """Rename it, share it, or have it search for something else."""
        row = _find(call, view_id)
        _may_share(call, row.shared or bool(body.shared))
        search = None if body.search is None else _kept(body.search)
        return _shape(call, run_views.change(row=row, name=body.name, search=search, shared=body.shared))

    @operation(Action.RUN_VIEW_SAVE, status=204, repeat="stored", does="run_view.removed")
    def delete(self, call: Call, *, view_id: UUID) -> None:
        """Take it away, for everybody who is offered it."""
        row = _find(call, view_id)
        _may_share(call, row.shared)
        run_views.delete(row=row)


class ColumnsOfRuns(ApiView):
    @operation(Action.RUN_SEE, answer=ColumnsShape)
    def get(self, call: Call) -> ColumnsShape:
        """Which columns the asker looks at."""
        return ColumnsShape(columns=run_views.columns(workspace=call.workspace, person=call.person))

    @operation(
        Action.RUN_VIEW_SAVE, body=ColumnsBody, answer=ColumnsShape, repeat="stored", does="profile.columns_chosen"
    )
    def put(self, call: Call, *, body: ColumnsBody) -> ColumnsShape:
        """Remember which columns the asker looks at."""
        call.deed.about(call.person.id)
        run_views.set_columns(workspace=call.workspace, person=call.person, columns=body.columns)
        return ColumnsShape(columns=body.columns)


def _find(call: Call, view_id: UUID) -> SavedRunView:
    """The asker's own; of whoever may share, any that is shared."""
    row = run_views.find(
        workspace=call.workspace,
        person=call.person,
        view_id=view_id,
        any_shared=allows(call.role, Action.RUN_VIEW_SHARE, call.actor),
    )
    if row is None:
        raise not_here("saved search")
    return row


def _may_share(call: Call, shared: bool) -> None:
    if shared and not allows(call.role, Action.RUN_VIEW_SHARE, call.actor):
        raise PermissionDenied


def _kept(search: SavedSearch) -> dict[str, object]:
    return search.model_dump(mode="json", exclude_none=True, exclude_defaults=True)


def _shape(call: Call, row: SavedRunView) -> RunViewShape:
    search = SavedSearch.model_validate(row.search)
    return RunViewShape(
        id=row.id,
        name=row.name,
        search=SearchShape(**search.model_dump()),
        shared=row.shared,
        mine=row.owner_id == call.person.id,
        owner=row.owner.name,
    )
