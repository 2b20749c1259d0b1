"""What a worker has to know to carry a run of a graph on; an older one leaves such runs to others (I30)."""

from __future__ import annotations

from typing import Final

from runtime.engine import containers, undo
from runtime.engine.graph import Graph

#: The step type whose links formulas read as `run.links`.
LINK_STEP: Final = "flow.wait_signal"
#: Steps that wait for their link or for an event.
_SIGNALS: Final = 5
#: Steps that ask people, and failures that people decide about.
_PEOPLE: Final = 4


def engine_needed(graph: Graph) -> int:
    """The least engine that runs of this graph need."""
    if any(containers.has_runs(node.type) or node.needs for node in graph.nodes):
        return containers.NEEDS_ENGINE
    if any(node.type.startswith("flow.wait_") for node in graph.nodes):
        return _SIGNALS
    if any(node.settings.on_failure == "person" or node.type.startswith("people.") for node in graph.nodes):
        return _PEOPLE
    return undo.NEEDS_ENGINE if undo.is_used(graph) else 1
