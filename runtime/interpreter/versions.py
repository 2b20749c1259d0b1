"""Published versions, parsed once and kept: graphs, and their steps made ready to run."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from uuid import UUID

from runtime.catalog import CATALOG
from runtime.engine import undo
from runtime.engine.graph import Graph, Node, parse
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.sdk import EffectClass, NodeType, PreparedStep, StepFailure
from runtime.sdk.signals import LINK_STEP
from runtime.store.models import Version as VersionRow


class Unsupported(Exception):
    """This build lacks a step type of the version: another worker may have it (I30)."""

    def __init__(self, node: Node) -> None:
        super().__init__(f"step type {node.type} of step {node.key} is not known to this build")
        self.node = node


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a version, ready to run. `refused` says why it can never run as it is set up."""

    node: Node
    type: NodeType[Any]
    prepared: PreparedStep[Any] | None
    effect: EffectClass
    refused: StepFailure | None
    #: Plain function, cheap: runs on the loop within the commit cycle, with no row before its result.
    inline: bool
    #: Coroutine function: runs on the loop. Neither: runs in a thread.
    is_async: bool
    #: An intent is committed before it may start.
    writes: bool
    #: The recorded input of a step without formulas.
    static_input: str | None
    #: The failpoint around its call.
    point: str = "step.effect"


class Version:
    """A parsed version. Steps are prepared when first needed."""

    __slots__ = ("_bodies", "_steps", "around", "graph", "id", "keys", "linked", "number")

    def __init__(self, version_id: UUID, number: int, document: str | Mapping[str, Any]) -> None:
        self.id = version_id
        self.number = number
        loaded: Any = loads_stored(document) if isinstance(document, str) else document
        #: The keys of all its steps by id, wherever they stand.
        self.keys: Mapping[str, str] = {node["id"]: node["key"] for node in loaded["nodes"]}
        self._take(parse(loaded))

    def _take(self, graph: Graph) -> None:
        # Only where something may be undone does anybody ask.
        self.graph: Graph = replace(graph, writes=_writing(graph)) if undo.is_used(graph) else graph
        #: Steps that wait for their link to be used.
        self.linked = tuple(node for node in graph.nodes if node.type.partition("@")[0] == LINK_STEP)
        self._steps: dict[str, Step] = {}
        self._bodies: dict[str, Version] = {}
        #: The container whose body this is.
        self.around: Step | None = None

    def of_run(self, trigger_node: str) -> Version:
        """This version as a run sees it that began so: for one of a container's, its body."""
        if trigger_node in self.graph.by_id and not self.graph.bodies:
            return self
        body = self._bodies.get(trigger_node)
        if body is None:
            graph = self.graph.body(trigger_node)
            if graph is None:
                return self
            body = Version.__new__(Version)
            body.id, body.number, body.keys = self.id, self.number, self.keys
            body._take(graph)
            body.around = container_of(self.graph, trigger_node)
            self._bodies[trigger_node] = body
        return body

    def knowing_writes(self) -> Version:
        """This version, which knows also what changes something outside and is undone by nothing."""
        if not self.graph.writes:
            self.graph = replace(self.graph, writes=_writing(self.graph))
        return self

    def begins_with(self, trigger_node: str) -> bool:
        """Whether a run of this can begin so."""
        return trigger_node in (self.graph.container, *self.graph.by_id)

    def step(self, node_id: str) -> Step:
        """The step of this node; raises `Unsupported` when this build does not know its type."""
        step = self._steps.get(node_id)
        if step is None:
            undoes = node_id in self.graph.undoes
            step = self._steps[node_id] = _prepare(
                self.graph.by_id[node_id], "comp.effect" if undoes else "step.effect"
            )
        return step


def container_of(graph: Graph, node_id: str) -> Step | None:
    """The step of this container, however deep it stands; None where this build does not know its type."""
    if (node := graph.by_id.get(node_id)) is not None:
        try:
            return _prepare(node, "step.effect")
        except Unsupported:
            return None
    return next((step for body in graph.bodies.values() if (step := container_of(body, node_id)) is not None), None)


def _writing(graph: Graph) -> frozenset[str]:
    """The steps that change something outside; those of which this build cannot say it count among them."""
    found = set()
    for node in graph.nodes:
        node_type = CATALOG.get(node.type)
        try:
            writes = node_type is None or node_type.writes(node.config)
        except Exception:
            writes = True
        if writes:
            found.add(node.id)
    return frozenset(found)


def _prepare(node: Node, point: str) -> Step:
    node_type = CATALOG.get(node.type)
    if node_type is None:
        raise Unsupported(node)
    prepared: PreparedStep[Any] | None = None
    refused: StepFailure | None = None
    try:
        prepared = node_type.prepare(node.config)
    except StepFailure as failure:
        refused = failure
    is_async = inspect.iscoroutinefunction(node_type.run)
    effect = EffectClass.PURE if prepared is None else prepared.effect
    return Step(
        node=node,
        type=node_type,
        prepared=prepared,
        effect=effect,
        refused=refused,
        inline=node_type.inline and not is_async and not effect.writes,
        is_async=is_async,
        writes=effect.writes,
        static_input=dumps(prepared.raw) if prepared is not None and not prepared.formulas else None,
        point=point,
    )


class Versions:
    """The versions used most recently. Immutable, so they never go stale; `keep=0` reloads at every use (I8)."""

    def __init__(self, keep: int = 256) -> None:
        self._keep = keep
        self._known: OrderedDict[UUID, Version] = OrderedDict()

    def get(self, version_id: UUID) -> Version | None:
        found = self._known.get(version_id)
        if found is not None:
            self._known.move_to_end(version_id)
        return found

    def add(self, version: Version) -> None:
        self._known[version.id] = version
        while len(self._known) > self._keep:
            self._known.popitem(last=False)


@lru_cache(maxsize=64)
def parsed(version_id: UUID) -> Version:
    """A published version, which never changes: the plans of a list's items all ask for the same."""
    number, graph = VersionRow.objects.filter(pk=version_id).values_list("number", "graph").get()
    return Version(version_id, number, graph)
