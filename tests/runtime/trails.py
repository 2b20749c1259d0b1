"""The trail of every run in the database, folded and held against what is stored (I40)."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from runtime.engine.jsonprofile import loads_stored
from runtime.engine.state import StepKey
from runtime.engine.trail import Entry, Rebuilt, Stood, differences, rebuild
from runtime.store.models import Attempt, Run, StepRun
from runtime.store.transitions import Transition


def entries_of(run_id: UUID) -> list[Entry]:
    """The transitions of a run."""
    columns = ("number", "seq", "token", "generation", "status_before", "status", "outcome", "detail")
    rows = Transition.objects.filter(run_id=run_id).order_by("number").values_list(*columns)
    found: list[Any] = [(*row[:-1], {} if row[-1] is None else loads_stored(row[-1])) for row in rows]
    return [Entry._make(row) for row in found]


def broken_trails() -> list[str]:
    """What is wrong with the trails of all runs, in words; empty when each run's state is what its trail says."""
    steps: dict[UUID, list[Stood]] = defaultdict(list)
    for row in StepRun.objects.all():
        steps[row.run_id].append(Stood(_said(row), row.seq, row.token))
    attempts: dict[UUID, dict[Any, str]] = defaultdict(dict)
    for one in Attempt.objects.all():
        attempts[one.run_id][one.node_id, one.generation, one.attempt] = one.status
    found = []
    for run in Run.objects.all():
        rows = steps[run.id]
        stored = Rebuilt(run.status, run.outcome, run.generation, run.seq, run.lease_token)
        stored.steps = {StepKey(row.said[0], row.said[1]): row.said for row in rows}
        stored.attempts = attempts[run.id]
        folded = rebuild(entries_of(run.id), rows)
        found += [f"{run.id}: {text}" for text in (*folded.faults, *differences(folded, stored))]
    return found


def _said(row: StepRun) -> tuple[Any, ...]:
    ports: Any = loads_stored(row.ports)
    wait: Any = None if row.wait is None else loads_stored(row.wait)
    return (
        row.node_id, row.generation, row.status, row.attempt, ports, row.due_at, row.commit_seq, row.started_at, wait,
    )  # fmt: skip
