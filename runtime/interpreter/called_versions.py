"""With which versions the runs of called workflows are gone on with: settled when the plan of the run around them is
made, written down when it is carried out, and handed on to the runs below.

A retry nobody asked for (the step's own) goes on with the version that a run has: what is published meanwhile changes
nothing of it (I29).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from runtime.engine import containers
from runtime.engine.graph import Graph, Node
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.interpreter.versions import parsed
from runtime.store.models import Deployment

__all__ = ["Called", "from_text", "live_below", "text", "workflow_of", "workflows_of"]

#: By workflow, the version.
Called = Mapping[UUID, UUID]

_IS_ID: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def workflow_of(node: Node) -> UUID | None:
    """The workflow that this step runs, where it runs one."""
    named = str(node.config.get("workflow", "")) if containers.is_call(node.type) else ""
    return UUID(named) if _IS_ID.fullmatch(named) else None


def workflows_of(graph: Graph) -> Iterator[UUID]:
    """The workflows that steps of this drawing run, also those within containers."""
    for node in graph.nodes:
        if (one := workflow_of(node)) is not None:
            yield one
    for body in graph.bodies.values():
        yield from workflows_of(body)


def live_below(workspace_id: UUID, graphs: Iterable[Graph]) -> dict[UUID, UUID]:
    """The live version of each workflow that these drawings run, and of those that these run, at whatever depth."""
    found: dict[UUID, UUID] = {}
    wanted = {one for graph in graphs for one in workflows_of(graph)}
    while wanted:
        live = Deployment.objects.filter(workspace_id=workspace_id, pk__in=wanted, retired=False)
        fresh = dict(live.values_list("pk", "version_id"))
        found |= fresh
        below = {one for version in fresh.values() for one in workflows_of(parsed(version).graph)}
        wanted = below - found.keys() - wanted
    return found


def text(called: Called) -> str:
    """As rows hold it."""
    return dumps({workflow.hex: version.hex for workflow, version in called.items()})


def from_text(told: str | None) -> dict[UUID, UUID]:
    """The same, read; nothing where nobody wrote it down."""
    said: Any = {} if told is None else loads_stored(told)
    return {UUID(workflow): UUID(version) for workflow, version in said.items()}
