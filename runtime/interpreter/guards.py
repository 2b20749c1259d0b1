"""What it hangs on, in a drawing, who decides and whether anybody is asked: read from the drawing alone.

Somebody who may give one run other data could choose by them who approves it, or a way on which nobody does. So it is
looked up which steps the formulas that name people read, through however many steps; and which ones choose between a
way with a question and a way without.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias
from uuid import UUID

from runtime.catalog import CATALOG
from runtime.engine import containers
from runtime.engine.expressions.references import Reference
from runtime.engine.graph import ERROR_PORT, Graph, Node
from runtime.engine.replay import behind
from runtime.interpreter.called_versions import live_below, workflow_of
from runtime.interpreter.versions import parsed

__all__ = ["ITEM", "Guards", "Path", "behind", "decides", "of_graph"]

#: The entry that a run of a list was begun with; and what a workflow was started with. No step is called so.
ITEM: Final = ".item"
_TRIGGER: Final = ".trigger"
#: A step of a run around, as `.key`; this stands for all of them.
_ANY: Final = ".*"

Path: TypeAlias = tuple[str | int, ...]

_DECIDES: Final = ("people.approval@", "people.review@")
_PEOPLE: Final = "people."
#: Of a question, what says who is asked and who may not decide, and for how long they are waited for.
_WHO: Final = frozenset({"people", "releasers", "requester", "escalate_to", "limit"})
#: Steps that hand on, unless told otherwise, what the step before gave.
_HAND_ON: Final = ("flow.together@", "flow.send_event@")


def decides(node: Node) -> bool:
    """Whether people decide by this step whether the run goes on."""
    return node.type.startswith(_DECIDES) and not node.settings.disabled


def of_graph(workspace_id: UUID, graph: Graph) -> Guards:
    """The guards of a drawing; of workflows that it runs by their live versions."""
    return Guards(graph, live_below(workspace_id, [graph]))


class Guards:
    """What is read from one drawing. `live`: by workflow, the version that is run."""

    def __init__(self, graph: Graph, live: Mapping[UUID, UUID], seen: frozenset[UUID] = frozenset()) -> None:
        self.graph = graph
        self._live = live
        #: Workflows that this one is run by, which may run each other.
        self._seen = seen
        self._inside: dict[str, Guards | None] = {}
        self._reads: dict[str, set[str]] = {}
        self._hangs: dict[str, str] | None = None

    def inside(self, node: str) -> Guards | None:
        """Those of what the runs of this step carry out; None where it has none."""
        if node not in self._inside:
            self._inside[node] = self._looked_inside(node)
        return self._inside[node]

    def _looked_inside(self, node: str) -> Guards | None:
        if (body := self.graph.bodies.get(node)) is not None:
            return Guards(body, self._live, self._seen)
        drawn = self.graph.by_id.get(node)
        workflow = None if drawn is None else workflow_of(drawn)
        if workflow is None or workflow in self._seen or workflow not in self._live:
            return None
        return Guards(parsed(self._live[workflow]).graph, self._live, self._seen | {workflow})

    def asks_inside(self, node: str) -> bool:
        """Whether people decide something in the runs of this step, however deep."""
        found = self.inside(node)
        return found is not None and any(decides(one) or found.asks_inside(one.id) for one in found.graph.nodes)

    def hangs(self) -> Mapping[str, str]:
        """Steps (node ids; `ITEM`: the entry of a list) by whose data it is settled who decides, or whether anybody
        does; each with the name of a step that asks."""
        if self._hangs is None:
            self._hangs = {}
            for node in self.graph.nodes:
                for one in self._through(self._settled_by(node)):
                    self._hangs.setdefault(one, node.name)
            if self.graph.turns and (name := self._hangs.get(ITEM)) is not None:
                # What one turn comes to is what the next one is given.
                for one in self._through(node for node in self.graph.by_id if not self.graph.after[node]):
                    self._hangs.setdefault(one, name)
        return self._hangs

    def reads(self, node: str) -> set[str]:
        """Steps whose data this one works with, through however many others; without itself."""
        return self._through(self._sources(node)) if node in self.graph.by_id else set()

    def reads_of_around(self) -> set[tuple[str, Path]]:
        """What the steps in this body read of those around it, or show to people: the step's key, with the way to the
        value in what it gave. An empty key: of all of them."""
        found: set[tuple[str, Path]] = set()
        for node in self.graph.nodes:
            for _, one in _references(node):
                if one.root == "steps" and one.key not in self.graph.by_key:
                    found.add((one.key or "", one.path))
            if node.id in self.graph.bodies and (inside := self.inside(node.id)) is not None:
                found |= {one for one in inside.reads_of_around() if one[0] not in self.graph.by_key}
        return found

    def chooses(self, node: str) -> bool:
        """Whether this step chooses between ways."""
        return len(self._ways(node)) > 1

    # --- how that is found ----------------------------------------------------------------------------------------

    def _settled_by(self, node: Node) -> set[str]:
        """What says who is asked by this step, or in its runs, and what says whether it is come to."""
        found: set[str] = set()
        if decides(node):
            found |= self._named(one for field, one in _references(node) if field in _WHO)
        elif not self.asks_inside(node.id):
            return found
        if node.id in self.graph.bodies and self._acts_behind(node.id):
            # For no entries nobody is asked, and behind them it goes on.
            found |= self._sources(node.id)
        if (inside := self.inside(node.id)) is not None:
            for one in inside.hangs():
                if one == (_TRIGGER if containers.is_call(node.type) else ITEM):
                    found.add(node.id)
                elif not containers.is_call(node.type):
                    found |= self._from_inside(one)
        return found | set(self._choose(node.id))

    def _acts_behind(self, node: str) -> bool:
        """Whether something is done outside behind this step."""
        drawn = (self.graph.by_id[one] for one in behind(self.graph, (node,)))
        return any(containers.has_runs(one.type) or _writes(one) for one in drawn)

    def _choose(self, node: str) -> Iterator[str]:
        """Steps that choose between a way to this one and a way that leads elsewhere. That a failure has a way of its
        own is no choice, unless it leads past this one to what is done behind it."""
        after = behind(self.graph, (node,))
        for other in self.graph.nodes:
            leads = [node in {*targets, *behind(self.graph, targets)} for targets in self._ways(other.id).values()]
            if any(leads) and not (all(leads) and after.isdisjoint(self._past(node, other.id))):
                yield other.id

    def _past(self, node: str, other: str) -> set[str]:
        """Where the failure of this other step leads to, unless that is to this one as well."""
        failing = [edge.target for edge in self.graph.outgoing.get(other, ()) if edge.source_handle == ERROR_PORT]
        found = {*failing, *behind(self.graph, failing)}
        return set() if node in found else found

    def _ways(self, node: str) -> dict[str, list[str]]:
        ways: dict[str, list[str]] = {}
        for edge in self.graph.outgoing.get(node, ()):
            if edge.source_handle != ERROR_PORT:
                ways.setdefault(edge.source_handle, []).append(edge.target)
        return ways

    def _through(self, start: Iterable[str]) -> set[str]:
        found: set[str] = set()
        todo = list(start)
        while todo:
            one = todo.pop()
            if one not in found:
                found.add(one)
                todo += self._sources(one)
        return found

    def _sources(self, node: str) -> set[str]:
        """What one step reads itself, or its runs do."""
        if node not in self._reads:
            self._reads[node] = self._looked_up(node)
        return self._reads[node]

    def _looked_up(self, node: str) -> set[str]:
        drawn = self.graph.by_id.get(node)
        if drawn is None:
            return set()
        # What people say is theirs, whatever they were shown.
        asks = drawn.type.startswith(_PEOPLE)
        found = self._named(one for field, one in _references(drawn) if not asks or field in _WHO)
        if drawn.type.startswith(_HAND_ON):
            found |= {source for source, _ in self.graph.before[node]}
        if node in self.graph.bodies and (inside := self.inside(node)) is not None:
            for one in inside.graph.nodes:
                for token in inside._sources(one.id):
                    found |= self._from_inside(token)
        return found

    def _named(self, references: Iterable[Reference]) -> set[str]:
        found: set[str] = set()
        for one in references:
            match one.root:
                case "steps" if one.key is None:
                    found |= self._all()
                case "steps":
                    found |= self._of_key(str(one.key))
                case "trigger":
                    found |= self._starts()
                case "item" | "index" | "batch" if self.graph.container is not None:
                    found.add(ITEM)
        return found

    def _of_key(self, key: str) -> set[str]:
        """The step that is called so; of the run around, where there is none here."""
        return {self.graph.by_key[key].id if key in self.graph.by_key else f".{key}"}

    def _all(self) -> set[str]:
        return {*self.graph.by_id, *(() if self.graph.container is None else (_ANY,))}

    def _starts(self) -> set[str]:
        # Also as what comes from outside: of a called workflow, from the step that calls it.
        return {_TRIGGER, *(node.id for node in self.graph.triggers)}

    def _from_inside(self, token: str) -> set[str]:
        """What a source in the body of a container is here: its own steps and its entry are none of this run."""
        if token == ITEM or not token.startswith("."):
            return set()
        if token == _ANY:
            return self._all()
        return self._starts() if token == _TRIGGER else self._of_key(token[1:])


def _references(node: Node) -> Iterator[tuple[str, Reference]]:
    """What the formulas of a step read, each with the setting it stands in."""
    found = CATALOG.get(node.type)
    for path, reference in [] if found is None else found.references(node.config):
        yield re.split(r"[.\[]", path, maxsplit=1)[0], reference


def _writes(node: Node) -> bool:
    found = CATALOG.get(node.type)
    return found is None or found.writes(node.config)
