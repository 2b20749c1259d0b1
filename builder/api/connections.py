"""Connections: make, change, remove, try. What is secret is written and never read."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field

from builder.accounts.rights import Action
from builder.accounts.times import maybe, stamp
from builder.api import cursors
from builder.api.cursors import PageQuery
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.problems import Refusal, not_here
from builder.api.shapes import Paged
from builder.api.workflows import find
from builder.connections import kinds, rotation, services, trials
from builder.connections.models import Connection
from builder.workflows import replacing, selectors
from builder.workflows.services import DraftIsStale
from runtime import api as runtime_api
from runtime.contracts.budgets import (
    MOST_AT_ONCE,
    MOST_CALLS,
    BudgetLimits,
    BudgetView,
    ConnectionState,
    Period,
)
from runtime.ports import ConnectionMissing

Name = Annotated[str, Field(min_length=1, max_length=120, pattern=r"\S")]
FIELDS_MOST: Final = 60
Environment = Literal["", "test", "production"]
IfBroken = Literal["fail", "wait"]


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
    environment: Environment = ""
    expires_on: date | None = None
    if_broken: IfBroken | None = None


class ConnectionChanges(Body):
    """A new name, or new values. A field left out keeps its value; null takes it away. So does the budget."""

    name: Name | None = None
    fields: Annotated[dict[str, Any], Field(max_length=FIELDS_MOST)] | None = None
    budget: BudgetBody | None = None
    environment: Environment | None = None
    expires_on: date | None = None
    if_broken: IfBroken | None = None


class Replacement(Body):
    """The connection that comes in place of this one, of the same kind."""

    other: UUID


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


class BrokenShape(View):
    """Since when the other system takes the credentials no more, what it said, and how many steps wait for that."""

    since: str
    reason: str
    waiting: int


class PreviousShape(View):
    """The secret before, which is accepted too: until when (null: until somebody ends it), and when each of both last
    let somebody in since the change, to within some seconds."""

    until: str | None
    last_used_at: str | None
    present_used_at: str | None


class ConnectionShape(View):
    """A connection without its secrets. `secrets_set` names those that have a value, `last_four` their ends.
    `if_broken`: whether what calls by it then fails or waits; `broken`: that it waits now. `last_used_at`: to within
    five minutes. `lets_in`: others come in by its secret, and none goes out; `previous`: the secret before is accepted
    too."""

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
    environment: str
    expires_on: str | None
    last_used_at: str | None
    if_broken: IfBroken
    broken: BrokenShape | None
    repaired_at: str | None
    lets_in: bool
    rotated_at: str | None
    previous: PreviousShape | None
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


class UseShape(View):
    """A workflow whose draft or live version names the connection, and the steps that do."""

    workflow_id: UUID
    name: str
    steps: list[str]
    draft: bool
    live: bool


class UsesShape(View):
    """All of them."""

    items: list[UseShape]


class ReplacedShape(View):
    """How many steps of how many drafts name the other connection now; they run so once they are published."""

    workflows: int
    steps: int


class BrokenConnectionShape(BrokenShape):
    """A broken connection for which steps of this workflow wait."""

    id: UUID
    name: str


class BrokenConnectionsShape(View):
    """All of them."""

    items: list[BrokenConnectionShape]


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
        states = runtime_api.connection_states(workspace_id=call.workspace.id) if rows else {}
        return Paged[ConnectionShape](
            items=[_shape(row, call, uses.get(row.id, 0), budgets.get(row.id), states.get(row.id)) for row in rows],
            next_cursor=next_cursor,
        )

    @operation(
        Action.CONNECTION_CREATE,
        body=NewConnection,
        answer=ConnectionShape,
        status=201,
        repeat="stored_apart",
        does="connection.created",
    )
    def post(self, call: Call, *, body: NewConnection) -> ConnectionShape:
        """Make a connection. Its secrets are sealed before they are stored."""
        try:
            with call.deed.together():
                row = services.create(
                    workspace=call.workspace,
                    by=call.person,
                    kind=body.kind,
                    name=body.name,
                    fields=body.fields,
                    now=call.now,
                )
                services.describe(row=row, environment=body.environment, expires_on=body.expires_on, now=call.now)
                call.deed.about(row.id)
        except services.ConnectionRefused as error:
            raise refused(error) from error
        if body.budget is not None:
            _put_limit(call, row, body.budget)
        _choose_pause(call, row, body.if_broken)
        return found_shape(row, call)


class OneConnection(ApiView):
    @operation(Action.CONNECTION_USE, answer=ConnectionShape)
    def get(self, call: Call, *, connection_id: UUID) -> ConnectionShape:
        """One connection."""
        return found_shape(_find(call, connection_id), call)

    @operation(
        Action.CONNECTION_MANAGE,
        body=ConnectionChanges,
        answer=ConnectionShape,
        repeat="stored_apart",
        does="connection.changed",
    )
    def patch(self, call: Call, *, connection_id: UUID, body: ConnectionChanges) -> ConnectionShape:
        """Rename it or give it new values."""
        row = manageable(call, connection_id)
        try:
            with call.deed.together():
                entered = [name for name in services.secrets_of(row) if (body.fields or {}).get(name) is not None]
                row = services.locked(row)
                row = services.change(row=row, name=body.name, fields=body.fields, now=call.now)
                if not {"environment", "expires_on"}.isdisjoint(body.model_fields_set):
                    until = body.expires_on if "expires_on" in body.model_fields_set else ...
                    services.describe(row=row, environment=body.environment, expires_on=until, now=call.now)
                call.deed.note(secrets_entered=entered)
        except services.ConnectionRefused as error:
            raise refused(error) from error
        except ConnectionMissing as error:
            raise Refusal(409, "connection_sealed", "This connection cannot be opened.", detail=str(error)) from error
        if "budget" in body.model_fields_set:
            _put_limit(call, row, body.budget)
        elif body.name is not None:
            runtime_api.name_budget(connection_id=row.id, name=row.name)
        _choose_pause(call, row, body.if_broken)
        return found_shape(row, call)

    @operation(Action.CONNECTION_MANAGE, repeat="stored_apart", does="connection.removed")
    def delete(self, call: Call, *, connection_id: UUID) -> None:
        """Remove it. Steps that name it fail from now on, and say why."""
        row = manageable(call, connection_id)
        state = runtime_api.connection_states(workspace_id=call.workspace.id).get(row.id)
        if state is not None and state.broken_at is not None:
            call.deed.note(broken_since=stamp(state.broken_at))
        with call.deed.together():
            services.delete(row=row)
        # Whoever waits for it fails now, and says why. The row itself no longer says which one it was.
        runtime_api.set_budget(workspace_id=call.workspace.id, connection_id=connection_id, name=row.name, limits=None)
        runtime_api.forget_connection(connection_id=connection_id)


class TestConnection(ApiView):
    @operation(Action.CONNECTION_MANAGE, answer=TestShape, repeat="stored_apart", does="connection.tested")
    def post(self, call: Call, *, connection_id: UUID) -> TestShape:
        """Ask the other system, without changing anything there, whether it takes these values."""
        row = manageable(call, connection_id)
        outcome = trials.try_out(row)
        with call.deed.together():
            services.note_test(row=row, ok=outcome.ok, detail=outcome.message, now=call.now)
            call.deed.note(ok=outcome.ok)
        if outcome.ok:
            repaired(call, row)
        asked = None if outcome.confirm is None else ConfirmShape(field=outcome.confirm[0], value=outcome.confirm[1])
        return TestShape(ok=outcome.ok, message=outcome.message, confirm=asked)


class GoOn(ApiView):
    @operation(Action.CONNECTION_MANAGE, answer=ConnectionShape, repeat="stored_apart", does="connection.resumed")
    def post(self, call: Call, *, connection_id: UUID) -> ConnectionShape:
        """Go on before the pause is over that the other system has asked for, or with a connection that is repaired;
        otherwise nothing happens."""
        row = manageable(call, connection_id)
        runtime_api.end_pause(workspace_id=call.workspace.id, connection_id=row.id)
        repaired(call, row)
        return found_shape(row, call)


class ConnectionUses(ApiView):
    @operation(Action.CONNECTION_USE, answer=UsesShape)
    def get(self, call: Call, *, connection_id: UUID) -> UsesShape:
        """The workflows that name this connection, in their draft or in what is live, and by which steps."""
        row = _find(call, connection_id)
        found = selectors.file_uses(workspace_id=call.workspace.id, file_id=row.id)
        return UsesShape(
            items=[
                UseShape(
                    workflow_id=one.workflow_id, name=one.name, steps=list(one.steps), draft=one.draft, live=one.live
                )
                for one in found
            ]
        )


class ReplaceConnection(ApiView):
    @operation(
        Action.CONNECTION_MANAGE,
        body=Replacement,
        answer=ReplacedShape,
        also=(409,),
        repeat="stored_apart",
        does="connection.replaced",
    )
    def post(self, call: Call, *, connection_id: UUID, body: Replacement) -> ReplacedShape:
        """Have all steps of all drafts that name this connection name the other one. What is live goes on with this
        one until it is published."""
        row, other = manageable(call, connection_id), _find(call, body.other)
        if other.kind != row.kind or other.id == row.id:
            raise Refusal(409, "other_kind", "Choose another connection of the same kind.")
        try:
            with call.deed.together():
                found = replacing.replace_connection(
                    workspace_id=call.workspace.id, old=row.id, new=other.id, by=call.person, now=call.now
                )
                call.deed.note(replaced_by=other.name, workflows=len(found), steps=sum(found.values()))
                if not found:
                    call.deed.nothing()
        except DraftIsStale as error:
            raise Refusal(409, "draft_stale", "Somebody is saving one of the drafts. Try again.") from error
        return ReplacedShape(workflows=len(found), steps=sum(found.values()))


class BrokenConnections(ApiView):
    @operation(Action.WORKFLOW_SEE, answer=BrokenConnectionsShape)
    def get(self, call: Call, *, workflow_id: UUID) -> BrokenConnectionsShape:
        """The broken connections for which steps of this workflow wait."""
        workflow = find(call, workflow_id)
        found = runtime_api.broken_for(workspace_id=call.workspace.id, workflow_id=workflow.id)
        return BrokenConnectionsShape(
            items=[
                BrokenConnectionShape(
                    id=one.connection_id, name=one.name, since=stamp(one.broken_at or 0),
                    reason=one.broken_reason or "", waiting=one.waiting,
                )
                for one in found
            ]
        )  # fmt: skip


def _choose_pause(call: Call, row: Connection, if_broken: IfBroken | None) -> None:
    if if_broken is None:
        return
    with call.deed.also("connection.pause_chosen", {"if_broken": if_broken}) as deed:
        deed.about(row.id, row.name)
        runtime_api.pause_if_broken(
            workspace_id=row.workspace_id, connection_id=row.id, name=row.name, pauses=if_broken == "wait"
        )


def repaired(call: Call, row: Connection) -> None:
    """What waits because it was broken goes on."""
    with call.deed.also("connection.repaired") as deed:
        deed.about(row.id, row.name)
        runtime_api.connection_repaired(workspace_id=row.workspace_id, connection_id=row.id)


def _put_limit(call: Call, row: Connection, budget: BudgetBody | None) -> None:
    with call.deed.also("connection.limited", {} if budget is None else budget.model_dump()) as deed:
        deed.about(row.id, row.name)
        _limit(row, budget)


def _limit(row: Connection, budget: BudgetBody | None) -> None:
    limits = None if budget is None else BudgetLimits(budget.calls, budget.per, budget.at_once)
    runtime_api.set_budget(workspace_id=row.workspace_id, connection_id=row.id, name=row.name, limits=limits)


def _find(call: Call, connection_id: UUID) -> Connection:
    row = services.find(workspace_id=call.workspace.id, connection_id=connection_id)
    if row is None:
        raise not_here("connection")
    return row


def manageable(call: Call, connection_id: UUID) -> Connection:
    """The connection, which the asker may change. Raises Refusal."""
    row = _find(call, connection_id)
    if not services.may_manage(row=row, user=call.person, role=call.role):
        raise Refusal(403, "forbidden", "This connection belongs to somebody else. Ask them or an admin.")
    return row


def found_shape(row: Connection, call: Call) -> ConnectionShape:
    """One connection as the API tells it."""
    uses = selectors.connection_uses(workspace_id=call.workspace.id)
    budgets = runtime_api.budgets(workspace_id=call.workspace.id)
    states = runtime_api.connection_states(workspace_id=call.workspace.id)
    return _shape(row, call, uses.get(row.id, 0), budgets.get(row.id), states.get(row.id))


def _shape(
    row: Connection, call: Call, used_by: int, budget: BudgetView | None, state: ConnectionState | None
) -> ConnectionShape:
    status = "untested" if row.test_ok is None else "working" if row.test_ok else "broken"
    broken = None
    if state is not None and state.broken_at is not None:
        status = "broken"
        broken = BrokenShape(since=stamp(state.broken_at), reason=state.broken_reason or "", waiting=state.waiting)
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
        environment=row.environment,
        expires_on=None if row.expires_on is None else row.expires_on.isoformat(),
        last_used_at=maybe(row.last_used_at),
        if_broken="wait" if state is not None and state.pauses else "fail",
        broken=broken,
        repaired_at=None if state is None else maybe(state.repaired_at),
        lets_in=kinds.takes_two(row.kind),
        rotated_at=maybe(row.rotated_at),
        previous=_previous(row, call),
        created_at=stamp(row.created_at),
        updated_at=stamp(row.updated_at),
    )


def _previous(row: Connection, call: Call) -> PreviousShape | None:
    if not rotation.has_previous(row, call.now):
        return None
    return PreviousShape(
        until=maybe(row.previous_until),
        last_used_at=maybe(row.previous_used_at),
        present_used_at=maybe(row.secret_used_at),
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


def refused(error: services.ConnectionRefused) -> Refusal:
    """Which values will not do."""
    return Refusal(422, "connection_refused", "Some values need another look.", fields=error.fields)
