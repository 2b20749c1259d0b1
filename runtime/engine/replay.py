"""What a further go of a run keeps, what it does again, and what somebody has to decide first.

A run that ended without being done is gone on with by opening its next generation: the steps that stand are taken over
as they are, all others are done anew, by the same law (`advance`, which hears `RunReopened`). Only what the plan calls
kept is taken over, and what is taken over is never executed: so nothing is repeated that the plan does not name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from runtime.engine.graph import Graph
from runtime.engine.state import RunState, RunStatus, StepError, StepState, StepStatus
from runtime.engine.undo import may_have_happened as may_be_done

#: Answers of another system that say "wait", not "no": what was asked for may have happened nevertheless (I11).
_UNDECIDED_ANSWERS: Final = frozenset({408, 409, 425, 429})
#: The code of the error of an undo step of which a person said that it did nothing.
SAID_NOT_DONE: Final = "said_not_done"
#: What fails before anything is sent.
_NEVER_SENT: Final = frozenset({"config"})
#: What a worker has to know to carry on with a further generation; an older one leaves it to others (I30).
NEEDS_ENGINE: Final = 2
#: From where a run may be gone on with.
REOPENS: Final = frozenset({RunStatus.DEAD_LETTERED, RunStatus.CANCELLED, RunStatus.COMPENSATED})


class Fate(StrEnum):
    """What becomes of one step in the next generation."""

    #: Its result is taken over; nothing is sent.
    KEPT = "kept"
    #: It is done again, and nothing outside can happen twice by that.
    AGAIN = "again"
    #: What it did outside happens once more.
    REPEATS = "repeats"
    #: Nobody knows whether it happened: a person says so first.
    ASKS = "asks"
    #: The run had not come to it.
    NEXT = "next"


class Known(StrEnum):
    """What is known of the last time a step did something outside."""

    #: Nothing was ever sent, or nothing that a repetition could hurt (`pure`, `read`).
    HARMLESS = "harmless"
    #: It did it.
    HAPPENED = "happened"
    #: The other side said no.
    REFUSED = "refused"
    #: The answer was lost; the same key makes it safe to ask again.
    SAME_KEY = "same_key"
    #: The answer was lost, and asking again could do it twice.
    IN_DOUBT = "in_doubt"
    #: It was undone: done again, under a new key, it is done once.
    UNDONE = "undone"
    #: It had another workflow do something, which is gone on with; given something else it has it done anew.
    CALLED = "called"


def may_have_happened(error: StepError) -> bool:
    """Whether a step can have done what it was to do and failed nevertheless: it was answered, but not in the way its
    settings call a success, or its result could not be kept."""
    return error.code.startswith("output_") or (error.http_status is not None and error.http_status < 400)


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One line of the plan. `why` is None for what is kept, and where the run had not come to the step."""

    node: str
    fate: Fate
    why: Known | None = None
    #: It was begun before, and begins at once: with what it was given then, or with something else.
    first: bool = False


def is_definite(error: StepError) -> bool:
    """Whether this failure says that nothing happened outside (I11): a refusal, or nothing was sent."""
    if error.http_status is not None:
        return 400 <= error.http_status < 500 and error.http_status not in _UNDECIDED_ANSWERS
    return error.kind in _NEVER_SENT


def plan(
    graph: Graph,
    state: RunState,
    known: Mapping[str, Known],
    *,
    start: Iterable[str] = (),
    edited: Iterable[str] = (),
    changed: Iterable[str] = (),
    moved: Iterable[str] = (),
    own_runs: Iterable[str] = (),
    with_runs: Iterable[str] = (),
) -> tuple[PlannedStep, ...]:
    """Each step's fate, in the order of the graph, leaving out those that no way led to.

    `known`: of the steps that were ever begun and may have done something outside. `start`: steps to go on from (node
    ids), besides those that have not ended well; all that is behind them is done anew. `edited`: steps that get other
    settings than before. `changed`: steps that would, were they done anew, because the drawing is another one, or that
    were last given something else than what was lost. `moved`: steps that the drawing comes to in another way.
    `own_runs`: steps that are done, but some of whose runs are to be brought to their end, which changes no result.
    `with_runs`: steps that have begun runs, in whichever go: these are gone on with once the run comes to the step.
    """
    begun, others, elsewhere, look = {*start, *edited}, {*edited, *changed}, {*moved}, {*own_runs}
    not_next = {*with_runs}
    after = behind(graph, begun)
    anew = after | begun
    lines: list[PlannedStep] = []
    for node in graph.order:
        if node in graph.undoes:
            continue
        step, what = state.step(node), known.get(node, Known.HARMLESS)
        if node not in anew and step is not None:
            if step.status is StepStatus.SKIPPED and node not in elsewhere:
                continue
            if _stands(step) and node not in look:
                lines.append(PlannedStep(node, Fate.KEPT))
                continue
        was_begun = step is not None and step.status is not StepStatus.SKIPPED and step.attempt > 0
        if not was_begun and node not in not_next and what in (Known.HARMLESS, Known.REFUSED, Known.UNDONE):
            lines.append(PlannedStep(node, Fate.NEXT))
        else:
            first = was_begun and node not in after and node not in elsewhere
            lines.append(PlannedStep(node, _fate(what, same=first and node not in others, asks=first), what, first))
    return tuple(lines)


def fate_of_run(lines: Iterable[PlannedStep]) -> Fate:
    """What becomes of a run that ended and that another has begun, when that other is gone on with: it is gone on with
    too, unless something of it could happen twice, or nobody knows whether it happened."""
    fates = {line.fate for line in lines}
    return next((fate for fate in (Fate.ASKS, Fate.REPEATS) if fate in fates), Fate.AGAIN)


def incompatible(old: Graph, new: Graph, kept: Iterable[str]) -> tuple[str, ...]:
    """Of the steps to be kept, those that another version reaches otherwise, or that are something else in it."""
    found = []
    for node in kept:
        before, after = old.by_id.get(node), new.by_id.get(node)
        if before is None or after is None:
            continue  # taken out: what it did stays done, and nothing of the new version asks for it
        if (before.type, before.key) != (after.type, after.key) or is_moved(old, new, node):
            found.append(node)
    return tuple(found)


def dropped(old: Graph, new: Graph, state: RunState, unknown: Iterable[str]) -> tuple[str, ...]:
    """Of the steps of which nobody knows what they did outside those that another version no longer has (I12): in the
    new drawing nobody would be asked any more. Not those that the run went on past: that was decided by the drawing."""
    gone = [node for node in unknown if node in old.by_id and node not in new.by_id]
    return tuple(node for node in gone if (step := state.step(node)) is None or not _stands(step))


def missing(old: Graph, new: Graph, state: RunState, known: Mapping[str, Known]) -> tuple[str, ...]:
    """Steps that another version no longer has, and that did something outside that stands: in the new drawing nobody
    would undo it, and drawn anew it would be done a second time (I24)."""
    found = []
    for node in old.order:
        if node in new.by_id or node in old.undoes:
            continue
        what, step = known.get(node, Known.HARMLESS), state.step(node)
        is_undoable = node in old.undone_by and what is not Known.UNDONE
        if what is Known.HAPPENED or (is_undoable and step is not None and may_be_done(step)):
            found.append(node)
    return tuple(found)


def is_moved(old: Graph, new: Graph, node: str) -> bool:
    """Whether another version comes to this step in another way."""
    return node not in old.by_id or set(old.before[node]) != set(new.before[node])


def _stands(step: StepState) -> bool:
    """It ended so that the run could go on past it."""
    return step.status is StepStatus.SUCCEEDED or (step.status is StepStatus.FAILED and bool(step.ports))


def _fate(known: Known, *, same: bool, asks: bool) -> Fate:
    """`same`: it is asked for the same as before. `asks`: a person can say what became of it before it begins."""
    match known:
        case Known.HARMLESS | Known.REFUSED | Known.UNDONE:
            return Fate.AGAIN
        case Known.SAME_KEY | Known.CALLED:
            # Something else under the same key would not be recognised, so it gets another key.
            return Fate.AGAIN if same else Fate.REPEATS
        case Known.HAPPENED:
            return Fate.REPEATS
        case Known.IN_DOUBT:
            return Fate.ASKS if asks else Fate.REPEATS


def behind(graph: Graph, start: Iterable[str]) -> set[str]:
    """Everything that a way leads to from these steps."""
    found: set[str] = set()
    todo = [target for node in start for target in graph.after.get(node, ())]
    while todo:
        node = todo.pop()
        if node not in found:
            found.add(node)
            todo += graph.after[node]
    return found
