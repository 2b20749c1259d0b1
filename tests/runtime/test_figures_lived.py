"""Figures of runs that really ran: added up by the ticker beside them, and how things stand now."""

from __future__ import annotations

from runtime import api
from runtime.contracts.figures import Figures
from runtime.store.models import Run, StandingFigure
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, flow, post, wait_until
from tests.runtime.rows import now_ms

HOUR = 3_600_000


def seen() -> Figures:
    return api.figures(workspace_id=WORKSPACE, begin=now_ms() - HOUR, end=now_ms())


def test_the_ticker_adds_up_what_runs_do_beside_it(machine: Machine) -> None:
    graph = flow("start -> a")
    first = machine.run(graph)
    for _ in range(4):
        machine.finish(machine.begin_again(first.workflow_id))
    wait_until(lambda: seen().happened.completed == 5)
    figures = seen()
    assert (figures.happened.started, figures.happened.received, figures.happened.success) == (5, 5, 1.0)
    assert figures.took.count == 5
    run = Run.objects.get(pk=first.id)
    assert run.finished_at is not None
    slowest = max(one.finished_at - one.accepted_at for one in Run.objects.all() if one.finished_at is not None)
    assert figures.took.p99 is not None
    assert figures.took.p99 <= slowest * 1.01 + 1
    assert [marker.number for marker in figures.markers] == [1]


def test_calls_that_fail_are_told_by_the_system_they_went_to(machine: Machine, world: World) -> None:
    failing = post("pay", f"{world.url}/with/fail=503/invoices", {"order": 1}, retry={"attempts": 1})
    ended = machine.run(flow("start -> pay", failing))
    assert ended.status == "dead_lettered"
    wait_until(lambda: seen().happened.failed == 1)
    figures = seen()
    assert figures.happened.letters == 1
    assert [(one.step_type, one.connection_id, one.errors > 0) for one in figures.systems] == [
        ("http.request", None, True)
    ]
    assert api.standing(workspace_id=WORKSPACE).letters == 1
    wait_until(lambda: StandingFigure.objects.filter(letters=1).exists())


def test_who_is_alive_and_what_waits_is_told_as_it_is(machine: Machine) -> None:
    machine.run(flow("start -> a"))
    standing = api.standing(workspace_id=WORKSPACE)
    assert [(one.kind, one.alive) for one in standing.workers] == [("embedded", True)]
    assert (standing.queue, standing.letters, standing.tasks, standing.stuck) == (0, 0, 0, [])
    assert standing.free_bytes > 0
    assert standing.database_bytes > 0


def test_what_is_stuck_is_told_with_its_reason(idle_machine: Machine) -> None:
    idle_machine.start()
    graph = flow("start -> a")
    workflow = idle_machine.publish(graph)
    idle_machine.stop()
    waits, parked = (idle_machine.begin_again(workflow) for _ in range(2))
    Run.objects.filter(pk=waits).update(wake_at=now_ms() - 60_000)
    Run.objects.filter(pk=parked).update(
        status="parked", wake_at=None, waiting='{"kind":"parked","since":1,"text":"Set aside: its worker dies here."}'
    )
    standing = api.standing(workspace_id=WORKSPACE)
    told = {one.reason: (one.count, one.text, [run for run, _ in one.runs]) for one in standing.stuck}
    assert told == {
        "not_taken": (1, None, [waits]),
        "set_aside": (1, "Set aside: its worker dies here.", [parked]),
    }
    assert standing.queue == 1
    assert standing.queue_since is not None
