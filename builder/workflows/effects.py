"""What each step of a graph does to the world outside, with the settings it has and not those its type starts with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from builder.workflows import documents
from builder.workflows.shapes import EffectView
from runtime.catalog import CATALOG

_UNKNOWN: Final = EffectView(effect="unsafe", writes=True, repeatable=False)


def effects(graph: Mapping[str, Any]) -> dict[str, EffectView]:
    """Node id → its effect, for a graph document in any state. Settings that say nothing count as the worst."""
    return {
        str(node.get("id")): _effect(documents.type_of(node), node.get("config")) for node in documents.nodes_of(graph)
    }


def _effect(type_: str, config: object) -> EffectView:
    node_type = CATALOG.get(type_)
    if node_type is None:
        return _UNKNOWN
    try:
        found = node_type.effect_of(config if isinstance(config, Mapping) else {})
    except (KeyError, TypeError, ValueError, AttributeError):
        return _UNKNOWN
    return EffectView(effect=found.value, writes=found.writes, repeatable=found.value != "unsafe")
