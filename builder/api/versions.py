"""Publishing, versions, and the starts of the live version."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from django.conf import settings
from pydantic import Field

from builder.accounts.rights import Action
from builder.accounts.selectors import names_of
from builder.accounts.times import stamp
from builder.api import curl
from builder.api.cursors import PageQuery
from builder.api.drafts import SavedView, if_match, saved_answer
from builder.api.operation import Answer, ApiView, Body, Call, View, operation
from builder.api.problems import Refusal
from builder.api.shapes import Items, Paged
from builder.api.workflows import find, graph_refused, note_touch, stale
from builder.practice import example
from builder.workflows import editing, services, shapes
from builder.workflows.differences import differences
from builder.workflows.models import Workflow
from runtime import api as runtime_api
from runtime.contracts import EventFilters, GraphHasProblems, JSONRefused, TriggerView, VersionView, dumps, loads

#: A longer body makes no line for a terminal.
MOST_SAMPLE_BYTES: Final = 2_000


class Publish(Body):
    """Which revision to publish, and a note for those who come after."""

    revision: Annotated[int, Field(ge=1)]
    note: Annotated[str, Field(max_length=400)] = ""


class VersionShape(View):
    """A published version."""

    id: UUID
    number: int
    note: str
    created_at: str
    created_by: str | None
    live: bool


class WholeVersion(VersionShape):
    """A published version with its graph, and each step in words."""

    graph: dict[str, Any]
    summaries: dict[str, str]


class TriggerShape(View):
    """An armed start: where to post, or when it fires next, and a line to try it with."""

    id: UUID
    node: str
    key: str
    type: str
    enabled: bool
    url: str | None
    next: list[str]
    #: Of a schedule: in which zone its times are meant.
    time_zone: str | None
    #: What is posted to try it: of an example that came along what goes all the way, else what came last.
    sample: Any
    curl: str | None
    #: Of a button: its form, as its settings hold it: title, text, fields and button.
    form: dict[str, Any] | None


class PublishWorkflow(ApiView):
    @operation(
        Action.WORKFLOW_PUBLISH,
        body=Publish,
        answer=VersionShape,
        status=201,
        also=(409,),
        repeat="stored_apart",
        does="workflow.published",
    )
    def post(self, call: Call, *, workflow_id: UUID, body: Publish) -> VersionShape:
        """Make the draft what runs. Problems of severity error stop it, and are listed."""
        try:
            workflow = find(call, workflow_id)
            editing.close(workflow=workflow)
            version = services.publish(
                workflow=workflow,
                revision=body.revision,
                note=body.note,
                by=call.person,
            )
        except services.DraftIsStale as error:
            raise stale(error) from error
        except GraphHasProblems as error:
            raise has_problems(error) from error
        note_touch(call, workflow, "published")
        return VersionShape(**_version(version, {call.person.id: call.person.name}))


class Versions(ApiView):
    @operation(Action.WORKFLOW_SEE, query=PageQuery, answer=Paged[VersionShape])
    def get(self, call: Call, *, workflow_id: UUID, query: PageQuery) -> Paged[VersionShape]:
        """The published versions, newest first."""
        page = runtime_api.versions(
            workspace_id=call.workspace.id,
            workflow_id=find(call, workflow_id).id,
            after=query.cursor,
            limit=query.limit,
        )
        names = names_of({version.created_by for version in page.items if version.created_by is not None})
        return Paged[VersionShape](
            items=[VersionShape(**_version(version, names)) for version in page.items], next_cursor=page.next_cursor
        )


class OneVersion(ApiView):
    @operation(Action.WORKFLOW_SEE, answer=WholeVersion)
    def get(self, call: Call, *, workflow_id: UUID, number: int) -> WholeVersion:
        """One version with its graph."""
        workflow = find(call, workflow_id)
        version = runtime_api.version(workspace_id=call.workspace.id, workflow_id=workflow.id, number=number)
        graph = dict(runtime_api.version_graph(workspace_id=call.workspace.id, version_id=version.id))
        names = names_of({version.created_by} if version.created_by is not None else set())
        report = runtime_api.check(graph=graph)
        return WholeVersion(**_version(version, names), graph=graph, summaries=dict(report.summaries))


class Restore(ApiView):
    @operation(Action.WORKFLOW_EDIT, answer=SavedView, also=(409, 428), repeat="stored", does="workflow.restored")
    def post(self, call: Call, *, workflow_id: UUID, number: int) -> Answer:
        """Make the draft what this version was, if it still stands at the revision in If-Match."""
        try:
            workflow = find(call, workflow_id)
            editing.close(workflow=workflow)
            saved = services.restore(
                workflow=workflow,
                number=number,
                expected=if_match(call),
                by=call.person,
                now=call.now,
            )
            if saved.before is None:
                call.deed.nothing()
            else:
                note_touch(call, workflow, "edited")
                call.deed.note(
                    revision=saved.draft.revision,
                    sha256_before=saved.before.graph_sha256,
                    sha256_after=saved.draft.graph_sha256,
                    changes=differences(services.graph_of(saved.before), services.graph_of(saved.draft)),
                )
        except services.GraphRefused as error:
            raise graph_refused(error) from error
        except services.DraftIsStale as error:
            raise stale(error) from error
        return saved_answer(saved)


class Triggers(ApiView):
    @operation(Action.WORKFLOW_SEE, answer=Items[TriggerShape])
    def get(self, call: Call, *, workflow_id: UUID) -> Items[TriggerShape]:
        """The starts of the live version."""
        workflow = find(call, workflow_id)
        found = runtime_api.triggers(workspace_id=call.workspace.id, workflow_id=workflow.id)
        sample = _sample(workflow) if any(one.path is not None for one in found) else None
        return Items[TriggerShape](items=[trigger(one, sample) for one in found])


def has_problems(error: GraphHasProblems) -> Refusal:
    """The workflow cannot run as it is: all problems, warnings included."""
    found = [problem.model_dump() for problem in shapes.problems(error.problems)]
    return Refusal(
        422,
        "graph_has_problems",
        "The workflow has problems that must be mended first.",
        params={"count": sum(problem["severity"] == "error" for problem in found)},
        more={"problems": found},
    )


def trigger(view: TriggerView, sample: str | None) -> TriggerShape:
    """One start; `sample` is a body to try it with, as JSON."""
    url = None if view.path is None else f"{settings.PUBLIC_URL}/{view.path.lstrip('/')}"
    return TriggerShape(
        id=view.id,
        node=view.node_id,
        key=view.node_key,
        type=view.type,
        enabled=view.enabled,
        url=url,
        next=[stamp(fire) for fire in view.next_fires],
        time_zone=str(view.config.get("timezone") or "UTC") if view.type.startswith("trigger.schedule@") else None,
        sample=None if url is None or sample is None else loads(sample),
        curl=None if url is None else curl.line(url, view.config, sample),
        form={name: view.config.get(name) for name in ("title", "text", "fields", "button")}
        if view.type.startswith("trigger.manual@")
        else None,
    )


def _sample(workflow: Workflow) -> str | None:
    """What to post: the example's own, else what was posted last."""
    known = example.find(workflow.name)
    if known is not None:
        return dumps(known.sample)
    page = runtime_api.events(
        workspace_id=workflow.workspace_id,
        filters=EventFilters(workflow_id=workflow.id, verdict="accepted"),
        after=None,
        limit=5,
    )
    for event in page.items:
        if event.source == "webhook" and 0 < event.body_size <= MOST_SAMPLE_BYTES:
            body = runtime_api.event(workspace_id=workflow.workspace_id, event_id=event.id).body_text
            try:
                return dumps(loads(body or ""))
            except JSONRefused:
                continue
    return None


def _version(view: VersionView, names: dict[UUID, str]) -> dict[str, Any]:
    return {
        "id": view.id,
        "number": view.number,
        "note": view.note,
        "created_at": stamp(view.created_at),
        "created_by": names.get(view.created_by) if view.created_by is not None else None,
        "live": view.live,
    }
