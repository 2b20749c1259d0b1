"""Going on with a run that ended without being done: a plan first, then exactly that plan (I22).

`retry_plan` and `retry` read the same rows through the same function of the engine; a retry names the plan that it was
shown, and is refused where the run is no longer as it was then. So two people at once open one generation.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from runtime import queue
from runtime.api.cursors import decode_number, encode_number, page_size
from runtime.api.rows import document
from runtime.api.runs import run as one_run
from runtime.contracts import (
    JSON,
    Decision,
    Page,
    PlannedItem,
    PlanOutdated,
    RetryPlan,
    RetryRefused,
    RetryStep,
    RetryView,
    RunView,
)
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.engine.replay import Fate, PlannedStep
from runtime.interpreter import called_versions, four_eyes, own_plans
from runtime.interpreter.anew import check_anew, start_anew
from runtime.interpreter.asked_now import asks
from runtime.interpreter.calls import lost_try
from runtime.interpreter.edited_retries import problem
from runtime.interpreter.generations import decided, note_decision, paused_around, refuse_part_of_what_is_over
from runtime.interpreter.plain_retries import in_the_way, incompatible
from runtime.interpreter.released import AS_RELEASED, of_a_release
from runtime.interpreter.reopening import Found, carry_on, choices, look, next_rows, run_row, version_of
from runtime.store import beside
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Attempt, Hold, Replay, Run


def retry_plan(*, workspace_id: UUID, run_id: UUID, start: Sequence[str] = (), version: int | None = None) -> RetryPlan:
    """What a retry would keep, do again, repeat outside, and ask first. `start`: node ids to go on from, besides what
    did not end well; `version`: a number of `versions`, by default the run's own.

    Raises NotFound, NotRetryable, RetryRefused (a step that is not there), DataDamaged.
    """
    return _view(look(workspace_id, run_id, start, version))


def retry(
    *,
    workspace_id: UUID,
    run_id: UUID,
    plan: str,
    start: Sequence[str] = (),
    version: int | None = None,
    edits: Mapping[str, JSON] | None = None,
    decisions: Mapping[str, Decision] | None = None,
    repeats: Collection[str] = (),
    by: UUID | None = None,
) -> RunView:
    """Open the run's next generation by the plan with this id.

    `edits`: other settings, by node id, for steps that the plan begins with. `decisions`: what a person says of each
    step that asks. `repeats`: the steps that may do once more what they did outside. Raises NotFound, NotRetryable,
    PlanOutdated, RetryRefused.
    """
    edits, decisions = dict(edits or {}), dict(decisions or {})
    found = look(workspace_id, run_id, start, version)
    if _id_of(found, own_plans.counts(found)[1]) != plan:
        raise PlanOutdated("The run has changed since this plan was made. Look at the new plan.")
    lines = found.lines(edited=edits)
    refuse(found, lines, edits, decisions, set(repeats))
    rows = next_rows(found, lines, edits, decisions)
    who = "api" if by is None else f"user:{by}"
    with commit("run.replay"):
        refuse_part_of_what_is_over(found.row, lock=True, asks=found.asks)
        now = database_now()
        carry_on(
            found,
            lines,
            rows,
            who=who,
            now=now,
            attempts=[
                (node, lost.generation, lost.attempt, decided(one.happened))
                for node, one in decisions.items()
                if (lost := lost_try(found.tries[node])) is not None
            ],
            edits={node: {"before": input_of(found, node), "after": after} for node, after in edits.items()},
            decisions={node: {"happened": one.happened, "output": one.output} for node, one in decisions.items()},
            may=set(repeats),
        )
        _note_decisions(found, decisions, who, now)
        if edits:
            beside.tell(edits={node: edited(found, node, after) for node, after in edits.items()})
    queue.ring([run_id])
    return one_run(workspace_id=workspace_id, run_id=run_id)


def edited(found: Found, node: str, after: JSON) -> JSON:
    """What was changed, by name; what it was and is, by digest alone."""
    before = input_of(found, node)
    was, now = (one if isinstance(one, Mapping) else {} for one in (before, after))
    # A step that failed before it had its input has none to compare with: all that is given is new then.
    names: list[JSON] = [name for name in {**was, **now} if was.get(name) != now.get(name)]
    return {"changed": names, "sha256_before": beside.digest(before), "sha256_after": beside.digest(after)}


def retries(*, workspace_id: UUID, run_id: UUID) -> list[RetryView]:
    """The retries of a run, the oldest first. Raises NotFound."""
    one_run(workspace_id=workspace_id, run_id=run_id)
    columns = (
        "generation", "at", "by", "version_before__number", "version_after__number", "plan", "edits", "decisions",
        "kind", "reason",
    )  # fmt: skip
    return [
        RetryView(*row[:5], *(loads_stored(text) for text in row[5:8]), *row[8:]) for row in _recorded(run_id, columns)
    ]


def _recorded(run_id: UUID, columns: Sequence[str]) -> Iterator[Any]:
    """The rows of a run's further goes; of one that the run around it had, that it was that."""
    for row in Replay.objects.filter(run_id=run_id).order_by("generation").values_list(*columns):
        yield (*row[:2], row[2].partition(":")[0], *row[3:]) if row[2].startswith("run:") else row


def replay_as_new(*, workspace_id: UUID, run_id: UUID, version: int | None = None, by: UUID | None = None) -> RunView:
    """Start another run from the same event: everything is done anew, under keys of its own.

    Raises NotFound, NotRetryable (no event, or the version has no such start).
    """
    row = run_row(workspace_id, run_id)
    found = check_anew(row, version_of(row, version))
    with commit("run.replay"):
        new_id = start_anew(found, "api" if by is None else f"user:{by}", database_now())
        beside.tell(new_run=str(new_id))
    queue.ring([new_id])
    return one_run(workspace_id=workspace_id, run_id=new_id)


def retry_items(
    *,
    workspace_id: UUID,
    run_id: UUID,
    node: str,
    start: Sequence[str] = (),
    version: int | None = None,
    fate: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[PlannedItem]:
    """Of the runs that this step has begun those that are not done, by their number, and what a retry of the run makes
    of each; `fate`: only those of which it makes that (again, repeats, asks, open).

    Raises as `retry_plan` does, and BadCursor.
    """
    found = look(workspace_id, run_id, start, version)
    last, size = decode_number(after), page_size(limit)
    version_id = own_plans.version_for(found.version.graph.bodies, node, found.version.id)
    least = own_plans.first_that_counts(found, node)
    chosen = (
        own
        for own in own_plans.of_step(
            run_id, node, version_id, found.called, after=-1 if last is None else last, least=least
        )
        if fate in (None, own.fate)
    )
    owns = list(itertools.islice(chosen, size + 1))
    rows = {row.id: row for row in Run.objects.filter(pk__in=[own.row["id"] for own in owns[:size]])}
    views = [
        PlannedItem(one.id, own.row["item_index"], one.business_key, one.status, own.fate, document(one.error))
        for own in owns[:size]
        if (one := rows.get(own.row["id"])) is not None
    ]
    return Page(views, encode_number(owns[size - 1].row["item_index"]) if len(owns) > size else None)


def _id_of(found: Found, items: str) -> str:
    """The plan's name; `items`: a digest of what becomes of the runs that its steps have begun."""
    lines = [[line.node, line.fate.value, _why(line), line.first] for line in found.lines()]
    named = [str(found.row["id"]), found.row["generation"], found.row["seq"], str(found.version.id), *found.start]
    return hashlib.sha256(dumps([*named, lines, items]).encode()).hexdigest()[:32]


def _why(line: PlannedStep) -> str | None:
    return None if line.why is None else line.why.value


def _view(found: Found) -> RetryPlan:
    graph, lines = found.version.graph, found.lines()
    items, digest = own_plans.counts(found)
    lacks = own_plans.lacks(found)
    return RetryPlan(
        id=_id_of(found, digest),
        run_id=found.row["id"],
        generation=found.generation,
        version=found.version.number,
        versions=[number for _, number in choices(found.row)],
        steps=[
            RetryStep(
                node=line.node,
                key=graph.by_id[line.node].key,
                name=graph.by_id[line.node].name,
                type=graph.by_id[line.node].type,
                fate=line.fate.value,
                why=_why(line),
                first=line.first,
                input=input_of(found, line.node) if line.first else None,
                items=items.get(line.node),
                asks=asks(found, line.node) if line.first else None,
            )
            for line in lines
        ],
        incompatible=[graph.by_id[node].key for node in incompatible(found, lines)],
        dropped=[found.old.graph.by_id[node].name for node in lacks.dropped],
        missing=[found.old.graph.by_id[node].name for node in lacks.missing],
        paused_around=paused_around(found.row) is not None,
        workflow_held=Hold.objects.filter(pk__in=[found.row["workflow_id"], *_called(found, lines)]).exists(),
    )


def _called(found: Found, lines: Sequence[PlannedStep]) -> list[UUID]:
    """The workflows that the steps run which are gone on with."""
    drawn = [found.version.graph.by_id[line.node] for line in lines if line.fate is not Fate.KEPT]
    return [one for node in drawn if (one := called_versions.workflow_of(node)) is not None]


def input_of(found: Found, node: str) -> JSON:
    """What the step was given the last time."""
    row = found.steps.get(node)
    given: JSON = None if row is None else document(row.input)
    return given


# --- what is done -------------------------------------------------------------------------------------------------


def refuse(
    found: Found,
    lines: Sequence[PlannedStep],
    edits: Mapping[str, JSON],
    decisions: Mapping[str, Decision],
    repeats: Collection[str],
) -> None:
    """Raises RetryRefused with a sentence for each step that stands in the way."""
    refused = in_the_way(found, lines)
    # By the plan as it was shown: an edit must not make the run go on from elsewhere.
    begins = {line.node for line in found.lines() if line.first}
    for node in (*edits, *decisions):
        if node not in begins:
            refused[node] = "Only a step that the run goes on with can be changed."
    if edits and of_a_release(found.row):
        refused |= dict.fromkeys(edits, AS_RELEASED)
    refused = four_eyes.refused_edits(found, edits) | refused
    said = [node for node, one in decisions.items() if one.happened]
    refused = four_eyes.refused_words(found, said) | refused
    for node, after in edits.items():
        if node not in refused and (why := problem(found, node, input_of(found, node), after)) is not None:
            refused[node] = why
    for line in lines:
        if line.fate is Fate.ASKS and line.node not in decisions:
            refused.setdefault(line.node, "Say whether this happened, or whether it is to be sent again.")
        elif line.fate is Fate.REPEATS and line.node not in repeats:
            refused.setdefault(line.node, "This would happen a second time. Say that it may.")
        elif line.node in decisions and line.fate is not Fate.ASKS:
            refused.setdefault(line.node, "What became of this step is known.")
    if refused:
        raise RetryRefused(refused)


def _note_decisions(found: Found, decisions: Mapping[str, Decision], who: str, now: int) -> None:
    for node, decision in decisions.items():
        lost = lost_try(found.tries[node])
        if lost is not None:
            tries = Attempt.objects.filter(run_id=found.row["id"], node_id=node, generation=lost.generation)
            for attempt in tries.filter(attempt=lost.attempt):
                note_decision(attempt, happened=decision.happened, who=who, now=now)
