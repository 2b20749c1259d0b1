"""What people approve or release, and runs that are gone on with by something else than the workflow gives them.

Whoever may go on with a run that failed may give its steps other settings, and say what a failed step gave. Nobody does
by that what others have to decide: neither who decides, nor on what, nor what is done by their word. What comes before
a question may be put right, and then people are asked anew; unless it says who they are, or whether they are asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import UUID

from runtime.engine import containers
from runtime.engine.graph import Graph
from runtime.engine.jsonprofile import loads_stored
from runtime.engine.replay import Fate
from runtime.interpreter import guards
from runtime.interpreter.guards import Guards, Path
from runtime.interpreter.payloads import reference_in
from runtime.interpreter.released import AS_RELEASED, of_a_release
from runtime.interpreter.reopening import RUN, Found, version_of
from runtime.store.children import Outer
from runtime.store.hands import decided_below
from runtime.store.models import Run, StepRun

__all__ = [
    "EntryRules",
    "Fixed",
    "asked_before",
    "entry_rules",
    "refused_call",
    "refused_edits",
    "refused_value",
    "refused_words",
]

#: Why an entry of a list is given nothing else: it was released, or approved, as it is; or it says who decides.
Fixed = Literal["released", "approved", "decides"]

_MEND: Final = "Publish a version with other settings, and go on with that version or start anew."
_AS_APPROVED: Final = (
    "“{name}” was decided for what this step was to do, and nobody changes that behind it. Retry it as it is; or"
    " publish a version with other settings, and go on with that version or start anew."
)
_ITEM_APPROVED: Final = (
    "“{name}” was decided for this entry as it is, and nobody changes that behind it. Retry it as it is; or settle it"
    " by hand, and put what is right into a list that is decided anew."
)
_ASK_AGAIN: Final = (
    "“{name}” was decided, and what is done behind it goes by this step too. Go on from “{name}” as well, so that"
    " people are asked anew; or publish a version with other settings."
)
_DECIDED_INSIDE: Final = (
    "In “{name}” people have decided already, by what this step gave them then. Start the run anew with what is right;"
    " or publish a version with other settings."
)
_SETTLES: Final = (
    "What this step gives says who decides in “{name}”, or whether anybody is asked. Nobody changes that for one run. "
    + _MEND
)
_ASKS_INSIDE: Final = (
    "In “{name}” people are asked. Nobody changes for one run who that is, or whether anybody is. " + _MEND
)
_ITEM_SETTLES: Final = (
    "What stands in this entry says who decides in “{name}”, or whether anybody is asked. Nobody changes that here:"
    " settle it by hand, and put what is right into a new list."
)
_AS_GIVEN: Final = (
    "“{name}” was decided, and what is done behind it goes by what this step gives: nobody says that by hand. Try it"
    " again, or give it up and start anew."
)
_NO_VALUE: Final = (
    "What this step gives says who decides in “{name}”, or whether anybody is asked, and nobody says that by hand. Try"
    " it again, or give it up and start anew."
)
_APPROVED: Final = frozenset({"approved", "released"})


@dataclass(slots=True)
class _Level:
    """One run, seen from a step of it. `decided`: steps by which people have said yes, and that stand; `declined`: by
    which they have not."""

    run_id: UUID
    graph: Graph
    guards: Guards
    decided: set[str]
    declined: set[str]
    _inside: set[str] | None = field(default=None, init=False)

    def inside(self) -> set[str]:
        """Steps in whose runs people have said yes."""
        if self._inside is None:
            asking = [one.id for one in self.graph.nodes if self.guards.asks_inside(one.id)]
            self._inside = decided_below(self.run_id, asking)
        return self._inside

    def settles(self, node: str) -> str | None:
        """Whose question hangs on what this step gives."""
        return self.guards.hangs().get(node) if node in self.graph.by_id else None

    def before(self, node: str) -> str | None:
        """A step before this one that was decided, or in whose runs something was. Where people said no: one that this
        step would have been done behind, had they said yes."""
        for one in self.graph.order:
            stands = one in self.decided or (one in self.inside() and one != node)
            if stands and node in guards.behind(self.graph, (one,)):
                return self.name(one)
            if one in self.declined and node in self._behind_yes(one):
                return self.name(one)
        return None

    def beside(self, node: str) -> str | None:
        """A step that was decided, and behind which something goes by what this one gives, too."""
        to = guards.behind(self.graph, (node,))
        for one in (self.decided | self.declined) - to:
            for other in guards.behind(self.graph, (one,)) if one in self.decided else self._behind_yes(one):
                if node in self.guards.reads(other) or (other in to and self.guards.chooses(node)):
                    return self.name(one)
        return None

    def decided_for(self, node: str) -> str | None:
        """A step that was decided for what this one does or gives."""
        return self.before(node) or self.beside(node)

    def _behind_yes(self, node: str) -> set[str]:
        """Steps that a way leads to from this question where people say yes."""
        ways = [edge.target for edge in self.graph.outgoing.get(node, ()) if edge.source_handle in _APPROVED]
        return {*ways, *guards.behind(self.graph, ways)}

    def is_read(self, node: str) -> bool:
        """Whether what this step gives is worked with behind it."""
        return any(node in self.guards.reads(one) for one in guards.behind(self.graph, (node,)))

    def behind(self, node: str) -> str | None:
        """This step or one behind it that has entries in which something was decided."""
        own = self.inside() & {*self.graph.bodies}
        found = own & {node, *guards.behind(self.graph, (node,))}
        return self.name(min(found)) if found else None

    def name(self, node: str) -> str:
        return self.graph.by_id[node].name


def refused_edits(found: Found, edits: Collection[str]) -> dict[str, str]:
    """Why steps of a run that is gone on with cannot have other settings, whatever these are: by node id."""
    refused: dict[str, str] = {}
    if not edits:
        return refused
    here = _here(found, edits)
    outside = _why_not_outside(found.row)
    for node in edits:
        drawn = here.graph.by_id.get(node)
        if drawn is None or guards.decides(drawn):
            # Of a question `questions` says what may be other, and people decide what comes of it.
            continue
        if (name := here.before(node)) is not None:
            why: str | None = _AS_APPROVED.format(name=name)
        elif (name := here.beside(node)) is not None:
            why = _ASK_AGAIN.format(name=name)
        elif node in here.graph.bodies and here.guards.asks_inside(node):
            why = _ASKS_INSIDE.format(name=here.name(node))
        elif (name := here.settles(node)) is not None:
            why = _SETTLES.format(name=name)
        elif (name := here.behind(node)) is not None:
            why = _DECIDED_INSIDE.format(name=name)
        else:
            why = outside
        if why is not None:
            refused[node] = why
    return refused


def refused_call(found: Found, node: str, after: Mapping[str, Any]) -> str | None:
    """Why a step that runs another workflow, in which people are asked, cannot have these settings: it would run
    another one, or go on without them. None of any other step."""
    drawn = found.version.graph.by_id[node]
    if not containers.is_call(drawn.type):
        return None
    usual: Mapping[str, Any] = {"wait": True}
    is_other = any(
        after.get(name, usual.get(name)) != drawn.config.get(name, usual.get(name)) for name in ("workflow", "wait")
    )
    if not is_other or not guards.of_graph(found.row["workspace_id"], found.version.graph).asks_inside(node):
        return None
    return _ASKS_INSIDE.format(name=drawn.name)


def refused_words(found: Found, nodes: Collection[str]) -> dict[str, str]:
    """Why nobody says by hand what these steps of a run that is gone on with gave: by node id."""
    if not nodes:
        return {}
    here, around = _level(found.row, graph=found.version.graph), list(_around(found.row))
    return {node: why for node in nodes if (why := _no_word([(here, node), *around])) is not None}


def refused_value(run_id: UUID, node: str, *, in_doubt: bool) -> str | None:
    """The same of a step of a run that is under way; nor what others have approved goes by it. `in_doubt`: it may have
    happened, and that can be said."""
    row = Run.objects.values(*RUN).get(pk=run_id)
    levels = [(_as_it_stands(row), node), *_around(row)]
    if (why := _no_word(levels)) is not None or in_doubt:
        return why
    read = False
    for level, one in levels:
        read = read or level.is_read(one)
        if read and (name := level.decided_for(one)) is not None:
            return _AS_GIVEN.format(name=name)
    return None


def _no_word(levels: Sequence[tuple[_Level, str]]) -> str | None:
    here, node = levels[0]
    if here.guards.asks_inside(node):
        return _ASKS_INSIDE.format(name=here.name(node))
    for level, one in levels:
        if (name := level.settles(one)) is not None:
            return _NO_VALUE.format(name=name)
    return None


@dataclass(frozen=True, slots=True)
class EntryRules:
    """What holds for the entries of a list that are done by one version. `why`: why they are given nothing else, with
    what people are told; `asking`: steps of theirs in whose runs people are asked."""

    why: tuple[Fixed, str] | None
    asking: Mapping[str, str]

    @property
    def fixed(self) -> Fixed | None:
        return None if self.why is None else self.why[0]

    def decided_within(self, run_id: UUID) -> str | None:
        """A step of this entry in whose runs people have decided something already, by its name."""
        found = decided_below(run_id, self.asking)
        return next((name for node, name in self.asking.items() if node in found), None)


def entry_rules(run: Mapping[str, Any]) -> EntryRules:
    """What holds for an entry of a list, by its run's `id`, `parent_run_id` and `parent_node`, and for all others that
    are done by the same version."""
    if of_a_release(run):
        return EntryRules(("released", AS_RELEASED), {})
    row = Run.objects.values(*RUN).get(pk=run["id"])
    here = _level(row)
    asking = {one.id: one.name for one in here.graph.nodes if here.guards.asks_inside(one.id)}
    return EntryRules(_why_fixed(here, row), asking)


def _why_fixed(here: _Level, row: Mapping[str, Any]) -> tuple[Fixed, str] | None:
    if (name := here.guards.hangs().get(guards.ITEM)) is not None:
        return "decides", _ITEM_SETTLES.format(name=name)
    for level, node in _around(row):
        if (name := level.decided_for(node)) is not None:
            return "approved", _ITEM_APPROVED.format(name=name)
        if (name := level.settles(node)) is not None:
            return "decides", _ITEM_SETTLES.format(name=name)
    return None


def asked_before(found: Found, outer: Outer | None, *, other: bool) -> set[str]:
    """The steps of an entry's run by which people have decided for what it is no longer given: they are asked anew.
    `outer`: what it is given now; `other`: its entry is another one than it was."""
    graph = found.version.graph
    if outer is None or graph.container is None:
        return set()
    stand = {
        node.id: found.steps[node.id].started_at
        for node in graph.nodes
        if guards.decides(node) and node.id in found.steps and found.steps[node.id].status == "succeeded"
    }
    if other or not stand:
        return {*stand}
    wanted = guards.of_graph(found.row["workspace_id"], graph).reads_of_around()
    now = _given(outer)
    keys = found.version.keys

    def is_other(one: str, before: str) -> bool:
        paths = [path for key, path in wanted if key in ("", keys.get(one))]
        return any(_at(before, path) != _at(now.get(one), path) for path in paths)

    return {
        node
        for node, at in stand.items()
        if at is not None and any(is_other(one, text) for one, text in outer.texts_at(at).items())
    }


def _given(outer: Outer) -> dict[str, str]:
    """What the steps around a run gave, as rows hold it."""
    found = {} if outer.beyond is None else _given(outer.beyond)
    return found | dict(outer.texts or {})


def _at(text: str | None, path: Path) -> Any:
    """The value there; of what stands in a file of its own, what tells it from other ones."""
    if (kept := reference_in(text)) is not None:
        return kept.sha256
    found: Any = None if text is None else loads_stored(text)
    for part in path:
        if isinstance(found, list) and isinstance(part, int) and -len(found) <= part < len(found):
            found = found[part]
        else:
            found = found.get(part) if isinstance(found, dict) else None
    return found


# --- where that is looked up ------------------------------------------------------------------------------------


def _here(found: Found, edits: Collection[str]) -> _Level:
    graph = found.version.graph
    kept = {line.node for line in found.lines(edited=edits) if line.fate is Fate.KEPT and line.node in found.steps}
    return _level(found.row, ((node, found.steps[node].ports) for node in kept), graph)


def _level(row: Mapping[str, Any], answers: Iterable[tuple[str, str]] = (), graph: Graph | None = None) -> _Level:
    """`answers`: steps that ended well, with the ways that they took."""
    graph = version_of(row).graph if graph is None else graph
    decided: set[str] = set()
    declined: set[str] = set()
    for node, ports in answers:
        drawn = graph.by_id.get(node)
        if drawn is not None and guards.decides(drawn):
            taken: Any = loads_stored(ports or "[]")
            (declined if _APPROVED.isdisjoint(taken) else decided).add(node)
    return _Level(row["id"], graph, guards.of_graph(row["workspace_id"], graph), decided, declined - decided)


def _as_it_stands(row: Mapping[str, Any]) -> _Level:
    # Whatever is done now of that: asked anew, it is not yet decided, and what was begun by the first word stands.
    stands = StepRun.objects.filter(run_id=row["id"], status="succeeded")
    return _level(row, stands.values_list("node_id", "ports"))


def _around(row: Mapping[str, Any]) -> Iterator[tuple[_Level, str]]:
    """The runs around this one, the nearest first, each with the step that has begun the one below."""
    while row["parent_run_id"] is not None:
        node = row["parent_node"]
        row = Run.objects.values(*RUN).get(pk=row["parent_run_id"])
        yield _as_it_stands(row), node


def _why_not_outside(row: Mapping[str, Any]) -> str | None:
    """Why nothing within this run is given anything else: for what was decided, or is yet to be, around it."""
    for level, node in _around(row):
        if (name := level.decided_for(node)) is not None:
            return _AS_APPROVED.format(name=name)
        if (name := level.settles(node)) is not None:
            return _SETTLES.format(name=name)
    return None
