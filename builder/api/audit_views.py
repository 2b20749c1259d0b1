"""Searches of the audit log that were saved under a name, and with which of them one opens it."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from pydantic import Field

from builder.accounts.rights import Action
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.saved_views import ChangeView, FirstView, NewView, SavedDay, Views, ViewShape, read_kept
from builder.api.shapes import Items
from builder.workflows.models import SavedView

#: Whoever sees the log saves for themselves, and shares with the others who see it.
VIEWS: Final = Views("audit", Action.AUDIT_SEE)
Word = Annotated[str, Field(max_length=120)]


class SavedAuditSearch(Body):
    """What the audit log is asked for: of whom (an id), which deeds, to what (a kind, an id), since and until when (a
    day of the workspace, or so long ago, such as 7d), with these words; null and empty are left out."""

    actor: Word | None = None
    verb: Annotated[list[Word], Field(max_length=100)] = []
    kind: Word | None = None
    object: Word | None = None
    since: SavedDay | None = None
    until: SavedDay | None = None
    q: Annotated[str, Field(max_length=200)] | None = None


class NewAuditView(NewView[SavedAuditSearch]):
    """A search of the audit log and its name. `shared`: all who see the log are offered it."""


class ChangeAuditView(ChangeView[SavedAuditSearch]):
    """What is to change of a saved search of the audit log; what is left out stays."""


class AuditSearchShape(View):
    """What the audit log is asked for."""

    actor: str | None
    verb: list[str]
    kind: str | None
    object: str | None
    since: str | None
    until: str | None
    q: str | None


class AuditViewShape(ViewShape[AuditSearchShape]):
    """A saved search of the audit log. `mine`: the asker has saved it; `owner`: who has; `first`: the asker opens the
    log with it."""


class AuditViews(ApiView):
    @operation(Action.AUDIT_SEE, answer=Items[AuditViewShape])
    def get(self, call: Call) -> Items[AuditViewShape]:
        """The searches that the asker can choose from: their own, and those of everybody."""
        return _listed(call)

    @operation(
        Action.AUDIT_SEE,
        body=NewAuditView,
        answer=AuditViewShape,
        status=201,
        also=(409,),
        repeat="stored",
        does="audit_view.saved",
    )
    def post(self, call: Call, *, body: NewAuditView) -> AuditViewShape:
        """Save a search under a name."""
        return _shape(call, VIEWS.save(call, body), None)

    @operation(
        Action.AUDIT_SEE,
        body=FirstView,
        answer=Items[AuditViewShape],
        repeat="stored",
        does="profile.audit_view_chosen",
    )
    def put(self, call: Call, *, body: FirstView) -> Items[AuditViewShape]:
        """Open the log with this one from now on."""
        VIEWS.open_with(call, body)
        return _listed(call)


class OneAuditView(ApiView):
    @operation(
        Action.AUDIT_SEE, body=ChangeAuditView, answer=AuditViewShape, repeat="stored", does="audit_view.changed"
    )
    def patch(self, call: Call, *, view_id: UUID, body: ChangeAuditView) -> AuditViewShape:
        """Rename it, share it, or have it search for something else."""
        return _shape(call, VIEWS.change(call, view_id, body), VIEWS.first(call))

    @operation(Action.AUDIT_SEE, status=204, repeat="stored", does="audit_view.removed")
    def delete(self, call: Call, *, view_id: UUID) -> None:
        """Take it away, for everybody who is offered it."""
        VIEWS.remove(call, view_id)


def _listed(call: Call) -> Items[AuditViewShape]:
    first = VIEWS.first(call)
    return Items[AuditViewShape](items=[_shape(call, row, first) for row in VIEWS.listing(call)])


def _shape(call: Call, row: SavedView, first: UUID | None) -> AuditViewShape:
    search = read_kept(SavedAuditSearch, row.search)
    return AuditViewShape(**VIEWS.told(call, row, first), search=AuditSearchShape(**search.model_dump()))
