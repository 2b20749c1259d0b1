"""Which runs stand where, by the search, is what looking at each row by itself says."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import RunFilters
from runtime.engine.ids import uuid7
from runtime.store.models import DeadLetter, Run, StepRun
from runtime.store.reads import UNDO_INCOMPLETE
from runtime.store.run_queries import MOVING
from tests.runtime.rows import WORKSPACE, a_version

pytestmark = pytest.mark.django_db(transaction=True)

NODES = ("n_a", "n_b", "n_c")
OTHER = uuid7()


def world(seed: int) -> None:
    pick = random.Random(seed)
    version = a_version('{"nodes":[],"edges":[]}')
    workflows = [uuid7(), uuid7()]
    made: list[Run] = []
    for number in range(45):
        around = pick.choice(made) if made and pick.random() < 0.4 else None
        is_item = around is not None and pick.random() < 0.7
        over = pick.random() < 0.5
        status = pick.choice(
            ("completed", "dead_lettered", "cancelled", "compensated") if over
            else ("accepted", "running", "waiting_timer", "waiting_human", "compensating", "parked")
        )  # fmt: skip
        run = Run.objects.create(
            workspace_id=around.workspace_id if around else pick.choice((WORKSPACE, WORKSPACE, OTHER)),
            workflow_id=around.workflow_id if is_item and around else pick.choice(workflows),
            version=version, trigger_node="n_list" if is_item else "n_start", started_by="test", status=status,
            outcome="skipped" if status == "completed" and pick.random() < 0.3 else None,
            accepted_at=number + 1, finished_at=1_000 + number if over else None,
            mode=pick.choice(("live", "live", "test")), generation=pick.choice((1, 2)),
            parent_run_id=around.pk if around else None, parent_node="n_list" if around else None,
            item_index=number if around else None, detached=around is not None and not is_item and pick.random() < 0.5,
            error=f"{{{UNDO_INCOMPLETE}}}" if status == "dead_lettered" and pick.random() < 0.3 else None,
        )  # fmt: skip
        made.append(run)
        for node in NODES:
            if pick.random() < 0.6:
                StepRun.objects.create(
                    run=run, node_id=node, node_key=node, generation=run.generation, seq=1,
                    status=pick.choice((*MOVING, "waiting", "succeeded", "failed", "skipped")),
                )  # fmt: skip
        for generation in range(1, run.generation + 1):
            if pick.random() < 0.5:
                DeadLetter.objects.create(
                    workspace_id=run.workspace_id, workflow_id=run.workflow_id, run=run, node_id=pick.choice(NODES),
                    generation=generation, code="x", cause="c", title="", message="", pattern="", at=number,
                    solved_at=5 if pick.random() < 0.3 else None,
                )  # fmt: skip


def given_up(run: Run, runs: dict[UUID, Run], levels: int) -> bool:
    if run.status in ("compensating", "compensated", "cancelled"):
        return True
    if run.status == "dead_lettered" and UNDO_INCOMPLETE in (run.error or ""):
        return True
    if run.status == "completed" and run.outcome == "skipped":
        return True
    around = runs.get(run.parent_run_id) if run.parent_run_id and not run.detached else None
    return around is not None and levels > 0 and given_up(around, runs, levels - 1)


def by_hand(filters: RunFilters, runs: dict[UUID, Run], steps_of: Any, letters_of: Any) -> list[UUID]:
    """Newest first."""
    found = []
    for run in runs.values():
        is_item = run.parent_run_id is not None and run.trigger_node == run.parent_node
        if run.workspace_id != WORKSPACE or (is_item and filters.workflow_id is None):
            continue
        if filters.workflow_id not in (None, run.workflow_id) or filters.mode not in (None, run.mode):
            continue

        def wanted(node: str) -> bool:
            return filters.nodes is None or node in filters.nodes

        steps = [one.status for one in steps_of[run.pk] if wanted(one.node_id)]
        open_ = run.finished_at is None
        last = letters_of[run.pk][-1] if letters_of[run.pk] else None
        around = runs.get(run.parent_run_id) if run.parent_run_id and not run.detached else None
        waits = last is not None and last.solved_at is None and wanted(last.node_id) and not (
            around is not None and given_up(around, runs, 3))  # fmt: skip
        says = {
            "running": open_ and not set(MOVING).isdisjoint(steps),
            "waiting": open_ and "waiting" in steps,
            "failed": waits,
        }
        assert filters.stands is not None
        if any(says.values()) if filters.stands == "any" else says[filters.stands]:
            found.append(run.pk)
    return sorted(found, reverse=True)


def paged(filters: RunFilters) -> list[UUID]:
    found: list[UUID] = []
    after = None
    while True:
        page: Any = api.runs(workspace_id=WORKSPACE, filters=filters, after=after, limit=20)
        found += [one.id for one in page.items]
        after = page.next_cursor
        if after is None:
            return found


@pytest.mark.parametrize("seed", range(3))
def test_the_search_finds_what_each_row_by_itself_says(seed: int) -> None:
    world(seed)
    workflows = sorted(set(Run.objects.filter(workspace_id=WORKSPACE).values_list("workflow_id", flat=True)))
    runs = {run.pk: run for run in Run.objects.all()}
    steps, letters = defaultdict[UUID, list[StepRun]](list), defaultdict[UUID, list[DeadLetter]](list)
    for one in StepRun.objects.all():
        steps[one.run_id].append(one)
    for letter in DeadLetter.objects.order_by("generation"):
        letters[letter.run_id].append(letter)
    some = 0
    for workflow in (None, *workflows):
        for nodes in (None, ("n_a",), ("n_b", "n_c")):
            for stands in ("any", "running", "waiting", "failed"):
                for mode in (None, "live"):
                    filters = RunFilters(workflow_id=workflow, nodes=nodes, stands=stands, mode=mode)
                    expected = by_hand(filters, runs, steps, letters)
                    assert paged(filters) == expected, filters
                    assert api.count_runs(workspace_id=WORKSPACE, filters=filters).count == len(expected)
                    some += len(expected)
    assert some > 50
