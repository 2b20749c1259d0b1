"""Drafts: read, save against a revision, check."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction

from builder.accounts.rights import Action
from builder.accounts.times import stamp
from builder.api.operation import Answer, ApiView, Body, Call, View, operation
from builder.api.problems import Refusal
from builder.api.workflows import find, graph_refused, note_touch, person_name, stale
from builder.workflows import editing, services, shapes
from builder.workflows.effects import effects
from builder.workflows.models import Draft
from builder.workflows.shapes import EffectView, ProblemView


class PortView(View):
    """A named way out of a step."""

    id: str
    label: str


class DraftView(View):
    """The draft, what is wrong with it, and each step in words."""

    revision: int
    graph: dict[str, Any]
    problems: list[ProblemView]
    summaries: dict[str, str]
    effects: dict[str, EffectView]
    updated_at: str
    updated_by: str | None


class SavedView(View):
    """Saved: the new revision, and what the check says."""

    revision: int
    problems: list[ProblemView]
    summaries: dict[str, str]
    effects: dict[str, EffectView]
    saved_at: str


class GraphBody(Body):
    """A graph document. A draft may be broken; it must be one."""

    graph: dict[str, Any]


class CheckView(View):
    """What is wrong, each step in words, each step's ways out."""

    problems: list[ProblemView]
    summaries: dict[str, str]
    effects: dict[str, EffectView]
    ports: dict[str, list[PortView]]


class DraftOfWorkflow(ApiView):
    @operation(Action.WORKFLOW_SEE, answer=DraftView)
    def get(self, call: Call, *, workflow_id: UUID) -> Answer:
        """The draft. Its revision is also the ETag, to be sent back as If-Match."""
        draft = find(call, workflow_id).draft
        graph = services.graph_of(draft)
        report = services.check(workspace_id=call.workspace.id, graph=graph)
        view = DraftView(
            revision=draft.revision,
            graph=graph,
            problems=shapes.problems(report.problems),
            summaries=dict(report.summaries),
            effects=effects(graph),
            updated_at=stamp(draft.updated_at),
            updated_by=person_name(draft),
        )
        return Answer(view, 200, {"ETag": etag(draft)})

    @operation(
        Action.WORKFLOW_EDIT, body=GraphBody, answer=SavedView, also=(409, 428), repeat="stored", does="workflow.edited"
    )
    def put(self, call: Call, *, workflow_id: UUID, body: GraphBody) -> Answer:
        """Save the draft, if it still stands at the revision in If-Match."""
        workflow = find(call, workflow_id)
        try:
            with transaction.atomic():
                saved = services.save_draft(
                    workflow=workflow, graph=body.graph, expected=if_match(call), by=call.person, now=call.now
                )
                if saved.before is not None:
                    editing.note(before=saved.before, after=saved.draft, entry=call.deed.entry(workflow.name))
                    note_touch(call, workflow, "edited")
            call.deed.told(saved.before is not None)
        except services.GraphRefused as error:
            raise graph_refused(error) from error
        except services.DraftIsStale as error:
            raise stale(error) from error
        return saved_answer(saved)


class Check(ApiView):
    @operation(Action.WORKFLOW_EDIT, body=GraphBody, answer=CheckView, does="nothing")
    def post(self, call: Call, *, workflow_id: UUID, body: GraphBody) -> CheckView:
        """What is wrong with a graph; nothing is saved and nothing runs."""
        find(call, workflow_id)
        report = services.check(workspace_id=call.workspace.id, graph=body.graph)
        return CheckView(
            problems=shapes.problems(report.problems),
            summaries=dict(report.summaries),
            effects=effects(body.graph),
            ports={
                node: [PortView(id=port["id"], label=port["label"]) for port in ports]
                for node, ports in report.ports.items()
            },
        )


def etag(draft: Draft) -> str:
    """The revision as an entity tag."""
    return f'"{draft.revision}"'


def if_match(call: Call) -> int:
    """The revision the writer knew; 428 where they do not say."""
    header = call.request.META.get("HTTP_IF_MATCH", "").strip()
    if not header:
        raise Refusal(428, "if_match_missing", 'Say which revision you changed: If-Match: "<revision>".')
    number = header.removeprefix("W/").strip('"')
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        raise Refusal(400, "if_match_invalid", 'If-Match holds a revision number, such as "12".')
    return int(number)


def saved_answer(saved: services.Saved) -> Answer:
    """What a save answers."""
    view = SavedView(
        revision=saved.draft.revision,
        problems=shapes.problems(saved.report.problems),
        summaries=dict(saved.report.summaries),
        effects=saved.effects,
        saved_at=stamp(saved.draft.updated_at),
    )
    return Answer(view, 200, {"ETag": etag(saved.draft)})
