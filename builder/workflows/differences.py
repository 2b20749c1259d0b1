"""What differs between two drawings of a workflow: the names of steps and fields, and none of their values, for a value
may be a secret that somebody typed where it does not belong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from runtime.contracts import JSON, dumps

__all__ = ["changed_steps", "differences"]

#: Where a step lies says nothing of what it does.
_PLACE: Final = frozenset({"position", "size", "width", "height"})


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, JSON]:
    """`added`, `removed` (names of steps), `changed` (name and fields), `moved`, `links` (how many), `remarks`; only
    what there is of it."""
    was, now = _nodes(before), _nodes(after)
    changed = []
    moved = 0
    for key in was.keys() & now.keys():
        fields = _fields(was[key], now[key])
        if fields:
            changed.append({"step": _name(now[key]), "fields": fields})
        elif was[key] != now[key]:
            moved += 1
    links = len(_links(before) ^ _links(after))
    found: dict[str, Any] = {
        "added": sorted(_name(now[key]) for key in now.keys() - was.keys()),
        "removed": sorted(_name(was[key]) for key in was.keys() - now.keys()),
        "changed": sorted(changed, key=lambda one: str(one["step"])),
        "moved": moved,
        "links": links,
        "remarks": before.get("annotations") != after.get("annotations"),
    }
    return {name: one for name, one in found.items() if one}


def changed_steps(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[str]]:
    """The fields in which steps that both have differ, by the steps' ids."""
    was, now = _nodes(before), _nodes(after)
    found = {key: _fields(was[key], now[key]) for key in was if key in now}
    return {key: fields for key, fields in found.items() if fields}


def _nodes(graph: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    nodes = graph.get("nodes")
    listed = nodes if isinstance(nodes, list) else []
    return {str(node.get("id")): node for node in listed if isinstance(node, Mapping)}


def _links(graph: Mapping[str, Any]) -> set[str]:
    edges = graph.get("edges")
    ends = ("source", "sourceHandle", "target", "targetHandle")
    listed = edges if isinstance(edges, list) else []
    return {dumps([str(edge.get(end)) for end in ends]) for edge in listed if isinstance(edge, Mapping)}


def _name(node: Mapping[str, Any]) -> str:
    return str(node.get("name") or node.get("key") or node.get("id"))


def _fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The names of what differs; of settings each by itself."""
    found: list[str] = []
    for name in {**before, **after}:
        was, now = before.get(name), after.get(name)
        if name in _PLACE or was == now:
            continue
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            found += [f"{name}.{one}" for one in {**was, **now} if was.get(one) != now.get(one)]
        else:
            found.append(name)
    return found
