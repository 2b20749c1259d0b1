"""Whether the steps of a document stand inside each other as they can: in containers, not in a circle, not too deep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.engine import containers
from runtime.engine.findings import Findings


def structural_nesting(
    nodes: list[Any], names: Mapping[str, str], pairs: list[tuple[str, str, str | None]], found: Findings
) -> None:
    """Complain of steps inside of what is no container, of circles, of depth, and of links that cross a frame."""
    parents: dict[str, str | None] = {}
    types: dict[str, str] = {}
    for item in nodes:
        if isinstance(item, Mapping) and isinstance(node := item.get("id"), str) and node not in parents:
            parent, type_name = item.get("parent"), item.get("type")
            parents[node] = parent if isinstance(parent, str) else None
            types[node] = type_name if isinstance(type_name, str) else ""
    if not any(parents.values()):
        return
    for node, parent in parents.items():
        if parent is not None:
            _check_parent(node, parent, parents, types, names, found)
    for source, target, edge in pairs:
        if parents.get(source) != parents.get(target):
            found.error(
                "edge.crosses_container",
                f"The link from “{names[source]}” to “{names[target]}” leads into or out of a container. Delete it: "
                "what is inside begins and ends with the container.",
                edge=edge,
                source=names[source],
                target=names[target],
            )


def _check_parent(
    node: str,
    parent: str,
    parents: Mapping[str, str | None],
    types: Mapping[str, str],
    names: Mapping[str, str],
    found: Findings,
) -> None:
    name = names.get(node, node)
    if parent not in parents:
        message = f"“{name}” stands in a container that is not there. Move it out."
        found.error("node.parent_missing", message, node=node, field="step.parent", step=name)
        return
    other = names.get(parent, parent)
    if not containers.is_container(types[parent]):
        message = f"“{name}” stands inside “{other}”, which holds no steps. Move it out."
        found.error("node.parent_not_container", message, node=node, field="step.parent", step=name, container=other)
        return
    if types[node].startswith("trigger."):
        message = f"“{name}” is a start and cannot stand inside “{other}”. Move it out."
        found.error("node.trigger_inside", message, node=node, field="step.parent", step=name, container=other)
    depth, place = 0, parents.get(node)
    while place is not None and depth <= len(parents):
        depth, place = depth + 1, parents.get(place)
    if depth > len(parents):
        message = f"“{name}” stands inside itself. Move it out."
        found.error("node.parent_circle", message, node=node, field="step.parent", step=name)
    elif depth > containers.MOST_DEEP:
        message = f"“{name}” stands more than {containers.MOST_DEEP} containers deep. Move part of it to a workflow of "
        message += "its own, and run that."
        found.error("node.too_deep", message, node=node, field="step.parent", step=name, deepest=containers.MOST_DEEP)
