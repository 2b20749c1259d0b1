"""Runs that failed for good, by what they failed of; and what people decide about them."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field

from builder.accounts.rights import Action
from builder.accounts.selectors import names_of
from builder.accounts.times import stamp
from builder.api.letter_groups import NOTHING_SAID, GroupSaidView, said_shapes
from builder.api.operation import ApiView, Body, Call, Query, View, operation
from builder.api.sendings import LettersQuery, LettersWithView, with_shapes
from builder.api.shapes import Paged
from builder.connections import services as connections
from builder.connections.models import Connection
from builder.workflows import selectors
from builder.workflows.shapes import RunShape, StepName, WorkflowName, person_in
from builder.workflows.suggestions import suggested
from runtime import api as runtime_api
from runtime.contracts import DeadLetterGroup

#: Failures by which another system says that it does not take a connection's credentials.
_REFUSED: Final = frozenset({"http_401", "http_403", "http_407", "smtp_auth", "sftp_auth"})


class GroupsQuery(Query):
    """Of one workflow only, or of all; `sent`: only those that were sent to somebody with that one."""

    workflow: UUID | None = None
    sent: UUID | None = None


class AmountView(View):
    """A sum of money, as a decimal number."""

    currency: str
    amount: str


class RepairedView(View):
    """The connection by which these failed was repaired since, or a test of it went well: `count` of them failed before
    that."""

    connection: UUID
    name: str
    at: str
    count: int


class ConnectionName(View):
    """A connection in passing."""

    id: UUID
    name: str


class SuggestedView(View):
    """What usually helps. `action`: undo · look · mend_connection · replay · replay_slowly · edit · settle ·
    mend_workflow; `connection`: the one to mend, where it is known."""

    action: str
    connection: ConnectionName | None


class GroupView(View):
    """Runs that failed alike. `days`: how many came in each 24 hours of the last seven days; `affects`: what these runs
    are worth, where their workflow says so. `pattern`: their message, with … for what differs. `workflow_held`: their
    workflow is paused, still accepting, which holds what starts and not what somebody has go on. `are_items`: they are
    items of batches. `said`: what people have said about them; `suggested`: what usually helps. `sent`: with whom some
    of them are, most of them first."""

    cause: str
    workflow: WorkflowName
    step: StepName
    code: str
    title: str
    pattern: str
    count: int
    first_at: str
    last_at: str
    workflow_held: bool
    are_items: bool
    days: list[int]
    affects: list[AmountView]
    repaired: RepairedView | None
    said: GroupSaidView
    suggested: SuggestedView
    sent: list[LettersWithView]


class LastSolvedView(View):
    """When the last one was solved; `by`: a person's name, null where no person did."""

    at: str
    by: str | None


class GroupsView(View):
    """All groups, the newest first, and how many runs there are in all of them."""

    items: list[GroupView]
    count: int
    #: Where none waits for a decision at all: which was solved last.
    last_solved: LastSolvedView | None


class LetterView(View):
    """One run of a group, with its own message. `sent`: with whom it is."""

    run: RunShape
    message: str
    at: str
    sent: LettersWithView | None


class RetryEachBody(Body):
    """Runs to go on with, each from its failed step."""

    runs: Annotated[list[UUID], Field(max_length=100)]


class OutcomeView(View):
    """`outcome`: retried · asks (its plan needs somebody's word) · refused; `message` says why."""

    run: UUID
    outcome: str
    message: str


class OutcomesView(View):
    """What came of each."""

    items: list[OutcomeView]


class SolveBody(Body):
    """Runs of which nothing more is to be done, and why."""

    runs: Annotated[list[UUID], Field(max_length=500)]
    reason: Annotated[str, Field(min_length=1, max_length=400)]


class SolvedView(View):
    """Of how many runs that was not said before."""

    count: int


class Groups(ApiView):
    @operation(Action.RUN_SEE, query=GroupsQuery, answer=GroupsView)
    def get(self, call: Call, *, query: GroupsQuery) -> GroupsView:
        """What failed for good and waits for a decision, by cause."""
        workspace_id = call.workspace.id
        found = runtime_api.dead_letter_groups(
            workspace_id=workspace_id, workflow_id=query.workflow, sending_id=query.sent
        )
        names = selectors.names(workspace_id=workspace_id, workflow_ids={group.workflow_id for group in found})
        figures = runtime_api.letter_figures(workspace_id=workspace_id, sending_id=query.sent) if found else {}
        said = said_shapes(runtime_api.letter_groups_said(workspace_id=workspace_id)) if found else {}
        having = with_shapes(call, runtime_api.letters_with(workspace_id=workspace_id)) if found else {}
        items = []
        for group in found:
            told = figures.get(group.cause)
            repaired = _repaired(workspace_id, group, query.sent)
            steps = selectors.step_names(workspace_id=workspace_id, version_id=group.version_id)
            items.append(
                GroupView(
                    cause=group.cause,
                    workflow=WorkflowName(id=group.workflow_id, name=names.get(group.workflow_id, "")),
                    step=StepName(node=group.node, name=steps.get(group.node, group.node)),
                    code=group.code,
                    title=group.title,
                    pattern=group.pattern,
                    count=group.count,
                    first_at=stamp(group.first_at),
                    last_at=stamp(group.last_at),
                    workflow_held=group.workflow_held,
                    are_items=group.are_items,
                    days=[0] * 7 if told is None else list(told.days),
                    affects=[
                        AmountView(currency=currency, amount=runtime_api.amount_text(number))
                        for currency, number in sorted(() if told is None else told.worth.items())
                    ],
                    repaired=repaired,
                    said=said.get(group.cause) or NOTHING_SAID,
                    suggested=_suggested(workspace_id, group, repaired),
                    sent=having.get(group.cause, []),
                )
            )
        count = runtime_api.dead_letter_count(workspace_id=workspace_id)
        return GroupsView(items=items, count=count, last_solved=None if count else _last_solved(workspace_id))


def _last_solved(workspace_id: UUID) -> LastSolvedView | None:
    found = runtime_api.last_solved(workspace_id=workspace_id)
    if found is None:
        return None
    at, who = found
    person = person_in(who)
    return LastSolvedView(at=stamp(at), by=None if person is None else names_of({person}).get(person))


def _repaired(workspace_id: UUID, group: DeadLetterGroup, sent: UUID | None) -> RepairedView | None:
    """Whether what these failed of, that their connection was refused, is over."""
    if group.code not in _REFUSED:
        return None
    row = _connection(workspace_id, group)
    if row is None:
        return None
    state = runtime_api.connection_states(workspace_id=workspace_id).get(row.id)
    if state is not None and state.broken_at is not None:
        return None
    tested = int(row.tested_at.timestamp() * 1000) if row.test_ok and row.tested_at is not None else 0
    at = max(tested, 0 if state is None else state.repaired_at or 0)
    count = 0
    if at:
        count = runtime_api.letters_before(workspace_id=workspace_id, cause=group.cause, moment=at, sending_id=sent)
    return RepairedView(connection=row.id, name=row.name, at=stamp(at), count=count) if count else None


def _connection(workspace_id: UUID, group: DeadLetterGroup) -> Connection | None:
    """The connection of the step that these failed at, in the version of the newest of them."""
    graph = runtime_api.version_graph(workspace_id=workspace_id, version_id=group.version_id)
    config: dict[str, Any] = next((one["config"] for one in graph["nodes"] if one["id"] == group.node), {})
    return connections.named(workspace_id=workspace_id, text=config.get("connection"))


def _suggested(workspace_id: UUID, group: DeadLetterGroup, repaired: RepairedView | None) -> SuggestedView:
    action = suggested(group.code, repaired=repaired is not None)
    row = _connection(workspace_id, group) if action == "mend_connection" else None
    return SuggestedView(action=action, connection=None if row is None else ConnectionName(id=row.id, name=row.name))


class OneGroup(ApiView):
    @operation(Action.RUN_SEE, query=LettersQuery, answer=Paged[LetterView])
    def get(self, call: Call, *, cause: str, query: LettersQuery) -> Paged[LetterView]:
        """The runs of one group, the newest first."""
        workspace_id = call.workspace.id
        page = runtime_api.dead_letters(
            workspace_id=workspace_id, cause=cause, sending_id=query.sent, after=query.cursor, limit=query.limit
        )
        shaped = selectors.shaped(workspace_id=workspace_id, views=[one.run for one in page.items])
        found = runtime_api.runs_with(workspace_id=workspace_id, run_ids=[one.run.id for one in page.items])
        having = defaultdict(list, with_shapes(call, {run_id: [one] for run_id, one in found.items()}))
        return Paged[LetterView](
            items=[
                LetterView(
                    run=run, message=one.message, at=stamp(one.at), sent=next(iter(having.get(one.run.id, ())), None)
                )
                for run, one in zip(shaped, page.items, strict=True)
            ],
            next_cursor=page.next_cursor,
        )


class RetryEach(ApiView):
    @operation(
        Action.RUN_RETRY,
        body=RetryEachBody,
        answer=OutcomesView,
        also=(409,),
        repeat="stored_apart",
        does="dead_letter.retried",
    )
    def post(self, call: Call, *, body: RetryEachBody) -> OutcomesView:
        """Go on with each of these runs that needs nobody's word; the others are named."""
        found = runtime_api.retry_each(workspace_id=call.workspace.id, run_ids=body.runs, by=call.person.id)
        return OutcomesView(
            items=[OutcomeView(run=one.run_id, outcome=one.outcome, message=one.message) for one in found]
        )


class Solve(ApiView):
    @operation(
        Action.RUN_RETRY,
        body=SolveBody,
        answer=SolvedView,
        also=(409,),
        repeat="stored_apart",
        does="dead_letters.solved",
    )
    def post(self, call: Call, *, body: SolveBody) -> SolvedView:
        """Say that these were put right outside of Millrace."""
        return _solved(call, body, "elsewhere")


class Discard(ApiView):
    @operation(
        Action.RUN_DISCARD,
        body=SolveBody,
        answer=SolvedView,
        also=(409,),
        repeat="stored_apart",
        does="dead_letters.discarded",
    )
    def post(self, call: Call, *, body: SolveBody) -> SolvedView:
        """Give these up. They stay on record, with the reason."""
        return _solved(call, body, "discarded")


def _solved(call: Call, body: SolveBody, solution: Literal["elsewhere", "discarded"]) -> SolvedView:
    return SolvedView(
        count=runtime_api.solve_dead_letters(
            workspace_id=call.workspace.id, run_ids=body.runs, solution=solution, reason=body.reason, by=call.person.id
        )
    )
