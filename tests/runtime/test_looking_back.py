"""A run is looked back on: how it stood at each moment, what was the last good one, and where two went apart."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from runtime import api
from runtime.api import comparing, looking_back
from runtime.contracts import NotFound, RuntimeRefused
from runtime.contracts.looking_back import PlaybackFrame, RunPlayback
from runtime.store.models import Run, StepRun
from tests.runtime.fixtures import World
from tests.runtime.machine import RETRY_SOON, WORKSPACE, Machine, fields, flow, pause, post, step
from tests.runtime.test_own_runs import each, inside
from tests.runtime.test_retrying import go_on, mended, refused
from tests.runtime.test_undoing import saga

INVOICE = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10, "currency": "EUR"}


def film(run_id: UUID) -> RunPlayback:
    return api.playback(workspace_id=WORKSPACE, run_id=run_id)


def stood(frames: Any) -> dict[tuple[str, int], tuple[str, tuple[str, ...]]]:
    """How each step stands after these frames, by its generation."""
    return {
        (one.node, one.generation): (one.status, tuple(one.ports)) for frame in frames for one in frame.steps
    }  # fmt: skip


def rows(run_id: UUID) -> dict[tuple[str, int], str]:
    found = StepRun.objects.filter(run_id=run_id).values_list("node_id", "generation", "status")
    return {(node, generation): status for node, generation, status in found}


def ends_as_it_is(run_id: UUID) -> list[PlaybackFrame]:
    """Every film ends with the run as it is, and its moments never fall."""
    frames = list(film(run_id).frames)
    run = Run.objects.get(pk=run_id)
    assert {key: status for key, (status, _) in stood(frames).items()} == rows(run_id)
    assert (frames[-1].status, frames[-1].generation) == (run.status, run.generation)
    assert [frame.at for frame in frames] == sorted(frame.at for frame in frames)
    assert frames[0].at == run.accepted_at
    return frames


def at_work(frames: list[PlaybackFrame], node: str) -> list[str]:
    """What a step was, one after the other."""
    return [one.status for frame in frames for one in frame.steps if one.node == node]


def test_a_film_shows_each_step_at_work_before_it_is_done_and_ends_with_the_run_as_it_is(
    machine: Machine, world: World
) -> None:
    call = post("pay", f"{world.url}/with/slow=30/invoices", INVOICE)
    run = machine.run(flow("start -> a -> pay -> nap -> b", call, pause("nap", 0.3)))
    frames = ends_as_it_is(run.id)
    assert at_work(frames, "pay")[-2:] == ["running", "succeeded"]
    assert at_work(frames, "nap")[-2:] == ["waiting", "succeeded"]
    waiting = next(one for frame in frames for one in frame.steps if one.status == "waiting")
    assert (waiting.wait, waiting.until is not None) == ("timer", True)
    assert [frame.status for frame in frames if frame.status == "waiting_timer"], "and what the run was meanwhile"


def test_a_film_shows_every_try(machine: Machine, world: World) -> None:
    call = post("pay", f"{world.url}/with/fail=503*1/invoices", INVOICE, retry=RETRY_SOON)
    frames = ends_as_it_is(machine.run(flow("start -> pay -> b", call)).id)
    seen = at_work(frames, "pay")
    assert "retrying" in seen
    assert seen[-1] == "succeeded"
    tries = [one.attempt for frame in frames for one in frame.steps if one.node == "pay"]
    assert tries == sorted(tries)
    assert tries[-1] == 2


def test_a_film_goes_on_through_a_retry_and_an_undo(machine: Machine, world: World) -> None:
    run = refused(machine, world)
    go_on(run.id, edits={"second": mended(run.id, world)})
    machine.finish(run.id)
    frames = ends_as_it_is(run.id)
    assert {frame.generation for frame in frames} == {1, 2}
    opened = next(number for number, frame in enumerate(frames) if frame.generation == 2)
    assert frames[opened].kind == "retried"
    assert frames[opened - 1].status == "dead_lettered"
    again = [one for frame in frames[opened:] for one in frame.steps if one.node == "first"]
    assert [one.status for one in again] == ["succeeded"], "what was kept does not begin again"

    taken_back = machine.run(saga(world))
    frames = ends_as_it_is(taken_back.id)
    assert "compensating" in [frame.status for frame in frames]
    assert at_work(frames, "undo_one")[-1] == "succeeded"


def test_a_film_counts_the_items_of_a_list_as_they_end(machine: Machine, world: World) -> None:
    graph = flow("start -> each -> after", each(), *inside("each", fields("name", of="{{ item }}")))
    run = machine.run(graph, {"lines": ["a", "b", "c"]})
    ends_as_it_is(run.id)
    points = film(run.id).items["each"]
    assert points[-1][1:] == (3, 3, 0)
    assert [one.at for one in points] == sorted(one.at for one in points)
    item = Run.objects.filter(parent_run_id=run.id).first()
    assert item is not None
    ends_as_it_is(item.id)


def test_of_very_many_items_as_many_points_are_told_as_anybody_can_tell_apart() -> None:
    points = looking_back._points([(number, 0) for number in range(20_000)] + [(30_000 + n, 1) for n in range(20_000)])
    assert len(points) <= looking_back.MOST_POINTS
    assert points[-1] == (49_999, 20_000, 20_000, 0)


def test_of_a_very_long_film_the_beginning_is_drawn_together(
    machine: Machine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = machine.run(flow("start -> a -> pay -> b -> c", post("pay", f"{world.url}/invoices", INVOICE)))
    whole = film(run.id)
    monkeypatch.setattr(looking_back, "MOST_FRAMES", 3)
    short = film(run.id)
    assert (whole.whole, short.whole, len(short.frames)) == (True, False, 3)
    assert stood(short.frames) == stood(whole.frames)


def choosing() -> dict[str, Any]:
    rules = [{"left": "{{ trigger.total }}", "op": "gt", "right": "100"}]
    return flow(
        "start -> big, big:yes -> ask, big:no -> book",
        step("big", "flow.decision@1", {"conditions": {"match": "all", "rules": rules}}),
        fields("ask", who="{{ trigger.name }}"),
        fields("book", what="x"),
    )


def test_two_runs_go_apart_where_their_ways_do_and_not_at_their_start(machine: Machine) -> None:
    workflow = machine.publish(choosing())
    one = machine.finish(machine.begin_again(workflow, {"total": 500, "name": "A", "same": 1}))
    two = machine.finish(machine.begin_again(workflow, {"total": 5, "name": "B", "same": 1}))
    found = api.compare(workspace_id=WORKSPACE, run_id=one.id, other_id=two.id)
    differing = {step.node: step.differs for step in found.differing}
    assert found.first == "big"
    assert "way" in differing["big"]
    assert "status" in differing["ask"]
    fields_ = {field.path: (field.change, field.here, field.there) for field in found.start}
    assert fields_ == {("total",): ("changed", 500, 5), ("name",): ("changed", "A", "B")}
    _, came_out = api.compare_step(workspace_id=WORKSPACE, run_id=one.id, other_id=two.id, node_id="start")
    assert [field.path for field in came_out] == [("total",), ("name",)]


def test_what_tells_of_the_call_alone_is_no_start_data() -> None:
    told = [
        ("received_at",),
        ("headers", "Content-Length"),
        ("body", "received_at"),
        ("headers", "x-customer"),
        ("headers",),
    ]
    assert [path for path in told if comparing._is_of_the_call(path)] == told[:2]


def test_a_run_does_not_differ_from_itself(machine: Machine) -> None:
    run = machine.run(choosing(), {"total": 1, "name": "A"})
    found = api.compare(workspace_id=WORKSPACE, run_id=run.id, other_id=run.id)
    assert (found.differing, found.first, found.start) == ([], None, [])


def test_how_long_a_step_took_differs_only_if_anybody_would_notice(machine: Machine) -> None:
    run = machine.run(flow("start -> nap", pause("nap", 0.6)))
    quick = machine.run(flow("start -> nap", pause("nap", 0.1)))
    Run.objects.filter(pk=quick.id).update(workflow_id=run.workflow_id)
    found = api.compare(workspace_id=WORKSPACE, run_id=run.id, other_id=quick.id)
    assert "duration" in {step.node: step.differs for step in found.differing}["nap"]
    assert "start" not in {step.node for step in found.differing}


def test_the_last_good_run_is_the_newest_before_it_in_which_nothing_failed(machine: Machine) -> None:
    lines = flow(
        "start -> each",
        each(stop="never"),
        *inside("each", fields("name", of="{{ 1 / item }}", settings={"retry": {"attempts": 1}})),
    )
    workflow = machine.publish(lines)
    inputs: list[Any] = [[1], [1, 2], [0, 1], "no list", [1]]
    first, good, partly, failed, later = (
        machine.finish(machine.begin_again(workflow, {"lines": given})) for given in inputs
    )
    assert (partly.status, partly.failed_items, failed.status) == ("completed", 1, "dead_lettered")
    assert later.status == "completed"

    def last(run_id: UUID) -> UUID | None:
        return api.last_good(workspace_id=WORKSPACE, run_id=run_id)

    assert last(failed.id) == good.id
    assert last(good.id) == first.id
    assert last(first.id) is None
    item = Run.objects.get(parent_run_id=partly.id, item_index=0)
    assert last(item.id) is not None, "an item is held against the item before it"


def test_runs_of_others_and_of_other_workflows_are_not_compared(machine: Machine) -> None:
    one, two = machine.run(flow("start -> a")), machine.run(flow("start -> a"))
    with pytest.raises(RuntimeRefused) as refusal:
        api.compare(workspace_id=WORKSPACE, run_id=one.id, other_id=two.id)
    assert refusal.value.code == "other_workflow"
    for workspace_id, run_id, other_id in ((uuid4(), one.id, one.id), (WORKSPACE, one.id, uuid4())):
        with pytest.raises(NotFound):
            api.compare(workspace_id=workspace_id, run_id=run_id, other_id=other_id)
    for ask in (api.playback, api.last_good):
        with pytest.raises(NotFound):
            ask(workspace_id=uuid4(), run_id=one.id)
    with pytest.raises(NotFound):
        api.compare_step(workspace_id=WORKSPACE, run_id=one.id, other_id=one.id, node_id="nowhere")
