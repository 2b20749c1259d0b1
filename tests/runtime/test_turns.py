"""One workflow with a long backlog holds up no other (I21): told by the order of claims, not by clocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import count
from uuid import UUID

from runtime.engine.ids import uuid7
from runtime.store.models import Run, Version
from runtime.store.records import Claimed
from runtime.store.tickets import Wanted
from runtime.store.turns import ROUNDS, Turns
from runtime.store.writer import Writer
from tests.runtime.machine import Machine, flow, look
from tests.runtime.rows import WORKSPACE, a_version
from tests.runtime.test_writer_promises import run

BIG, SMALL, THIRD = (UUID(int=number) for number in (1, 2, 3))
ELSEWHERE = UUID(int=99)
_wake: Iterator[int] = count(1)


def due(version: Version, workflow_id: UUID, number: int, *, workspace_id: UUID = WORKSPACE) -> list[UUID]:
    """So many runs that are due, behind all those that were made before."""
    rows = [
        Run(
            id=uuid7(),
            workspace_id=workspace_id,
            workflow_id=workflow_id,
            version=version,
            trigger_node="start",
            started_by="api",
            status="accepted",
            accepted_at=1,
            wake_at=next(_wake),
        )
        for _ in range(number)
    ]
    Run.objects.bulk_create(rows)
    return [row.id for row in rows]


def claim(writer: Writer, limit: int, turns: Turns | None) -> list[Claimed]:
    return run(ask(writer, Wanted(None, limit, writer.owner, (), turns)))


async def ask(writer: Writer, wanted: Wanted) -> list[Claimed]:
    return await writer.claiming(wanted)


def shares(claimed: list[Claimed]) -> Counter[UUID]:
    return Counter(one.workflow_id for one in claimed)


def test_where_everything_fits_the_longest_waiting_comes_first(writer: Writer) -> None:
    version = a_version()
    big, small = due(version, BIG, 5), due(version, SMALL, 1)
    assert {one.run_id for one in claim(writer, 5, None)} == set(big)
    assert {one.run_id for one in claim(writer, 5, None)} == set(small)


def test_each_workflow_gets_its_share_however_long_another_waits(writer: Writer) -> None:
    version = a_version()
    big, small = due(version, BIG, 500), due(version, SMALL, 2)
    claimed = claim(writer, 20, Turns())
    # Of the small one everything; the big one fills the rest, and the first of both come first.
    assert shares(claimed) == {BIG: 18, SMALL: 2}
    assert {one.run_id for one in claimed} == {*big[:18], *small}


def test_room_for_one_goes_to_one_after_the_other(writer: Writer) -> None:
    version = a_version()
    due(version, BIG, 100)
    due(version, SMALL, 100)
    due(version, THIRD, 2)
    turns = Turns()
    order = [claim(writer, 1, turns)[0].workflow_id for _ in range(10)]
    assert order == [BIG, SMALL, THIRD, BIG, SMALL, THIRD, BIG, SMALL, BIG, SMALL]


def test_workspaces_take_turns_too(writer: Writer) -> None:
    version = a_version()
    for number in range(10, 20):
        due(version, UUID(int=number), 10)
    due(version, SMALL, 10, workspace_id=ELSEWHERE)
    turns = Turns()
    claimed = [claim(writer, 1, turns)[0] for _ in range(8)]
    assert Counter(one.workspace_id for one in claimed) == {WORKSPACE: 4, ELSEWHERE: 4}
    assert len(shares([one for one in claimed if one.workspace_id == WORKSPACE])) == 4


def test_many_workflows_fill_a_claim_by_turns_alone(writer: Writer) -> None:
    version = a_version()
    due(version, BIG, 200)
    for number in range(10, 18):
        due(version, UUID(int=number), 10)
    assert set(shares(claim(writer, 9 * ROUNDS, Turns())).values()) == {ROUNDS}


def test_what_is_not_due_has_no_turn(writer: Writer) -> None:
    version = a_version()
    due(version, BIG, 3)
    later = due(version, SMALL, 1)
    Run.objects.filter(pk__in=later).update(wake_at=2**50)
    assert shares(claim(writer, 10, Turns())) == {BIG: 3}


def test_a_lapsed_lease_is_found_too(writer: Writer) -> None:
    version = a_version()
    (lapsed,) = due(version, SMALL, 1)
    Run.objects.filter(pk=lapsed).update(lease_owner="dead", lease_token=1, lease_expires_at=1, claims=1)
    due(version, BIG, 3)
    assert shares(claim(writer, 10, Turns())) == {BIG: 3, SMALL: 1}


def test_a_fresh_run_passes_a_backlog(idle_machine: Machine) -> None:
    """Whole: with room for eight, a hundred and twenty that wait, and one that comes last of all."""
    workflow_id = idle_machine.publish(flow("start -> a -> b"))
    backlog = [idle_machine.begin_again(workflow_id) for _ in range(120)]
    fresh = idle_machine.begin(flow("start -> a"))
    idle_machine.start(most_runs=8)
    assert idle_machine.finish(fresh).status == "completed"
    ahead = Run.objects.filter(workflow_id=workflow_id, started_at__lte=look(fresh).started_at).count()
    assert ahead < 60
    for run_id in backlog:
        idle_machine.finish(run_id)
