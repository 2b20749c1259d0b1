"""Graph documents as the builder sees them: an empty one, what they say in words, and which connections they name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from runtime.contracts import JSON, dumps

MOST_WORDS: Final = 600
_MOST_STEPS_NAMED: Final = 6
#: What changes where a step stands or what is remarked beside it, and not what it does.
_LOOKS: Final = frozenset({"position", "notes", "annotations", "size", "tint"})
_ID_TEXT: Final = re.compile(r'"([0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12})"', re.IGNORECASE)


def empty() -> dict[str, Any]:
    """A canvas with nothing on it."""
    return {"format": "millrace.workflow", "version": 1, "nodes": [], "edges": [], "annotations": []}


def digest(graph: Mapping[str, Any]) -> str:
    """A digest of what the graph does: the order of lists and keys, positions and remarks do not count."""
    return hashlib.sha256(dumps(_bare(graph)).encode()).hexdigest()


def _bare(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _bare(value[name]) for name in sorted(value) if name not in _LOOKS}
    if isinstance(value, list):
        bare = [_bare(entry) for entry in value]
        if bare and all(isinstance(entry, dict) and isinstance(entry.get("id"), str) for entry in bare):
            bare.sort(key=lambda entry: str(entry["id"]))
        return bare
    return value


def nodes_of(graph: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The nodes that look like nodes; a draft may hold anything."""
    nodes = graph.get("nodes")
    return [node for node in nodes if isinstance(node, dict)] if isinstance(nodes, list) else []


def type_of(node: Mapping[str, Any]) -> str:
    """The node's step type; empty where what stands there is no text."""
    found = node.get("type")
    return found if isinstance(found, str) else ""


def sentence(graph: Mapping[str, Any], summaries: Mapping[str, str], triggers: frozenset[str]) -> str:
    """What the workflow does in one line: its starts, then its steps in the order a reader meets them."""
    nodes = {str(node.get("id")): node for node in nodes_of(graph)}
    starts = [node_id for node_id, node in nodes.items() if type_of(node) in triggers]
    words = " or ".join(_words(nodes[node_id], summaries.get(node_id, "")) for node_id in starts[:3])
    steps = [str(nodes[node_id].get("name") or nodes[node_id].get("key") or "") for node_id in _walk(graph, starts)]
    steps = [step for step in steps if step]
    if len(steps) > _MOST_STEPS_NAMED:
        steps = [*steps[:_MOST_STEPS_NAMED], f"and {len(steps) - _MOST_STEPS_NAMED} more"]
    line = f"{words}: {', '.join(steps)}" if words and steps else words or ", ".join(steps)
    return line if len(line) <= MOST_WORDS else line[: MOST_WORDS - 1] + "…"


def _words(node: Mapping[str, Any], summary: str) -> str:
    return summary or str(node.get("name") or node.get("key") or "")


def _walk(graph: Mapping[str, Any], starts: list[str]) -> list[str]:
    edges = graph.get("edges")
    onward: dict[str, list[str]] = {}
    for edge in edges if isinstance(edges, list) else []:
        if isinstance(edge, dict):
            onward.setdefault(str(edge.get("source")), []).append(str(edge.get("target")))
    known = {str(node.get("id")) for node in nodes_of(graph)}
    seen = set(starts)
    queue, order = list(starts), []
    while queue:
        for target in onward.get(queue.pop(0), []):
            if target in known and target not in seen:
                seen.add(target)
                order.append(target)
                queue.append(target)
    return order


def connections_named(
    graph: Mapping[str, Any], fields: Mapping[str, frozenset[str]]
) -> Iterator[tuple[str, str, UUID | None, str]]:
    """Every connection a step names, as (node id, field, id, text); the id is None where the text is none.

    `fields` holds, for each step type, the names of its settings that hold a connection's id.
    """
    for node in nodes_of(graph):
        config = node.get("config")
        if not isinstance(config, dict):
            continue
        for name in fields.get(type_of(node), frozenset()):
            value = config.get(name)
            if isinstance(value, str) and value:
                yield str(node.get("id")), name, _uuid(value), value


def ids_anywhere(value: JSON) -> Iterator[UUID]:
    """Every text in the document that reads as an id, wherever it stands."""
    stack: list[Any] = [value]
    while stack:
        entry = stack.pop()
        if isinstance(entry, dict):
            stack.extend(entry.values())
        elif isinstance(entry, list):
            stack.extend(entry)
        elif isinstance(entry, str) and len(entry) in (32, 36):
            found = _uuid(entry)
            if found is not None:
                yield found


def ids_in_text(graph: str) -> set[UUID]:
    """The same of a document that is still JSON: of hundreds of versions it takes too long to read each."""
    return {UUID(found) for found in _ID_TEXT.findall(graph)}


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
