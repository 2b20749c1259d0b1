"""Undoing what a run did: which steps are to be undone, in which order, and what is left when it is over.

An action is tied to the step that undoes it by a link from its `undo` port. When a run is to be undone (a failure of a
step that says so, a cancel that asks for it, or somebody's wish afterwards), the undo steps of everything that may have
been done are carried out one after another, in exact reverse of the order in which the results were committed (I25).
An action counts as soon as it was begun, not when its result came: of one whose outcome nobody knows, the undo is
carried out too, and has to accept that there is nothing to undo (I24). A failing undo keeps none of the others from
being carried out (I26). Nothing about this is stored: all of it follows from the steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from runtime.engine.containers import has_runs
from runtime.engine.graph import Graph
from runtime.engine.state import DECIDED, StepError, StepKey, StepState, StepStatus

#: What a worker has to know to carry undo steps out; an older one leaves such runs to others (I30).
NEEDS_ENGINE: Final = 3
#: The code of the error with which a run ends that could not be undone as a whole.
INCOMPLETE: Final = "undo_incomplete"
#: The code of the error of a step whose runs wait for somebody's decision before anything is done.
ASKS_FIRST: Final = "items_ask_first"
#: Steps named in one sentence of an error.
_MOST_NAMES: Final = 10
_UNDID: Final = "undo:"

Steps = Mapping[StepKey, StepState]


def is_used(graph: Graph) -> bool:
    """Whether a run of this graph can come to be undone."""
    return bool(graph.undone_by) or any(node.settings.on_failure == "undo" for node in graph.nodes)


def may_have_happened(step: StepState) -> bool:
    """Whether a step may have done outside what it was to do."""
    if not step.attempt or step.first_started_at is None:
        return False
    if step.status is StepStatus.SUCCEEDED:
        return True
    # Cut off without a word: nobody knows.
    return step.status in DECIDED and (step.error is None or step.error.may_have_happened)


def is_ahead(graph: Graph, node: str, step: StepState | None) -> bool:
    """Whether an earlier generation did it, or may have, and this one has not gone on with it."""
    return node in graph.owed and step is not None and step.first_started_at is None


def is_owed(graph: Graph, node: str, step: StepState | None) -> bool:
    """The same, and this one never will."""
    return step is not None and step.status in DECIDED and is_ahead(graph, node, step)


def done(graph: Graph, steps: Steps, generation: int) -> tuple[str, ...]:
    """The actions that may have been done and of which nobody said that nothing is to be undone, the last first."""
    found = []
    for index, node in enumerate(graph.order):
        if node not in graph.undone_by and (node not in graph.writes or node in graph.undoes):
            continue
        step = steps.get(StepKey(node, generation))
        if step is None or not (may_have_happened(step) or is_owed(graph, node, step)):
            continue
        if node in graph.undone_by or not graph.by_id[node].settings.nothing_to_undo:
            # What was cut off ended last, if it ended.
            seq = float("inf") if step.commit_seq is None else step.commit_seq
            found.append((seq, step.first_started_at or 0, index, node))
    return tuple(node for *_, node in sorted(found, reverse=True))


def next_step(graph: Graph, steps: Steps, generation: int) -> str | None:
    """The undo step whose turn it is, of those that were not begun; None when all had their turn."""
    return next((by for by in _to_carry_out(graph, steps, generation) if StepKey(by, generation) not in steps), None)


def undone(graph: Graph, steps: Steps, generation: int) -> tuple[str, ...]:
    """The actions that were undone, in the order in which they were."""
    return tuple(node for node in done(graph, steps, generation) if _is_undone(graph, steps, generation, node))


def not_undone(graph: Graph, steps: Steps, generation: int) -> tuple[str, ...]:
    """The actions that stand as they are; also those that only an earlier generation knows of."""
    left = [node for node in done(graph, steps, generation) if not _is_undone(graph, steps, generation, node)]
    return tuple(dict.fromkeys((*left, *earlier(graph, steps, generation))))


def earlier(graph: Graph, steps: Steps, generation: int) -> list[str]:
    """The actions of which something stands that only an earlier generation knows of."""
    return [
        node
        for node in graph.standing
        if node in graph.owed_twice or not _is_known(graph, node, steps.get(StepKey(node, generation)))
    ]


def _is_known(graph: Graph, node: str, step: StepState | None) -> bool:
    """Whether this generation tells by itself what became of what an earlier one did: it never came to it; or it has
    gone on with the runs that the step began then, which are the same."""
    went_on = step is not None and step.first_started_at is not None
    return is_owed(graph, node, step) or (went_on and node in graph.undone_by and has_runs(graph.by_id[node].type))


def ports_of(action: str) -> tuple[str, ...]:
    """What an undo step that succeeded has for its ways out: which action it undid, whatever is drawn later."""
    return (f"{_UNDID}{action}",)


def undid(ports: Iterable[str]) -> str | None:
    """The action that a step with these ways out undid; None for any other step."""
    return next((port.removeprefix(_UNDID) for port in ports if port.startswith(_UNDID)), None)


def inside(graph: Graph, steps: Steps, generation: int, left: Iterable[str]) -> list[str]:
    """What those undo steps say that undid runs of these actions, and not all of what they did."""
    tried = (steps.get(StepKey(graph.undone_by.get(node, ""), generation)) for node in left)
    return [step.error.message for step in tried if step and step.error and step.error.code == "items_not_undone"]


def unsure(graph: Graph, steps: Steps, generation: int, left: Iterable[str]) -> tuple[str, ...]:
    """Those of these actions whose undo step has had no answer: nobody knows whether they stand."""
    here = done(graph, steps, generation)
    found = []
    for node in left:
        step = steps.get(StepKey(graph.undone_by.get(node, ""), generation))
        lost = step is not None and step.error is not None and step.error.may_have_happened
        known = node in here and not _is_undone(graph, steps, generation, node)
        if lost or (node in graph.standing_unsure and not known):
            found.append(node)
    return tuple(found)


def incomplete(
    graph: Graph,
    gone: tuple[str, ...],
    left: tuple[str, ...],
    cause: StepError | None,
    inside: Iterable[str] = (),
    unsure: tuple[str, ...] = (),
    earlier: Iterable[str] = (),
) -> StepError:
    """What a person reads of a run that was not undone as a whole: what stands, or may (`unsure`), what was undone, and
    why at all. `inside`: what steps that undo whole runs say of what is in these; `earlier`: of what an earlier
    generation did something stands for certain, whatever became of the rest."""
    certain = {*earlier} - graph.standing_unsure
    stands = tuple(node for node in left if node not in unsure or node in certain)
    message = f"Still done: {_names(graph, stands)}." if stands else ""
    if unsure:
        message = f"{message} Nobody knows whether undone, for no answer came: {_names(graph, unsure)}.".strip()
    if gone:
        message += f" Undone: {_names(graph, gone)}."
    message = " ".join((message, *inside))
    message += " Look at what is still done and put it right, or undo it again."
    return StepError(
        code=INCOMPLETE,
        title="Not everything could be undone",
        message=message,
        detail=None if cause is None else f"It was undone because of this: {cause.title}. {cause.message}",
        kind="undo",
        may_have_happened=bool(unsure),
        node=graph.undone_by.get(left[0], left[0] if left[0] in graph.by_id else None),
    )


def _to_carry_out(graph: Graph, steps: Steps, generation: int) -> Iterator[str]:
    """Undo steps, in their order. What is switched off is not carried out."""
    for node in done(graph, steps, generation):
        by = graph.undone_by.get(node)
        if by is not None and not graph.by_id[by].settings.disabled:
            yield by


def _is_undone(graph: Graph, steps: Steps, generation: int, node: str) -> bool:
    by = graph.undone_by.get(node)
    step = None if by is None else steps.get(StepKey(by, generation))
    return step is not None and step.status is StepStatus.SUCCEEDED


def _names(graph: Graph, nodes: tuple[str, ...]) -> str:
    named = [graph.by_id[node].name if node in graph.by_id else graph.standing[node] for node in nodes[:_MOST_NAMES]]
    shown = ", ".join(f"“{name}”" for name in named)
    more = len(nodes) - _MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown
