"""Connections: make, change, remove, try. What is secret is written and never read."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import Field

from builder.accounts.rights import Action
from builder.accounts.times import maybe, stamp
from builder.api import cursors
from builder.api.cursors import PageQuery
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.problems import Refusal, not_here
from builder.api.shapes import Paged
from builder.connections import services, trials
from builder.connections.models import Connection
from builder.workflows import selectors
from runtime import api as runtime_api
from runtime.contracts.budgets import MOST_AT_ONCE, MOST_CALLS, BudgetLimits, BudgetView, Period
from runtime.ports import ConnectionMissing

Name = Annotated[str, Field(min_length=1, max_length=120, pattern=r"\S")]
FIELDS_MOST: Final = 60


class BudgetBody(Body):
    """At most so many calls within any such time, and so many under way, for all workflows together; null: no limit."""

    calls: Annotated[int, Field(ge=1, le=MOST_CALLS)] | None = None
    per: Period = "minute"
    at_once: Annotated[int, Field(ge=1, le=MOST_AT_ONCE)] | None = None


class NewConnection(Body):
    """A kind, a name, and the kind's fields; how many calls it takes, where that is limited."""

    kind: Annotated[str, Field(min_length=1, max_length=60)]
    name: Name
    fields: Annotated[dict[str, Any], Field(max_length=FIELDS_MOST)]
    budget: BudgetBody | None = None


class ConnectionChanges(Body):
    """A new name, or new values. A field left out keeps its value; null takes it away. So does the budget."""

    name: Name | None = None
    fields: Annotated[dict[str, Any], Field(max_length=FIELDS_MOST)] | None = None
    budget: BudgetBody | None = None


class BudgetShape(View):
    """How many calls it takes, and how that stands: so many are `used` within the time now, `under_way`, and `waiting`
    for their turn. `paused_until`: the other system has asked for it, by the status `paused_status`."""

    calls: int | None
    per: Period
    at_once: int | None
    used: int
    under_way: int
    waiting: int
    paused_until: str | None
    paused_status: int | None


class ConnectionShape(View):
    """A connection without its secrets. `secrets_set` names those that have a value, `last_four` their ends."""

    id: UUID
    kind: str
    name: str
    status: str
    status_detail: str | None
    used_by: int
    owner: str | None
    tested_at: str | None
    public: dict[str, Any]
    secrets_set: list[str]
    last_four: dict[str, str]
    mine: bool
    budget: BudgetShape | None
    created_at: str
    updated_at: str


class ConfirmShape(View):
    """What the other system shows: once somebody has compared it, `field` is given this `value`."""

    field: str
    value: str


class TestShape(View):
    """How the trial went. `confirm`: what somebody has to confirm before it can go well."""

    ok: bool
    message: str
    confirm: ConfirmShape | None


class Connections(ApiView):
    @operation(Action.CONNECTION_USE, query=PageQuery, answer=Paged[ConnectionShape])
    def get(self, call: Call, *, query: PageQuery) -> Paged[ConnectionShape]:
        """The connections of this workspace, newest first."""
        found = services.listing(
            workspace_id=call.workspace.id, after=cursors.to_id(query.cursor), most=query.limit + 1
        )
        rows, next_cursor = cursors.page_of(found, query.limit)
        uses = selectors.connection_uses(workspace_id=call.workspace.id) if rows else {}
        budgets = runtime_api.budgets(workspace_id=call.workspace.id) if rows else {}
        return Paged[ConnectionShape](
            items=[_shape(row, call, uses.get(row.id, 0), budgets.get(row.id)) for row in rows],
            next_cursor=next_cursor,
        )

    @operation(Action.CONNECTION_CREATE, body=NewConnection, answer=ConnectionShape, status=201, repeat="stored_apart")
    def post(self, call: Call, *, body: NewConnection) -> ConnectionShape:
        """Make a connection. Its secrets are sealed before they are stored."""
        try:
            row = services.create(
                workspace=call.workspace,
                by=call.person,
                kind=body.kind,
                name=body.name,
                fields=body.fields,
                now=call.now,
            )
        except services.ConnectionRefused as error:
            raise _refused(error) from error
        if body.budget is not None:
            _limit(row, body.budget)
        return _found_shape(row, call)


class OneConnection(ApiView):
    @operation(Action.CONNECTION_USE, answer=ConnectionShape)
    def get(self, call: Call, *, connection_id: UUID) -> ConnectionShape:
        """One connection."""
        return _found_shape(_find(call, connection_id), call)

    @operation(Action.CONNECTION_MANAGE, body=ConnectionChanges, answer=ConnectionShape, repeat="stored_apart")
    def patch(self, call: Call, *, connection_id: UUID, body: ConnectionChanges) -> ConnectionShape:
        """Rename it or give it new values."""
        row = _manageable(call, connection_id)
        try:
            row = services.change(row=row, name=body.name, fields=body.fields, now=call.now)
        except services.ConnectionRefused as error:
            raise _refused(error) from error
        except ConnectionMissing as error:
            raise Refusal(409, "connection_sealed", "This connection cannot be opened.", detail=str(error)) from error
        if "budget" in body.model_fields_set:
            _limit(row, body.budget)
        elif body.name is not None:
            runtime_api.name_budget(connection_id=row.id, name=row.name)
        return _found_shape(row, call)

    @operation(Action.CONNECTION_MANAGE, repeat="stored_apart")
    def delete(self, call: Call, *, connection_id: UUID) -> None:
        """Remove it. Steps that name it fail from now on, and say why."""
        row = _manageable(call, connection_id)
        services.delete(row=row)
        # Whoever waits for it fails now, and says why.
        _limit(row, None)


class TestConnection(ApiView):
    @operation(Action.CONNECTION_MANAGE, answer=TestShape, repeat="stored_apart")
    def post(self, call: Call, *, connection_id: UUID) -> TestShape:
        """Ask the other system, without changing anything there, whether it takes these values."""
        row = _manageable(call, connection_id)
        outcome = trials.try_out(row)
        services.note_test(row=row, ok=outcome.ok, detail=outcome.message, now=call.now)
        asked = None if outcome.confirm is None else ConfirmShape(field=outcome.confirm[0], value=outcome.confirm[1])
        return TestShape(ok=outcome.ok, message=outcome.message, confirm=asked)


class GoOn(ApiView):
    @operation(Action.CONNECTION_MANAGE, answer=ConnectionShape, repeat="stored_apart")
    def post(self, call: Call, *, connection_id: UUID) -> ConnectionShape:
        """Go on before the pause is over that the other system has asked for. Without one nothing happens."""
        row = _manageable(call, connection_id)
        runtime_api.end_pause(workspace_id=call.workspace.id, connection_id=row.id)
        return _found_shape(row, call)


def _limit(row: Connection, budget: BudgetBody | None) -> None:
    limits = None if budget is None else BudgetLimits(budget.calls, budget.per, budget.at_once)
    runtime_api.set_budget(workspace_id=row.workspace_id, connection_id=row.id, name=row.name, limits=limits)


def _find(call: Call, connection_id: UUID) -> Connection:
    row = services.find(workspace_id=call.workspace.id, connection_id=connection_id)
    if row is None:
        raise not_here("connection")
    return row


def _manageable(call: Call, connection_id: UUID) -> Connection:
    row = _find(call, connection_id)
    if not services.may_manage(row=row, user=call.person, role=call.role):
        raise Refusal(403, "forbidden", "This connection belongs to somebody else. Ask them or an admin.")
    return row


def _found_shape(row: Connection, call: Call) -> ConnectionShape:
    uses = selectors.connection_uses(workspace_id=call.workspace.id)
    budgets = runtime_api.budgets(workspace_id=call.workspace.id)
    return _shape(row, call, uses.get(row.id, 0), budgets.get(row.id))


def _shape(row: Connection, call: Call, used_by: int, budget: BudgetView | None) -> ConnectionShape:
    status = "untested" if row.test_ok is None else "working" if row.test_ok else "broken"
    marks = row.shown.get("set", {})
    return ConnectionShape(
        id=row.id,
        kind=row.kind,
        name=row.name,
        status=status,
        status_detail=row.test_detail or None,
        used_by=used_by,
        owner=row.owner.name if row.owner is not None else None,
        tested_at=maybe(row.tested_at),
        public=dict(row.shown.get("open", {})),
        secrets_set=sorted(marks),
        last_four={name: mark for name, mark in marks.items() if mark},
        mine=services.may_manage(row=row, user=call.person, role=call.role),
        budget=None if budget is None else _budget(budget),
        created_at=stamp(row.created_at),
        updated_at=stamp(row.updated_at),
    )


def _budget(view: BudgetView) -> BudgetShape:
    return BudgetShape(
        calls=view.limits.calls,
        per=view.limits.period,
        at_once=view.limits.at_once,
        used=view.used,
        under_way=view.under_way,
        waiting=view.waiting,
        paused_until=maybe(view.paused_until),
        paused_status=view.paused_status,
    )


def _refused(error: services.ConnectionRefused) -> Refusal:
    return Refusal(422, "connection_refused", "Some values need another look.", fields=error.fields)
