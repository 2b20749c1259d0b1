"""What the socket sends, read from the database: changes of a run, runs of a list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from builder.workflows import selectors, shapes
from runtime import api as runtime_api
from runtime.contracts import NotFound, RunFilters

LIST_LENGTH = 30


def changes(*, workspace_id: UUID, run_id: UUID, after: int) -> dict[str, Any] | None:
    """The message with the rows that changed after `after`; None where there is no such run here."""
    try:
        found = runtime_api.changes(workspace_id=workspace_id, run_id=run_id, after=after)
    except NotFound:
        return None
    state = selectors.shaped(workspace_id=workspace_id, views=[found.run])[0]
    return {
        "type": "changes",
        "run": str(run_id),
        "after": found.after,
        "seq": found.seq,
        "state": state.model_dump(mode="json"),
        "steps": [shapes.step(step).model_dump(mode="json") for step in found.steps],
    }


def newest(*, workspace_id: UUID, workflow_id: UUID | None) -> list[dict[str, Any]]:
    """The newest runs of a list."""
    page = runtime_api.runs(
        workspace_id=workspace_id, filters=RunFilters(workflow_id=workflow_id), after=None, limit=LIST_LENGTH
    )
    return [shape.model_dump(mode="json") for shape in selectors.shaped(workspace_id=workspace_id, views=page.items)]


def some(*, workspace_id: UUID, run_ids: Iterable[UUID]) -> list[dict[str, Any]]:
    """These runs, where they are here."""
    views = []
    for run_id in run_ids:
        try:
            view = runtime_api.run(workspace_id=workspace_id, run_id=run_id)
        except NotFound:
            continue
        # What is done for one entry of a list is shown with the run it belongs to.
        if view.parent is None or not view.parent.is_item:
            views.append(view)
    return [shape.model_dump(mode="json") for shape in selectors.shaped(workspace_id=workspace_id, views=views)]


def figures_state(*, workspace_id: UUID) -> str:
    """Another one whenever figures have changed."""
    return runtime_api.figures_state(workspace_id=workspace_id)
