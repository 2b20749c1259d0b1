"""The step types there are. Found by walking `runtime/nodes`: a node file is registered by being there."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from runtime import nodes
from runtime.engine.expressions.describe import START
from runtime.sdk import NodeType, Words
from runtime.sdk.connections import KINDS, ConnectionKind, connection_kinds
from runtime.sdk.nodetype import NEEDS_SETUP


class Catalog:
    """All step types of this build, by type (``http.request@1``). Immutable."""

    def __init__(self, node_types: list[NodeType[Any]]) -> None:
        self._types: dict[str, NodeType[Any]] = {}
        for node_type in node_types:
            if node_type.type in self._types:
                raise ValueError(f"Two files declare the step type {node_type.type}.")
            self._types[node_type.type] = node_type

    def get(self, type: str, /) -> NodeType[Any] | None:
        """The step type, or None for a name that this build does not know."""
        return self._types.get(type)

    def filled(self, type: str, config: object) -> dict[str, Any]:
        """Settings as stored, completed with what the type's settings start with; as they are for an unknown type."""
        stored = config if isinstance(config, Mapping) else {}
        node_type = self._types.get(type)
        return dict(stored) if node_type is None else node_type.filled(stored)

    def all(self) -> list[NodeType[Any]]:
        """Every step type, starts first, then by category and title."""
        order = ("start", "app", "logic", "loop", "people", "data")
        return sorted(self._types.values(), key=lambda entry: (order.index(entry.category), entry.title, entry.version))

    def spec(self, type: str) -> dict[str, Any]:
        """A step type as JSON; raises KeyError."""
        return self._types[type].spec()

    def specs(self) -> list[dict[str, Any]]:
        """Every step type as JSON, built once."""
        return self._specs

    @cached_property
    def _specs(self) -> list[dict[str, Any]]:
        return [entry.spec() for entry in self.all() if not entry.hidden]

    def summaries(self, document: Mapping[str, Any]) -> dict[str, str]:
        """Node id → the card's second line, for a document in any state; steps that lack their set-up have none."""
        entries = [entry for entry in _list(document.get("nodes")) if isinstance(entry, Mapping)]
        names = {str(entry.get("key")): str(entry.get("name") or entry.get("key")) for entry in entries}
        starts = [
            entry
            for entry in entries
            if (known := self._types.get(str(entry.get("type")))) is not None and known.is_trigger
        ]
        if len(starts) == 1:
            names[START] = str(starts[0].get("name") or starts[0].get("key"))
        words = Words(names)
        found: dict[str, str] = {}
        for entry in entries:
            node_type = self._types.get(str(entry.get("type")))
            config = entry.get("config")
            line = (
                node_type.summarise(config if isinstance(config, Mapping) else {}, words)
                if node_type is not None
                else f"Missing: {str(entry.get('type'))[:50]}"
            )
            if line != NEEDS_SETUP:
                found[str(entry.get("id"))] = line
        return found

    def ports(self, document: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
        """Node id → the named ways out with their labels, for a graph document in any state."""
        found: dict[str, list[dict[str, str]]] = {}
        for entry in _list(document.get("nodes")):
            if isinstance(entry, Mapping) and (node_type := self._types.get(str(entry.get("type")))) is not None:
                config = entry.get("config")
                ports = node_type.port_list(config if isinstance(config, Mapping) else {})
                found[str(entry.get("id"))] = [{"id": port.id, "label": port.label} for port in ports]
        return found

    def connection_kinds(self) -> list[dict[str, Any]]:
        """Every kind of connection as JSON."""
        return list(connection_kinds())

    def connection_kind(self, kind: str) -> ConnectionKind | None:
        """A kind of connection, with its validation and its harmless test."""
        return KINDS.get(kind)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def load() -> Catalog:
    """Import every node file and collect its ``NODE``."""
    found: list[NodeType[Any]] = []
    for module in pkgutil.walk_packages(nodes.__path__, nodes.__name__ + "."):
        if not module.ispkg:
            found.append(importlib.import_module(module.name).NODE)
    return Catalog(found)


CATALOG: Final = load()
