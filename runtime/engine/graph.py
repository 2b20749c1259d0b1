"""The graph: steps and links as data, and the indexes that make following them cheap.

A document is what the canvas edits and a version stores (`GRAPH_SCHEMA` in `schema.py` describes it). `parse` turns it
into a `Graph`, which never changes; keep one per version, its indexes are made once.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, cast

from runtime.engine import containers, jsonprofile
from runtime.engine.naming import Naming, naming_of
from runtime.engine.problems import GraphRefused
from runtime.engine.schema import (
    ANNOTATION_FIELDS,
    DOCUMENT_FIELDS,
    EDGE_FIELDS,
    FORMAT,
    FORMAT_VERSION,
    GRAPH_SCHEMA,
    MAX_EDGES,
    MAX_NODES,
    NODE_FIELDS,
    POINT_FIELDS,
    RETRY_FIELDS,
    SETTINGS_FIELDS,
)

__all__ = [
    "DEFAULT_IN",
    "DEFAULT_OUT",
    "ERROR_PORT",
    "FORMAT",
    "FORMAT_VERSION",
    "GRAPH_SCHEMA",
    "MAX_EDGES",
    "MAX_NODES",
    "UNDO_PORT",
    "Edge",
    "Graph",
    "GraphRefused",
    "Node",
    "RetryPolicy",
    "Settings",
    "canonical",
    "digest",
    "parse",
]

DEFAULT_IN: Final = "in"
DEFAULT_OUT: Final = "out"
ERROR_PORT: Final = "error"
#: The way to the step that undoes this one. Nothing flows along it: it says what belongs to what.
UNDO_PORT: Final = "undo"

#: Longer than a day nobody is kept waiting by a header.
LONGEST_ASKED_SECONDS: Final = 86_400.0

RetryStrategy = Literal["fixed", "linear", "exponential"]
OnFailure = Literal["stop", "continue", "error_port", "undo", "person"]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long to try again. `attempts` counts the first try too."""

    attempts: int = 3
    strategy: RetryStrategy = "exponential"
    first_seconds: float = 1.0
    factor: float = 2.0
    cap_seconds: float = 300.0
    #: Spread to either side, 0.2 is ±20 %.
    jitter: float = 0.2
    #: No try begins later than this after the first one began; None: no limit.
    total_seconds: float | None = 900.0

    def delay_ms(self, failed: int, *, jitter: float, retry_after_seconds: float | None = None) -> int:
        """Milliseconds to wait after the `failed`th try (from 1).

        `jitter` is a throw of dice in [0, 1). What the other side asked for (`Retry-After`) is honoured up to the total
        time of the policy, at most a day, and never shortens the wait; a senseless value counts as not given. The cap
        is for waits of our own making: to come back sooner than asked is to be refused again.
        """
        seconds = min(self.cap_seconds, self._unspread(failed))
        seconds *= 1.0 + self.jitter * (2.0 * jitter - 1.0)
        if retry_after_seconds is not None and not math.isnan(retry_after_seconds):
            longest = LONGEST_ASKED_SECONDS if self.total_seconds is None else self.total_seconds
            seconds = max(seconds, min(retry_after_seconds, longest, LONGEST_ASKED_SECONDS))
        return math.ceil(seconds * 1000)

    def _unspread(self, failed: int) -> float:
        match self.strategy:
            case "fixed":
                return self.first_seconds
            case "linear":
                return self.first_seconds * failed
            case "exponential":
                try:
                    return self.first_seconds * self.factor ** (failed - 1)
                except OverflowError:
                    return self.cap_seconds if self.first_seconds else 0.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What may be set on every step, whatever its type."""

    disabled: bool = False
    retry: RetryPolicy = RetryPolicy()
    #: Of one attempt.
    timeout_seconds: float = 30.0
    #: When the last try failed: end the run, carry on with `fallback` as the output, leave by the port `error`, end the
    #: run and undo what it did, or wait for a person's word.
    on_failure: OnFailure = "stop"
    fallback: Any = None
    #: Somebody said that nothing has to be undone of this step.
    nothing_to_undo: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """A step as drawn. `key` names its output in expressions; `id` names it everywhere else."""

    id: str
    key: str
    type: str
    name: str
    config: Mapping[str, Any]
    settings: Settings = Settings()
    #: The way out when nobody can say which: of a disabled step, and of one that carries on after a failure. It is
    #: `out`, or for a step whose links use other ports only, the port of its first link.
    default_port: str = DEFAULT_OUT
    #: Whether a link leaves by `error`.
    has_error_edge: bool = False
    #: The container in whose body it stands.
    parent: str | None = None
    #: How many of the links to it have to be taken before it begins; 0: all that still can be.
    needs: int = field(init=False, compare=False, repr=False)
    #: Starts are told by the name of their type, so that the engine needs no catalog.
    is_trigger: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_trigger", self.type.startswith("trigger."))
        object.__setattr__(self, "needs", containers.arrivals_needed(self.type, self.config))


@dataclass(frozen=True, slots=True)
class Edge:
    id: str
    source: str
    source_handle: str
    target: str
    target_handle: str = DEFAULT_IN


@dataclass(frozen=True, slots=True)
class Graph:
    """An acyclic graph with its indexes. Make it with `parse` or `Graph.of`; two are equal when steps and links are.

    The links to undo steps stand in `edges` and in `undone_by`; everything else is about the way forward, of which they
    are no part.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    by_id: Mapping[str, Node] = field(compare=False, repr=False)
    by_key: Mapping[str, Node] = field(compare=False, repr=False)
    incoming: Mapping[str, tuple[Edge, ...]] = field(compare=False, repr=False)
    outgoing: Mapping[str, tuple[Edge, ...]] = field(compare=False, repr=False)
    #: Every node id, sources before targets; otherwise in the document's order.
    order: tuple[str, ...] = field(compare=False, repr=False)
    triggers: tuple[Node, ...] = field(compare=False, repr=False)
    #: Node ids without an incoming edge: starts, and steps that nothing leads to. Undo steps are none.
    roots: tuple[str, ...] = field(compare=False, repr=False)
    #: For `advance`: per node its (source, handle) pairs, and its targets without repeats.
    before: Mapping[str, tuple[tuple[str, str], ...]] = field(compare=False, repr=False)
    after: Mapping[str, tuple[str, ...]] = field(compare=False, repr=False)
    #: The plain middle of most graphs: per node whose links all lead to one step that nothing else leads to and that is
    #: not disabled, the handles of these links and that step.
    straight: Mapping[str, tuple[frozenset[str], str]] = field(compare=False, repr=False)
    #: Per action, the step that undoes it; and the other way round.
    undone_by: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    undoes: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    #: Actions that change something outside, as far as somebody who knows the step types has said so.
    writes: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    #: Of one run: actions (id → name) that an earlier generation did and nothing has undone since, and that this one
    #: does not know as its own.
    standing: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    #: Those of them of which nobody knows whether they were undone.
    standing_unsure: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    #: Of one run: actions that an earlier generation did, or may have, that nothing has undone since, and that this one
    #: is to go on with. Where it ends before it comes to that, they are to be undone like what it did itself.
    owed: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    #: Those of them that were done more than once, of which undoing one leaves another.
    owed_twice: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    #: The container whose body this is; None for the graph of a workflow. A body begins with all its roots.
    container: str | None = None
    #: The bodies of the containers in this graph, by node id.
    bodies: Mapping[str, Graph] = field(default_factory=dict)
    #: Whether it is such a body, and carried out in turns.
    turns: bool = False
    #: What its runs are called, and found by; None where it says nothing, and of a body.
    naming: Naming | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(
        cls,
        nodes: Iterable[Node],
        edges: Iterable[Edge],
        container: str | None = None,
        bodies: Mapping[str, Graph] | None = None,
        *,
        turns: bool = False,
    ) -> Graph:
        """Index nodes and edges that are known to be sound (`parse` checks first). Raises ValueError on a cycle."""
        edges = tuple(edges)
        given = tuple(nodes)
        incoming: dict[str, list[Edge]] = {node.id: [] for node in given}
        outgoing: dict[str, list[Edge]] = {node.id: [] for node in given}
        undone_by: dict[str, str] = {}
        for edge in edges:
            if edge.source_handle == UNDO_PORT:
                undone_by.setdefault(edge.source, edge.target)
            else:
                incoming[edge.target].append(edge)
                outgoing[edge.source].append(edge)
        undoes = {by: node for node, by in undone_by.items()}
        finished = tuple(_with_ports(node, outgoing[node.id]) for node in given)
        by_id = {node.id: node for node in finished}
        order = sorted_topologically([node.id for node in given], [(edge.source, edge.target) for edge in edges])
        if len(order) != len(given):
            raise ValueError("the links go round in a circle")
        return cls(
            nodes=finished,
            edges=edges,
            by_id=by_id,
            by_key={node.key: node for node in finished},
            incoming={node: tuple(found) for node, found in incoming.items()},
            outgoing={node: tuple(found) for node, found in outgoing.items()},
            order=order,
            triggers=tuple(node for node in finished if node.is_trigger),
            roots=tuple(node for node, found in incoming.items() if not found and node not in undoes),
            before={
                node: tuple((edge.source, edge.source_handle) for edge in _from_both_ends(found))
                for node, found in incoming.items()
            },
            after={node: tuple(dict.fromkeys(edge.target for edge in found)) for node, found in outgoing.items()},
            straight={
                node: (frozenset(edge.source_handle for edge in found), found[0].target)
                for node, found in outgoing.items()
                if found
                and incoming[found[0].target] == found
                and not by_id[found[0].target].settings.disabled
                and not by_id[found[0].target].needs
            },
            undone_by=undone_by,
            undoes=undoes,
            container=container,
            bodies=bodies or {},
            turns=turns,
        )

    def body(self, container: str) -> Graph | None:
        """The body of this container, however deep it stands; None where there is none."""
        if (found := self.bodies.get(container)) is not None:
            return found
        return next((deep for body in self.bodies.values() if (deep := body.body(container)) is not None), None)


def sorted_topologically(nodes: Iterable[str], pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Sources before targets, otherwise as given; nodes on a cycle or behind one are left out."""
    open_inputs = dict.fromkeys(nodes, 0)
    targets: dict[str, list[str]] = {node: [] for node in open_inputs}
    for source, target in pairs:
        open_inputs[target] += 1
        targets[source].append(target)
    order = [node for node, count in open_inputs.items() if not count]
    for node in order:
        for target in targets[node]:
            open_inputs[target] -= 1
            if not open_inputs[target]:
                order.append(target)
    return tuple(order)


def parse(document: Mapping[str, Any]) -> Graph:
    """The graph of a document that is sound as a drawing. Raises `GraphRefused` with every problem found.

    Step types, ports and configs are not looked at: that is `check`, before publishing.
    """
    from runtime.engine.shape import structural_problems

    errors = [problem for problem in structural_problems(document) if problem.severity == "error"]
    if errors:
        raise GraphRefused(errors)
    nodes = [_node(item) for item in document["nodes"]]
    edges = [_edge(item) for item in document["edges"]]
    # What runs of a container did, and nothing undoes, has to be named too.
    undoes = any(edge.source_handle == UNDO_PORT for edge in edges) or any(
        node.settings.on_failure == "undo" or containers.waits_for_call(node.type, node.config) for node in nodes
    )
    graph = _nested(nodes, edges, None, undoes)
    naming = naming_of(document)
    return graph if naming is None else replace(graph, naming=naming)


def _nested(nodes: list[Node], edges: list[Edge], container: str | None, undoes: bool) -> Graph:
    """The steps of one container (None: of the workflow itself), with the bodies within and what undoes them."""
    inside = [node for node in nodes if node.parent == container]
    ids = {node.id for node in inside}
    links = [edge for edge in edges if edge.source in ids]
    bodies = {node.id: _nested(nodes, edges, node.id, undoes) for node in inside if containers.is_container(node.type)}
    drawn = {edge.source for edge in links if edge.source_handle == UNDO_PORT}
    for node in tuple(inside):
        undoable = undoes if node.id in bodies else containers.waits_for_call(node.type, node.config)
        if undoable and node.id not in drawn:
            by = containers.undo_id(node.id)
            inside.append(Node(by, f".{by}"[:64], containers.UNDO_TYPE, f"Undo “{node.name}”"[:200], {}))
            links.append(Edge(by, node.id, UNDO_PORT, by))
    turns = any(node.id == container and containers.in_turns(node.type) for node in nodes)
    return Graph.of(inside, links, container, bodies, turns=turns)


def canonical(document: Mapping[str, Any]) -> str:
    """The document as text: our own fields in one fixed order, everything a user wrote (config, fallback) in theirs.

    Raises `JSONRefused` for values outside the JSON profile.
    """
    return jsonprofile.dumps(jsonprofile.normalise(_in_order(document, _DOCUMENT_ORDER)))


def digest(document: Mapping[str, Any]) -> str:
    """The sha256 of the canonical text, in hex: the content hash of a version."""
    return hashlib.sha256(canonical(document).encode()).hexdigest()


def _from_both_ends(edges: list[Edge]) -> list[Edge]:
    """Last, first, last but one, second, … Branches tend to finish in the order they were started in, or backwards;
    this way the search for one that is still open ends at its first look or at its second."""
    half = len(edges) // 2
    mixed = edges[half:][::-1]
    for index, edge in enumerate(edges[:half]):
        mixed.insert(2 * index + 1, edge)
    return mixed


def _with_ports(node: Node, outgoing: list[Edge]) -> Node:
    handles = [edge.source_handle for edge in outgoing if edge.source_handle != ERROR_PORT]
    default_port = DEFAULT_OUT if DEFAULT_OUT in handles or not handles else handles[0]
    return Node(
        id=node.id,
        key=node.key,
        type=node.type,
        name=node.name,
        config=node.config,
        settings=node.settings,
        default_port=default_port,
        has_error_edge=any(edge.source_handle == ERROR_PORT for edge in outgoing),
        parent=node.parent,
    )


def _node(item: Mapping[str, Any]) -> Node:
    return Node(
        id=item["id"],
        key=item["key"],
        type=item["type"],
        name=item.get("name") or item["key"],
        config=item.get("config") or {},
        settings=_settings(item.get("settings") or {}),
        parent=item.get("parent"),
    )


def _edge(item: Mapping[str, Any]) -> Edge:
    return Edge(
        id=item["id"],
        source=item["source"],
        source_handle=item.get("sourceHandle") or DEFAULT_OUT,
        target=item["target"],
        target_handle=item.get("targetHandle") or DEFAULT_IN,
    )


def _settings(item: Mapping[str, Any]) -> Settings:
    return Settings(
        disabled=item.get("disabled", False),
        retry=_retry(item.get("retry") or {}),
        timeout_seconds=float(item.get("timeout_seconds", 30)),
        on_failure=item.get("on_failure", "stop"),
        fallback=item.get("fallback"),
        nothing_to_undo=item.get("undo") == "nothing",
    )


def _retry(item: Mapping[str, Any]) -> RetryPolicy:
    total = item.get("total_seconds", 900)
    return RetryPolicy(
        attempts=int(item.get("attempts", 3)),
        strategy=cast(RetryStrategy, item.get("strategy", "exponential")),
        first_seconds=float(item.get("first_seconds", 1)),
        factor=float(item.get("factor", 2)),
        cap_seconds=float(item.get("cap_seconds", 300)),
        jitter=float(item.get("jitter", 0.2)),
        total_seconds=None if total is None else float(total),
    )


#: Field order of our own objects, at every depth; a list means "each item so".
_Order = Mapping[str, Any]
_POINT: Final[_Order] = dict.fromkeys(POINT_FIELDS)
_DOCUMENT_ORDER: Final[_Order] = {
    **dict.fromkeys(DOCUMENT_FIELDS),
    "nodes": [
        {
            **dict.fromkeys(NODE_FIELDS),
            "position": _POINT,
            "settings": {**dict.fromkeys(SETTINGS_FIELDS), "retry": dict.fromkeys(RETRY_FIELDS)},
        }
    ],
    "edges": [dict.fromkeys(EDGE_FIELDS)],
    "annotations": [{**dict.fromkeys(ANNOTATION_FIELDS), "position": _POINT}],
}


def _in_order(value: Any, order: Any) -> Any:
    if isinstance(order, list):
        return [_in_order(item, order[0]) for item in value] if isinstance(value, list) else value
    if not isinstance(order, Mapping) or not isinstance(value, Mapping):
        return value
    known = {name: _in_order(value[name], order[name]) for name in order if name in value}
    return known | {name: item for name, item in value.items() if name not in known}
