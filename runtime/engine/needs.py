"""What a worker has to know to carry a run of a graph on; an older one leaves such runs to others (I30)."""

from __future__ import annotations

from typing import Final

from runtime.engine import containers, naming, undo
from runtime.engine.graph import Graph, Node

#: The step type whose links formulas read as `run.links`.
LINK_STEP: Final = "flow.wait_signal"
#: Steps that wait for their link or for an event.
_SIGNALS: Final = 5
#: Failures that people decide about.
_PEOPLE: Final = 4
#: Settings of starts that an older worker would refuse.
_LATER: Final = 5
_LATER_SETTINGS: Final = {
    "trigger.schedule": ("also", "nth", "weekday", "free_days"),
    "trigger.webhook": ("dedupe_for",),
    "trigger.manual": ("dedupe_for",),
}
_LATER_VALUES: Final = {("trigger.schedule", "unit"): "seconds", ("trigger.schedule", "overlap"): "queue"}
#: Steps that ask groups and roles, with due dates, reminders and mail.
_GROUPS: Final = 5


def engine_needed(graph: Graph) -> int:
    """The least engine that runs of this graph need."""
    if any(containers.has_runs(node.type) or node.needs or _looks_up(node) for node in graph.nodes):
        return containers.NEEDS_ENGINE
    if any(node.type.startswith("flow.wait_") for node in graph.nodes):
        return _SIGNALS
    if any(_has_later_settings(node) for node in graph.triggers):
        return _LATER
    if any(node.type.startswith("people.") for node in graph.nodes):
        return _GROUPS
    if graph.naming is not None:
        return naming.NEEDS_ENGINE
    if any(node.settings.on_failure == "person" for node in graph.nodes):
        return _PEOPLE
    return undo.NEEDS_ENGINE if undo.is_used(graph) else 1


def _looks_up(node: Node) -> bool:
    """Whether it looks up, before it is sent again, what it may have done."""
    return node.config.get("in_doubt") == "look_up"


def _has_later_settings(node: Node) -> bool:
    kind = node.type.partition("@")[0]
    return (
        any(name in node.config for name in _LATER_SETTINGS.get(kind, ()))
        or any(node.config.get(name) == value for (of, name), value in _LATER_VALUES.items() if of == kind)
        or str(node.config.get("calendar") or "").startswith("@")
        or _asks_for_rows(node)
    )


def _asks_for_rows(node: Node) -> bool:
    """Whether its form asks for a file with rows."""
    fields = node.config.get("fields")
    return isinstance(fields, list) and any(isinstance(one, dict) and one.get("type") == "table" for one in fields)
