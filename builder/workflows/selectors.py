"""Every read about workflows: the builder's rows joined with what the runtime says of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Literal
from uuid import UUID

from django.db.models import Q, QuerySet

from builder.accounts.directory import labels
from builder.accounts.models import User, Workspace
from builder.accounts.selectors import names_of
from builder.workflows import documents, shapes
from builder.workflows import recent as touched
from builder.workflows.models import Draft, Touch, Workflow
from builder.workflows.services import WorkflowMissing
from runtime import api as runtime_api
from runtime.contracts import DeploymentView, NotFound, RunView, WorkflowStatistics, dumps, loads

#: How many rows one page may look at before it gives up and hands over a cursor: bounds a filter that matches nothing.
MOST_LOOKED_AT: Final = 2000

Standing = Literal["live", "disabled", "draft", "problems", "paused"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A workflow with its draft and what the runtime knows of it."""

    workflow: Workflow
    deployment: DeploymentView | None
    statistics: WorkflowStatistics
    #: Names of the people whose ids stand in the deployment.
    names: dict[UUID, str]


@dataclass(frozen=True, slots=True)
class ListedPage:
    """One page of workflows, newest first, and the id to go on after."""

    items: list[Listed]
    next_after: UUID | None


def workflow(*, workspace_id: UUID, workflow_id: UUID) -> Workflow:
    """One workflow with its draft; raises WorkflowMissing."""
    row = _rows(workspace_id).filter(pk=workflow_id).first()
    if row is None:
        raise WorkflowMissing
    return row


def draft(*, workspace_id: UUID, workflow_id: UUID) -> Draft:
    """The draft with its workflow; raises WorkflowMissing."""
    return workflow(workspace_id=workspace_id, workflow_id=workflow_id).draft


def listed(*, row: Workflow, now: datetime) -> Listed:
    """One workflow as the list shows it."""
    return _join([row], now)[0]


def recent(*, workspace: Workspace, person: User, now: datetime) -> list[tuple[Listed, Touch]]:
    """The workflows that a person touched last, as the list shows them, each with what they did."""
    touches = touched.of(workspace=workspace, person=person)
    return list(zip(_join([one.workflow for one in touches], now), touches, strict=True))


def listing(
    *,
    workspace_id: UUID,
    text: str = "",
    standing: Standing | None = None,
    started_by: str | None = None,
    after: UUID | None,
    limit: int,
    now: datetime,
) -> ListedPage:
    """A page of workflows, newest first. `standing` is known to the runtime only, so it is filtered here.
    `started_by`: those whose live version has a start of this kind."""
    rows = _rows(workspace_id)
    if text:
        rows = rows.filter(_naming(text))
    if started_by is not None:
        rows = rows.filter(pk__in=runtime_api.workflows_started_by(workspace_id=workspace_id, trigger=started_by))
    if standing == "problems":
        rows = rows.filter(problems_count__gt=0)
    rows = rows.order_by("-pk")
    found: list[Workflow] = []
    looked_at = 0
    while looked_at < MOST_LOOKED_AT:
        batch = list((rows.filter(pk__lt=after) if after else rows)[: max(limit + 1, 100)])
        looked_at += len(batch)
        found += _standing(batch, standing) if standing in ("live", "disabled", "draft", "paused") else batch
        if len(found) > limit or not batch:
            break
        after = batch[-1].pk
    page = found[:limit]
    more = len(found) > limit or looked_at >= MOST_LOOKED_AT
    last = page[-1].pk if page else after
    return ListedPage(items=_join(page, now), next_after=last if more else None)


def names(*, workspace_id: UUID, workflow_ids: set[UUID]) -> dict[UUID, str]:
    """The names of these workflows, deleted ones included: their runs stay readable."""
    if not workflow_ids:
        return {}
    rows = Workflow.objects.filter(workspace_id=workspace_id, pk__in=workflow_ids)
    return dict(rows.values_list("id", "name"))


def called(*, workspace_id: UUID, text: str) -> list[tuple[UUID, str]]:
    """The workflows whose names hold this text, in small or capital letters; those that were deleted last."""
    wanted = text.casefold()
    rows = Workflow.objects.filter(workspace_id=workspace_id).order_by("name")
    found = [one for one in rows.values_list("id", "name", "deleted_at") if wanted in one[1].casefold()]
    return [(row[0], row[1]) for row in sorted(found, key=lambda one: one[2] is not None)]


def steps_called(*, workspace_id: UUID, workflow_id: UUID | None, text: str, exactly: bool = False) -> list[str]:
    """The ids of the steps that this may mean, of one workflow's live version or of all: by id, or a part of the name.
    `exactly`: the one with this id, or those with all of this name."""
    wanted = text.casefold()
    there = Workflow.objects.filter(workspace_id=workspace_id, deleted_at=None)
    ids = [workflow_id] if workflow_id is not None else list(there.values_list("id", flat=True))
    live = runtime_api.deployments(workspace_id=workspace_id, workflow_ids=ids)
    found: dict[str, None] = {}
    for deployment in live.values():
        if deployment.version is None:
            continue
        names = step_names(workspace_id=workspace_id, version_id=deployment.version.id)
        if exactly:
            # An id that somebody wrote by hand may be a word of other steps' names.
            one_of = [text] if text in names else [node for node, name in names.items() if wanted == name.casefold()]
        else:
            one_of = [node for node, name in names.items() if node == text or wanted in name.casefold()]
        found.update(dict.fromkeys(one_of))
    return list(found)


@lru_cache(maxsize=512)
def step_names(*, workspace_id: UUID, version_id: UUID) -> Mapping[str, str]:
    """The names of a version's steps by node id. Versions never change, so they are remembered."""
    try:
        graph = runtime_api.version_graph(workspace_id=workspace_id, version_id=version_id)
    except NotFound:
        return {}
    return {str(node.get("id")): str(node.get("name") or node.get("key") or "") for node in documents.nodes_of(graph)}


def shaped(*, workspace_id: UUID, views: Sequence[RunView]) -> list[shapes.RunShape]:
    """Runs with the names of their workflows and of their current steps."""
    found = names(workspace_id=workspace_id, workflow_ids={view.workflow_id for view in views})
    told = [view.waiting.get("by") for view in views if view.paused and view.waiting]
    told += [view.started_by for view in views]
    told += [view.cancelled.by for view in views if view.cancelled is not None]
    told += [view.solved.by for view in views if view.solved is not None]
    people = names_of({person for one in told if (person := shapes.person_in(one)) is not None})
    asked = {one for view in views if view.waiting for one in view.waiting.get("people", ())}
    called = labels(workspace_id=workspace_id, tokens=asked) if asked else {}
    return [
        shapes.run(
            view,
            workflow_name=found.get(view.workflow_id, ""),
            step_name=step_names(workspace_id=workspace_id, version_id=view.version_id).get(view.current_node)
            if view.current_node is not None
            else None,
            parent_step=step_names(workspace_id=workspace_id, version_id=view.parent.version_id).get(view.parent.node)
            if view.parent is not None
            else None,
            names=people,
            labels=called,
        )
        for view in views
    ]


def exists(*, workspace_id: UUID, workflow_id: UUID) -> bool:
    """Whether this workspace has, or had, this workflow."""
    return Workflow.objects.filter(workspace_id=workspace_id, pk=workflow_id).exists()


def connection_uses(*, workspace_id: UUID) -> dict[UUID, int]:
    """How many workflows' drafts name each connection."""
    counts: dict[UUID, int] = {}
    graphs = Draft.objects.filter(workflow__workspace_id=workspace_id, workflow__deleted_at=None)
    for text in graphs.values_list("graph", flat=True).iterator(chunk_size=50):
        for named in set(documents.ids_anywhere(loads(text))):
            counts[named] = counts.get(named, 0) + 1
    return counts


def ids_named_live(*, workspace_id: UUID, workflow_id: UUID, begin: int, end: int) -> set[UUID]:
    """What the versions of this workflow name that were live at some time from `begin` until `end` (ms): the
    connections by which its runs called are among them."""
    graphs = runtime_api.graphs_live_within(workspace_id=workspace_id, workflow_id=workflow_id, begin=begin, end=end)
    return {named for graph in graphs for named in documents.ids_in_text(graph)}


@dataclass(frozen=True, slots=True)
class FileUse:
    """A workflow whose draft or live version names something, such as a file, and the steps that do."""

    workflow_id: UUID
    name: str
    steps: tuple[str, ...]
    draft: bool
    live: bool


def file_uses(*, workspace_id: UUID, file_id: UUID) -> list[FileUse]:
    """The workflows that name this file, as the logo of a document or in a setting; by their names."""
    return uses_of(workspace_id=workspace_id, text=str(file_id))


def uses_of(*, workspace_id: UUID, text: str) -> list[FileUse]:
    """The workflows in whose draft or live version this text stands, and the steps that have it in their settings."""
    there = Workflow.objects.filter(workspace_id=workspace_id, deleted_at=None)
    drafts = there.filter(draft__graph__contains=text).values_list("pk", "draft__graph")
    by_draft = {workflow_id: _steps_naming(loads(graph), text) for workflow_id, graph in drafts}
    live = runtime_api.live_graphs_naming(workspace_id=workspace_id, text=text)
    by_live = {workflow_id: _steps_naming(graph, text) for workflow_id, graph in live.items()}
    called = dict(there.filter(pk__in=by_draft.keys() | by_live.keys()).values_list("pk", "name"))
    return [
        FileUse(
            workflow_id,
            name,
            tuple(dict.fromkeys([*by_live.get(workflow_id, ()), *by_draft.get(workflow_id, ())])),
            workflow_id in by_draft,
            workflow_id in by_live,
        )
        for workflow_id, name in sorted(called.items(), key=lambda found: (found[1].lower(), found[0]))
    ]


def _steps_naming(graph: Any, text: str) -> list[str]:
    return [
        str(node.get("name") or node.get("key") or "")
        for node in documents.nodes_of(graph)
        if text in dumps(node.get("config"))
    ]


def _naming(text: str) -> Q:
    """Workflows that hold this text, in small or capital letters."""
    found = Q()
    # SQLite folds the case of ASCII letters only: other letters are asked for in each way people write a word.
    for spelling in sorted({text, text.lower(), text.upper(), text.title(), text.capitalize()}):
        found |= Q(name__icontains=spelling) | Q(description__icontains=spelling) | Q(sentence__icontains=spelling)
    return found


def owned(*, workspace_id: UUID, user_id: UUID) -> list[tuple[UUID, str]]:
    """The workflows that somebody owns, by name."""
    rows = Workflow.objects.filter(workspace_id=workspace_id, deleted_at=None, owner_id=user_id)
    return list(rows.order_by("name", "id").values_list("id", "name"))


def naming(*, workspace_id: UUID, emails: Iterable[str]) -> list[tuple[UUID, str]]:
    """The workflows in whose drafts one of these addresses is written, by name."""
    found = Q()
    for email in emails:
        found |= Q(draft__graph__icontains=email)
    rows = (
        Workflow.objects.filter(found, workspace_id=workspace_id, deleted_at=None) if found else Workflow.objects.none()
    )
    return list(rows.order_by("name", "id").values_list("id", "name"))


def _rows(workspace_id: UUID) -> QuerySet[Workflow]:
    return Workflow.objects.filter(workspace_id=workspace_id, deleted_at=None).select_related(
        "draft", "draft__updated_by", "owner"
    )


def _standing(rows: Sequence[Workflow], standing: Standing | None) -> list[Workflow]:
    if not rows:
        return []
    deployments = runtime_api.deployments(workspace_id=rows[0].workspace_id, workflow_ids=[row.id for row in rows])

    def of(row: Workflow) -> Standing:
        deployment = deployments.get(row.id)
        if standing == "paused" and deployment is not None and deployment.hold is not None:
            return "paused"
        if deployment is None or deployment.version is None:
            return "draft"
        return "live" if deployment.enabled else "disabled"

    return [row for row in rows if of(row) == standing]


def _join(rows: Sequence[Workflow], now: datetime) -> list[Listed]:
    if not rows:
        return []
    workspace_id = rows[0].workspace_id
    ids = [row.id for row in rows]
    since = int((now - timedelta(hours=24)).timestamp() * 1000)
    deployments = runtime_api.deployments(workspace_id=workspace_id, workflow_ids=ids)
    statistics = runtime_api.statistics(workspace_id=workspace_id, workflow_ids=ids, since=since)
    nothing = WorkflowStatistics()
    versions = [deployment.version for deployment in deployments.values() if deployment.version is not None]
    holds = [deployment.hold for deployment in deployments.values() if deployment.hold is not None]
    paused_by = {person for hold in holds for person in map(shapes.person_in, (hold.by, hold.drained_by)) if person}
    names = names_of({version.created_by for version in versions if version.created_by is not None} | paused_by)
    return [Listed(row, deployments.get(row.id), statistics.get(row.id, nothing), names) for row in rows]


def utc(milliseconds: int) -> datetime:
    """The instant of a runtime time."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
