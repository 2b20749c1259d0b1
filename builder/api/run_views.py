"""Searches for runs that were saved under a name, and the columns that one looks at."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from pydantic import Field

from builder.accounts.rights import Action
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.run_filters import Sort, Status
from builder.api.saved_views import ChangeView, FirstView, NewView, SavedDay, Views, ViewShape, read_kept
from builder.api.shapes import Items
from builder.workflows import run_columns
from builder.workflows.models import SavedView

VIEWS: Final = Views("runs", Action.RUN_VIEW_SHARE)
Column = Annotated[str, Field(min_length=1, max_length=40)]


class SavedSearch(Body):
    """What a list of runs is asked for; null and empty are left out."""

    q: Annotated[str, Field(max_length=400)] | None = None
    status: Annotated[list[Status], Field(max_length=11)] = []
    workflow: UUID | None = None
    mode: Annotated[str, Field(pattern="^(live|test)$")] | None = None
    since: SavedDay | None = None
    until: SavedDay | None = None
    sort: Sort | None = None


class NewRunView(NewView[SavedSearch]):
    """A search for runs and its name. `shared`: everybody here is offered it."""


class ChangeRunView(ChangeView[SavedSearch]):
    """What is to change of a saved search for runs; what is left out stays."""


class SearchShape(View):
    """What a list of runs is asked for."""

    q: str | None
    status: list[str]
    workflow: UUID | None
    mode: str | None
    since: str | None
    until: str | None
    sort: str | None


class RunViewShape(ViewShape[SearchShape]):
    """A saved search for runs. `mine`: the asker has saved it; `owner`: who has; `first`: the asker opens the list with
    it."""


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
        return _listed(call)

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
        return _shape(call, VIEWS.save(call, body), None)

    @operation(
        Action.RUN_VIEW_SAVE,
        body=FirstView,
        answer=Items[RunViewShape],
        repeat="stored",
        does="profile.run_view_chosen",
    )
    def put(self, call: Call, *, body: FirstView) -> Items[RunViewShape]:
        """Open the list of all runs with this one from now on."""
        VIEWS.open_with(call, body)
        return _listed(call)


class OneRunView(ApiView):
    @operation(Action.RUN_VIEW_SAVE, body=ChangeRunView, answer=RunViewShape, repeat="stored", does="run_view.changed")
    def patch(self, call: Call, *, view_id: UUID, body: ChangeRunView) -> RunViewShape:
        """Rename it, share it, or have it search for something else."""
        return _shape(call, VIEWS.change(call, view_id, body), VIEWS.first(call))

    @operation(Action.RUN_VIEW_SAVE, status=204, repeat="stored", does="run_view.removed")
    def delete(self, call: Call, *, view_id: UUID) -> None:
        """Take it away, for everybody who is offered it."""
        VIEWS.remove(call, view_id)


class ColumnsOfRuns(ApiView):
    @operation(Action.RUN_SEE, answer=ColumnsShape)
    def get(self, call: Call) -> ColumnsShape:
        """Which columns the asker looks at."""
        return ColumnsShape(columns=run_columns.columns(workspace=call.workspace, person=call.person))

    @operation(
        Action.RUN_VIEW_SAVE, body=ColumnsBody, answer=ColumnsShape, repeat="stored", does="profile.columns_chosen"
    )
    def put(self, call: Call, *, body: ColumnsBody) -> ColumnsShape:
        """Remember which columns the asker looks at."""
        call.deed.about(call.person.id)
        run_columns.set_columns(workspace=call.workspace, person=call.person, columns=body.columns)
        return ColumnsShape(columns=body.columns)


def _listed(call: Call) -> Items[RunViewShape]:
    first = VIEWS.first(call)
    return Items[RunViewShape](items=[_shape(call, row, first) for row in VIEWS.listing(call)])


def _shape(call: Call, row: SavedView, first: UUID | None) -> RunViewShape:
    search = read_kept(SavedSearch, row.search)
    return RunViewShape(**VIEWS.told(call, row, first), search=SearchShape(**search.model_dump()))
