"""Workflows: list, make, rename, switch, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from builder.accounts.rights import Action
from builder.accounts.times import maybe, stamp
from builder.api import cursors
from builder.api.cursors import PageQuery
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.problems import Refusal, invalid, not_here
from builder.api.shapes import Paged
from builder.practice import example
from builder.workflows import editing, recent, selectors, services, shapes
from builder.workflows.models import Draft, Workflow
from runtime.contracts import HoldView

Title = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
Description = Annotated[str, Field(max_length=2000)]


class LiveView(View):
    """The version that runs."""

    version: int
    published_at: str
    by: str | None


class DraftState(View):
    """Where the draft stands, and whether it differs from what runs."""

    revision: int
    updated_at: str
    updated_by: str | None
    changed: bool


class LastRun(View):
    """The newest run."""

    id: UUID
    status: str
    outcome: str | None
    #: How many items of its containers did not end well; 100 for so many or more.
    failed_items: int
    #: How many runs of other workflows failed that it did not wait for.
    failed_calls: int
    #: It was to be undone, and something is still done.
    undo_incomplete: bool
    at: str


class Day(View):
    """Runs accepted within the last 24 hours, `all` of them; of those that failed, `undone` were undone and are not
    among `failed`."""

    all: int
    done: int
    failed: int
    undone: int
    waiting: int
    running: int


class HoldShape(View):
    """A workflow that is paused and still accepts.

    `mode`: held · trying (one run was let go, to see how it ends; then `trial` is done or failed) · draining. `cause`:
    person · failures, which `failures` of `runs` (0: in a row) and `last_failure` tell of. `waiting`: runs held.
    """

    mode: str
    since: str
    by: str | None
    cause: str
    reason: str
    failures: int
    runs: int
    last_failure: str
    last_failed_run: UUID | None
    open_runs: str
    trial: str | None
    trial_run: UUID | None
    per_minute: int | None
    at_once: int | None
    drained_by: str | None
    drained_since: str | None
    let_go: int
    waiting: int
    under_way: int
    paused_run: UUID | None


class BreakerShape(View):
    """When a workflow is paused because it keeps failing; 0 is never."""

    failures: int
    percent: int
    minutes: int


class WorkflowShape(View):
    """A workflow as the list shows it. `hold`: it is paused and still accepts."""

    id: UUID
    name: str
    description: str
    sentence: str
    live: LiveView | None
    enabled: bool
    hold: HoldShape | None
    breaker: BreakerShape | None
    draft: DraftState
    last_run: LastRun | None
    stats_24h: Day
    problems_count: int
    owner: str | None
    created_at: str


class WorkflowsQuery(PageQuery):
    """Search words, how the workflow stands, and what starts it: `called` are those that other workflows can run."""

    q: Annotated[str, Field(max_length=200)] = ""
    status: Literal["live", "disabled", "draft", "problems", "paused"] | None = None
    start: Literal["called"] | None = None


class NewWorkflow(Body):
    """A name; and a graph, or the name of an example to begin with."""

    name: Title
    description: Description = ""
    graph: dict[str, Any] | None = None
    from_example: Annotated[str, Field(max_length=80)] | None = None


class WorkflowChanges(Body):
    """What to change."""

    name: Title | None = None
    description: Description | None = None


class Workflows(ApiView):
    @operation(Action.WORKFLOW_SEE, query=WorkflowsQuery, answer=Paged[WorkflowShape])
    def get(self, call: Call, *, query: WorkflowsQuery) -> Paged[WorkflowShape]:
        """The workflows, newest first."""
        page = selectors.listing(
            workspace_id=call.workspace.id,
            text=query.q.strip(),
            standing=query.status,
            started_by="trigger.called" if query.start == "called" else None,
            after=cursors.to_id(query.cursor),
            limit=query.limit,
            now=call.now,
        )
        return Paged[WorkflowShape](
            items=[shape(item) for item in page.items], next_cursor=cursors.of_id(page.next_after)
        )

    @operation(
        Action.WORKFLOW_EDIT,
        body=NewWorkflow,
        answer=WorkflowShape,
        status=201,
        repeat="stored_apart",
        does="workflow.created",
    )
    def post(self, call: Call, *, body: NewWorkflow) -> WorkflowShape:
        """Make a workflow: blank, from a graph, or from an example."""
        graph = body.graph
        if body.from_example is not None:
            if graph is not None:
                raise invalid({"from_example": ["Send a graph or the name of an example, not both."]})
            chosen = example.find(body.from_example)
            if chosen is None:
                raise invalid({"from_example": ["There is no such example."]})
            with call.deed.also("connection.created") as deed, deed.together():
                connection, made = example.mail_connection(workspace=call.workspace, by=call.person)
                deed.about(connection.id)
                if not made:
                    deed.nothing()
            graph = chosen.graph(str(connection.id))
        try:
            with call.deed.together():
                row = services.create_workflow(
                    workspace=call.workspace,
                    by=call.person,
                    name=body.name,
                    description=body.description,
                    graph=graph,
                    now=call.now,
                )
                call.deed.about(row.id, row.name)
        except services.GraphRefused as error:
            raise graph_refused(error) from error
        note_touch(call, row, "edited")
        return shape_of(row, call)


class OneWorkflow(ApiView):
    @operation(Action.WORKFLOW_SEE, answer=WorkflowShape)
    def get(self, call: Call, *, workflow_id: UUID) -> WorkflowShape:
        """One workflow."""
        return shape_of(find(call, workflow_id), call)

    @operation(
        Action.WORKFLOW_EDIT, body=WorkflowChanges, answer=WorkflowShape, repeat="stored", does="workflow.renamed"
    )
    def patch(self, call: Call, *, workflow_id: UUID, body: WorkflowChanges) -> WorkflowShape:
        """Rename or describe."""
        row = services.change(workflow=find(call, workflow_id), name=body.name, description=body.description)
        return shape_of(row, call)

    @operation(Action.WORKFLOW_EDIT, also=(409,), repeat="stored_apart", does="workflow.deleted")
    def delete(self, call: Call, *, workflow_id: UUID) -> None:
        """Delete the workflow and disarm its starts. Its runs stay readable. 409 while events wait to be let go."""
        workflow = find(call, workflow_id)
        editing.close(workflow=workflow)
        services.delete(workflow=workflow, now=call.now)


class Enable(ApiView):
    @operation(
        Action.WORKFLOW_PUBLISH, answer=WorkflowShape, also=(409,), repeat="stored_apart", does="workflow.enabled"
    )
    def post(self, call: Call, *, workflow_id: UUID) -> WorkflowShape:
        """Let starts through again."""
        return _switched(call, workflow_id, on=True)


class Disable(ApiView):
    @operation(
        Action.WORKFLOW_PUBLISH, answer=WorkflowShape, also=(409,), repeat="stored_apart", does="workflow.disabled"
    )
    def post(self, call: Call, *, workflow_id: UUID) -> WorkflowShape:
        """Turn new starts away; runs in progress finish."""
        return _switched(call, workflow_id, on=False)


def _switched(call: Call, workflow_id: UUID, *, on: bool) -> WorkflowShape:
    row = find(call, workflow_id)
    item = selectors.listed(row=row, now=call.now)
    if item.deployment is None or item.deployment.version is None:
        raise Refusal(409, "not_published", "Publish the workflow first: there is nothing to switch.")
    services.switch(workflow=row, on=on)
    return shape_of(row, call)


def find(call: Call, workflow_id: UUID) -> Workflow:
    """The workflow of this workspace, or 404."""
    try:
        return selectors.workflow(workspace_id=call.workspace.id, workflow_id=workflow_id)
    except services.WorkflowMissing as error:
        raise not_here("workflow") from error


def note_touch(call: Call, workflow: Workflow, did: recent.Did) -> None:
    """Keep that the person did this, for their first page. What a program does in their name is not their work."""
    if call.token is None:
        recent.note(workflow=workflow, person=call.person, did=did, now=call.now)


def graph_refused(error: services.GraphRefused) -> Refusal:
    """A document that cannot be kept."""
    return Refusal(422, "graph_refused", "This workflow cannot be kept like this.", fields=error.fields)


def stale(error: services.DraftIsStale) -> Refusal:
    """Somebody saved in between: who, when, and where the draft stands now."""
    facts = {
        "current_revision": error.draft.revision,
        "updated_by": person_name(error.draft),
        "updated_at": stamp(error.draft.updated_at),
    }
    return Refusal(409, "draft_is_stale", "Somebody saved this draft in the meantime.", params=facts, more=facts)


def person_name(draft: Draft) -> str | None:
    """Who saved the draft last."""
    return draft.updated_by.name if draft.updated_by is not None else None


def shape_of(row: Workflow, call: Call) -> WorkflowShape:
    """One workflow, joined with what the runtime says."""
    return shape(selectors.listed(row=row, now=call.now))


def shape(item: selectors.Listed) -> WorkflowShape:
    """One workflow as the list shows it."""
    row, deployment, statistics = item.workflow, item.deployment, item.statistics
    version = deployment.version if deployment is not None else None
    last = statistics.last_run
    names = item.names
    return WorkflowShape(
        id=row.id,
        name=row.name,
        description=row.description,
        sentence=row.sentence,
        live=None
        if version is None
        else LiveView(
            version=version.number,
            published_at=stamp(version.created_at),
            by=names.get(version.created_by) if version.created_by else None,
        ),
        enabled=deployment.enabled if deployment is not None and version is not None else False,
        hold=None if deployment is None or deployment.hold is None else _hold(deployment.hold, names),
        breaker=None
        if deployment is None or deployment.breaker is None
        else BreakerShape(
            failures=deployment.breaker.failures,
            percent=deployment.breaker.percent,
            minutes=deployment.breaker.minutes,
        ),
        draft=DraftState(
            revision=row.draft.revision,
            updated_at=stamp(row.draft.updated_at),
            updated_by=person_name(row.draft),
            changed=row.draft.graph_sha256 != row.draft.published_sha256,
        ),
        last_run=None
        if last is None
        else LastRun(
            id=last.id,
            status=str(last.status),
            outcome=last.outcome,
            failed_items=last.failed_items,
            failed_calls=last.failed_calls,
            undo_incomplete=(last.error or {}).get("code") == "undo_incomplete",
            at=stamp(last.accepted_at),
        ),
        stats_24h=Day(
            all=statistics.all,
            done=statistics.done,
            failed=statistics.failed,
            undone=statistics.undone,
            waiting=statistics.waiting,
            running=statistics.running,
        ),
        problems_count=row.problems_count,
        owner=row.owner.name if row.owner is not None else None,
        created_at=stamp(row.created_at),
    )


def _hold(view: HoldView, names: Mapping[UUID, str]) -> HoldShape:
    facts = view.facts
    return HoldShape(
        mode=view.mode,
        since=stamp(view.since),
        by=shapes.who(view.by, names),
        cause=view.cause,
        reason=view.reason,
        failures=int(facts.get("failures", 0)),
        runs=int(facts.get("runs", 0)),
        last_failure=str(facts.get("title", "")),
        last_failed_run=UUID(facts["run"]) if "run" in facts else None,
        open_runs=view.open_runs,
        trial=view.trial,
        trial_run=view.trial_run_id,
        per_minute=view.per_minute,
        at_once=view.at_once,
        drained_by=shapes.who(view.drained_by, names),
        drained_since=maybe(view.drained_from),
        let_go=view.let_go,
        waiting=view.waiting,
        under_way=view.under_way,
        paused_run=view.paused_run_id,
    )
