"""Every write about workflows: keyword-only, one transaction each.

What runs belongs to the runtime. Its functions are called outside our transactions: its writer has a connection of
its own, which must not wait for ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import F

from builder.accounts.giving import give
from builder.accounts.models import User, Workspace
from builder.connections.models import Connection
from builder.workflows import documents, tables
from builder.workflows.effects import effects
from builder.workflows.models import Draft, Workflow
from builder.workflows.shapes import EffectView
from runtime import api as runtime_api
from runtime.catalog import CATALOG
from runtime.contracts import (
    JSON,
    CheckReport,
    GraphHasProblems,
    NotFound,
    Problem,
    RuntimeRefused,
    StartedRun,
    VersionView,
    dumps,
    loads,
)

MOST_GRAPH_BYTES: Final = 4 * 1024 * 1024


class WorkflowMissing(Exception):
    """No such workflow in this workspace, or it was deleted."""


class DraftIsStale(Exception):
    """Somebody saved in between: the draft stands at another revision than the writer knew."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(f"the draft stands at revision {draft.revision}")
        self.draft = draft


class GraphRefused(Exception):
    """The document cannot even be kept as a draft. `fields` says where and why."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        super().__init__("the graph cannot be kept")
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved draft, what the check says of it, and what its steps do outside. `before`: the draft as it was; None
    where it was saved before and nothing was done."""

    draft: Draft
    report: CheckReport
    effects: dict[str, EffectView]
    before: Draft | None = None


# --- workflows --------------------------------------------------------------------------------------------------


def create_workflow(
    *,
    workspace: Workspace,
    by: User | None,
    name: str,
    description: str = "",
    graph: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> Workflow:
    """A workflow with its first draft. Raises GraphRefused."""
    now = now or datetime.now(UTC)
    document = dict(graph) if graph is not None else documents.empty()
    text = checked_text(document)
    _refuse_foreign_connections(workspace_id=workspace.id, graph=document, before=set())
    report = check(workspace_id=workspace.id, graph=document)
    with transaction.atomic():
        workflow = Workflow.objects.create(
            workspace=workspace,
            name=name.strip(),
            description=description.strip(),
            owner=by,
            created_at=now,
            **_about(document, report),
        )
        Draft.objects.create(
            workflow=workflow, graph=text, graph_sha256=documents.digest(document), updated_at=now, updated_by=by
        )
    return workflow


def change(*, workflow: Workflow, name: str | None = None, description: str | None = None) -> Workflow:
    """Change what is given, leave the rest."""
    texts = {"name": name, "description": description}
    give(workflow, {field: text and text.strip() for field, text in texts.items()})
    return workflow


def hand_over(*, workflow_id: UUID, of: User, to: User) -> bool:
    """Make it another person's own; False where it is not this person's any more."""
    return bool(Workflow.objects.filter(pk=workflow_id, owner=of, deleted_at=None).update(owner=to))


def delete(*, workflow: Workflow, now: datetime) -> None:
    """Take the workflow off the list and disarm its starts; runs and versions stay readable. Raises StillHeld."""
    here = {"workspace_id": workflow.workspace_id, "workflow_id": workflow.id}
    runtime_api.retire(**here)
    Workflow.objects.filter(pk=workflow.pk, deleted_at=None).update(deleted_at=now)
    if runtime_api.deployment(**here) is not None:
        # Somebody published it between these two. Whoever does so from here on finds it deleted, and retires it.
        runtime_api.retire(**here)


def switch(*, workflow: Workflow, on: bool) -> None:
    """Let starts through, or stop them. Raises RuntimeRefused where there is nothing live to switch on."""
    if on:
        runtime_api.enable(workspace_id=workflow.workspace_id, workflow_id=workflow.id)
    else:
        runtime_api.disable(workspace_id=workflow.workspace_id, workflow_id=workflow.id)


# --- drafts -----------------------------------------------------------------------------------------------------


def save_draft(*, workflow: Workflow, graph: JSON, expected: int, by: User | None, now: datetime) -> Saved:
    """Save the graph if the draft still stands at revision `expected`; raises DraftIsStale or GraphRefused.

    The same graph again, from the person who saved it last, is that save: its answer was lost on the way.
    """
    if not isinstance(graph, dict):
        raise GraphRefused({"graph": ["A workflow is an object with nodes and edges."]})
    text = checked_text(graph)
    current = Draft.objects.select_related("updated_by").get(pk=workflow.pk)
    if current.revision != expected:
        return _saved_before(current, graph, text, expected, by)
    before = set(documents.ids_anywhere(loads(current.graph)))
    _refuse_foreign_connections(workspace_id=workflow.workspace_id, graph=graph, before=before)
    report = check(workspace_id=workflow.workspace_id, graph=graph)
    with transaction.atomic():
        # Compare and set, then look at the count: of two savers at one revision, one wins.
        saved = Draft.objects.filter(pk=workflow.pk, revision=expected).update(
            revision=F("revision") + 1,
            graph=text,
            graph_sha256=documents.digest(graph),
            updated_at=now,
            updated_by=by,
        )
        if saved:
            Workflow.objects.filter(pk=workflow.pk).update(**_about(graph, report))
    draft = Draft.objects.select_related("updated_by").get(pk=workflow.pk)
    if not saved:
        return _saved_before(draft, graph, text, expected, by)
    return Saved(draft=draft, report=report, effects=effects(graph), before=current)


def _saved_before(draft: Draft, graph: Mapping[str, Any], text: str, expected: int, by: User | None) -> Saved:
    by_them = by is not None and draft.updated_by_id == by.id
    if not by_them or draft.revision != expected + 1 or draft.graph != text:
        raise DraftIsStale(draft)
    report = check(workspace_id=draft.workflow.workspace_id, graph=graph)
    return Saved(draft=draft, report=report, effects=effects(graph))


def restore(*, workflow: Workflow, number: int, expected: int, by: User | None, now: datetime) -> Saved:
    """Make the draft what version `number` was. Raises NotFound, DraftIsStale."""
    version = runtime_api.version(workspace_id=workflow.workspace_id, workflow_id=workflow.id, number=number)
    graph = runtime_api.version_graph(workspace_id=workflow.workspace_id, version_id=version.id)
    return save_draft(workflow=workflow, graph=dict(graph), expected=expected, by=by, now=now)


def publish(*, workflow: Workflow, note: str, by: User | None, revision: int | None = None) -> VersionView:
    """Make the draft what runs, if it still stands at `revision` (None: whatever it is).

    Raises DraftIsStale, GraphHasProblems; NotFound where somebody deleted it meanwhile.
    """
    draft = Draft.objects.select_related("updated_by").get(pk=workflow.pk)
    if revision is not None and draft.revision != revision:
        raise DraftIsStale(draft)
    graph = graph_of(draft)
    _stop_on_errors(workspace_id=workflow.workspace_id, graph=graph)
    version = runtime_api.publish(
        workspace_id=workflow.workspace_id,
        workflow_id=workflow.id,
        graph=graph,
        by=by.id if by is not None else None,
        note=note.strip(),
    )
    if not Workflow.objects.filter(pk=workflow.pk, deleted_at=None).exists():
        # What nobody sees any more must not start.
        runtime_api.retire(workspace_id=workflow.workspace_id, workflow_id=workflow.id)
        raise NotFound("Somebody has deleted this workflow meanwhile.", code="workflow_not_found")
    Draft.objects.filter(pk=workflow.pk).update(published_sha256=draft.graph_sha256)
    return version


def start_test(*, workflow: Workflow, graph: JSON, trigger_node: str | None, input: JSON, by: User) -> StartedRun:
    """Run a draft with the given data. `graph` None means the saved draft. Raises GraphHasProblems, NotStartable."""
    graph = startable(
        workspace_id=workflow.workspace_id,
        graph=graph_of(Draft.objects.get(pk=workflow.pk)) if graph is None else graph,
    )
    return runtime_api.start_test(
        workspace_id=workflow.workspace_id,
        workflow_id=workflow.id,
        graph=graph,
        trigger_node=trigger_node or first_trigger(graph),
        input=input,
        by=by.id,
    )


def startable(*, workspace_id: UUID, graph: JSON) -> dict[str, Any]:
    """The graph, once it is known that it can be run. Raises GraphRefused, GraphHasProblems."""
    if not isinstance(graph, dict):
        raise GraphRefused({"graph": ["A workflow is an object with nodes and edges."]})
    checked_text(graph)
    _stop_on_errors(workspace_id=workspace_id, graph=graph)
    return graph


# --- checking ---------------------------------------------------------------------------------------------------


def check(*, workspace_id: UUID, graph: Mapping[str, Any]) -> CheckReport:
    """What is wrong with the graph: the runtime's own problems, and connections and tables that are not in this
    workspace."""
    report = runtime_api.check(graph=dict(graph))
    if wrong := tables.problems(workspace_id=workspace_id, graph=graph):
        report = replace(report, problems=[*report.problems, *wrong])
    named = list(documents.connections_named(graph, connection_fields()))
    if not named:
        return report
    here = dict(
        Connection.objects.filter(
            workspace_id=workspace_id, pk__in={found for *_rest, found, _text in named if found is not None}
        ).values_list("id", "kind")
    )
    # A formula instead of an id cannot be checked before it is worked out; the vault refuses foreign ids at run.
    missing = [
        Problem(
            severity="error",
            code="connection_missing",
            message="Choose a connection: the one chosen before is not in this workspace.",
            node=node,
            edge=None,
            field=name,
            params={},
        )
        for node, name, found, _text in named
        if found not in here
    ]
    return replace(report, problems=[*report.problems, *missing]) if missing else report


def graph_of(draft: Draft) -> dict[str, Any]:
    """The draft's document."""
    graph = loads(draft.graph)
    return graph if isinstance(graph, dict) else documents.empty()


def checked_text(graph: Mapping[str, Any]) -> str:
    """The document as it is stored; raises GraphRefused where it is none or too large."""
    fields: dict[str, list[str]] = {}
    if graph.get("format") != "millrace.workflow":
        fields["graph.format"] = ['Use "millrace.workflow".']
    if graph.get("version") != 1 or isinstance(graph.get("version"), bool):
        fields["graph.version"] = ["This Millrace reads version 1."]
    for name in ("nodes", "edges"):
        if not isinstance(graph.get(name), list):
            fields[f"graph.{name}"] = ["Use a list."]
    if fields:
        raise GraphRefused(fields)
    text = dumps(graph)
    if len(text.encode()) > MOST_GRAPH_BYTES:
        raise GraphRefused({"graph": ["This workflow is too large: more than 4 MB."]})
    return text


def first_trigger(graph: Mapping[str, Any]) -> str:
    """The first start on the canvas. Raises RuntimeRefused where there is none."""
    for node in documents.nodes_of(graph):
        if documents.type_of(node) in trigger_types():
            return str(node.get("id"))
    raise RuntimeRefused("This workflow has no start yet.", code="no_trigger")


@lru_cache(maxsize=1)
def trigger_types() -> frozenset[str]:
    """The step types that start a run."""
    return frozenset(spec["type"] for spec in CATALOG.specs() if spec["trigger"])


@lru_cache(maxsize=1)
def connection_fields() -> Mapping[str, frozenset[str]]:
    """For each step type, its settings that hold a connection's id."""
    found = {}
    for spec in CATALOG.specs():
        properties = spec["config_schema"].get("properties", {})
        names = frozenset(
            name for name, schema in properties.items() if schema.get("x-ui", {}).get("widget") == "connection"
        )
        if names:
            found[spec["type"]] = names
    return found


def _stop_on_errors(*, workspace_id: UUID, graph: Mapping[str, Any]) -> None:
    report = check(workspace_id=workspace_id, graph=graph)
    if not report.publishable:
        raise GraphHasProblems(report.problems)


def _about(graph: Mapping[str, Any], report: CheckReport) -> dict[str, Any]:
    return {
        "sentence": documents.sentence(graph, report.summaries, trigger_types()),
        "problems_count": sum(problem.severity == "error" for problem in report.problems),
    }


def _refuse_foreign_connections(*, workspace_id: UUID, graph: Mapping[str, Any], before: set[UUID]) -> None:
    # An id that was in the draft before may have been removed since: that is a problem to show, not a save to lose.
    # A new one must be ours. One of another workspace and one that never was get the same answer.
    named = [
        (node, name, found)
        for node, name, found, text in documents.connections_named(graph, connection_fields())
        if found not in before and "{{" not in text
    ]
    hidden = set(documents.ids_anywhere(dict(graph))) - before
    foreign = set(
        Connection.objects.filter(pk__in=hidden).exclude(workspace_id=workspace_id).values_list("id", flat=True)
    )
    here = set(
        Connection.objects.filter(
            pk__in={found for _node, _name, found in named if found is not None}, workspace_id=workspace_id
        ).values_list("id", flat=True)
    )
    fields = {
        f"graph.nodes.{node}.config.{name}": ["There is no such connection here."]
        for node, name, found in named
        if found not in here
    }
    if foreign and not fields:
        fields["graph"] = ["It names a connection that is not here."]
    if fields:
        raise GraphRefused(fields)
