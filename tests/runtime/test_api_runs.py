"""Starting, looking at and finding runs."""

from __future__ import annotations

import shutil

import pytest

from runtime import api
from runtime.api import health
from runtime.api.cursors import BadCursor
from runtime.api.rows import DataDamaged
from runtime.contracts import (
    EventFilters,
    GraphHasProblems,
    HealthItem,
    KeyReused,
    NotFound,
    NotStartable,
    RunFilters,
    RuntimeRefused,
)
from runtime.engine.ids import uuid7
from runtime.engine.naming import folded
from runtime.store import artifacts
from runtime.store.dialect import database_now
from runtime.store.models import Event, Run, RunField, Version
from tests.runtime.machine import WORKSPACE, Machine, cut_short, detail, fields, flow, pause, step


def test_a_start_is_durable_before_it_is_answered(idle_machine: Machine) -> None:
    workflow_id = idle_machine.publish(flow("start -> a"))
    person = uuid7()
    started = api.start_run(workspace_id=WORKSPACE, workflow_id=workflow_id, input={"n": 1}, by=person)
    run = Run.objects.get(pk=started.run_id)
    assert (run.status, run.started_by) == ("accepted", f"user:{person}")
    event = Event.objects.get(pk=started.event_id)
    assert bytes(event.body or b"") == b'{"n":1}'
    assert event.source == "manual"


def test_the_same_key_is_the_same_start(idle_machine: Machine) -> None:
    workflow_id = idle_machine.publish(flow("start -> a"))
    first = api.start_run(workspace_id=WORKSPACE, workflow_id=workflow_id, input={"n": 1}, key="k" * 400)
    second = api.start_run(workspace_id=WORKSPACE, workflow_id=workflow_id, input={"n": 1}, key="k" * 400)
    assert (second.run_id, second.duplicate, first.duplicate) == (first.run_id, True, False)
    with pytest.raises(KeyReused):
        api.start_run(workspace_id=WORKSPACE, workflow_id=workflow_id, input={"n": 2}, key="k" * 400)
    assert Run.objects.filter(workflow_id=workflow_id).count() == 1


def test_what_cannot_be_started_says_why(idle_machine: Machine) -> None:
    def code(**arguments: object) -> str:
        with pytest.raises(NotStartable) as refused:
            api.start_run(workspace_id=WORKSPACE, **arguments)  # type: ignore[arg-type]
        return refused.value.code

    workflow_id = idle_machine.publish(flow("start -> a"))
    assert code(workflow_id=uuid7()) == "not_published"
    assert code(workflow_id=workflow_id, trigger_node="nobody") == "no_such_start"
    api.disable(workspace_id=WORKSPACE, workflow_id=workflow_id)
    assert code(workflow_id=workflow_id) == "switched_off"
    api.enable(workspace_id=WORKSPACE, workflow_id=workflow_id)
    assert not api.start_run(workspace_id=WORKSPACE, workflow_id=workflow_id).duplicate


def test_an_input_beyond_the_limit_is_refused(idle_machine: Machine) -> None:
    workflow_id = idle_machine.publish(flow("start -> a"))
    with pytest.raises(RuntimeRefused) as refused:
        api.start_run(workspace_id=WORKSPACE, workflow_id=workflow_id, input={"x": "y" * 11_000_000})
    assert refused.value.code == "too_large"


def test_a_draft_is_tested_without_becoming_live(machine: Machine) -> None:
    workflow_id = uuid7()
    draft = flow("start -> a", fields("a", mode="{{ run.mode }}", got="{{ trigger.n }}"))
    started = [
        api.start_test(workspace_id=WORKSPACE, workflow_id=workflow_id, graph=draft, input={"n": n}) for n in (1, 2)
    ]
    runs = [machine.finish(one.run_id) for one in started]
    assert {(run.mode, run.status, run.version) for run in runs} == {("test", "completed", 0)}
    assert detail(runs[1].id, "a").output == {"mode": "test", "got": 2}
    assert api.deployment(workspace_id=WORKSPACE, workflow_id=workflow_id) is None
    assert Version.objects.filter(workflow_id=workflow_id).count() == 1, "the same draft is one test version"
    assert api.samples(workspace_id=WORKSPACE, workflow_id=workflow_id)["a"] == {"mode": "test", "got": 2}
    broken = flow("start -> a", step("a", "nobody.knows@1"))
    with pytest.raises(GraphHasProblems):
        api.start_test(workspace_id=WORKSPACE, workflow_id=workflow_id, graph=broken)


def test_runs_are_listed_newest_first_page_by_page(machine: Machine) -> None:
    workflow_id = machine.publish(flow("start -> a"))
    run_ids = [machine.begin_again(workflow_id) for _ in range(7)]
    for run_id in run_ids:
        machine.finish(run_id)
    filters = RunFilters(workflow_id=workflow_id)
    seen = []
    cursor = None
    while True:
        page = api.runs(workspace_id=WORKSPACE, filters=filters, after=cursor, limit=3)
        seen += [run.id for run in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == run_ids[::-1]
    with pytest.raises(BadCursor):
        api.runs(workspace_id=WORKSPACE, after="§§§")


def test_runs_are_found_by_what_is_known_of_them(machine: Machine) -> None:
    done = machine.run(flow("start -> a"))
    failed = machine.run(flow("start -> a", fields("a", x="{{ 1 / 0 }}")))
    waiting = machine.begin(flow("start -> pause", pause("pause", 3600)))
    machine.until(waiting, lambda run: run.status == "waiting_timer")

    def found(**wanted: object) -> set[object]:
        return {run.id for run in api.runs(workspace_id=WORKSPACE, filters=RunFilters(**wanted)).items}  # type: ignore[arg-type]

    assert found(statuses=("completed",)) == {done.id}
    assert found(statuses=("dead_lettered", "waiting_timer")) == {failed.id, waiting}
    assert found(query=str(failed.id)[:20]) >= {failed.id}
    assert found(query="no such thing") == set()
    assert found(mode="test") == set()
    assert found(accepted_after=failed.accepted_at, accepted_before=failed.accepted_at + 1) == {failed.id}
    counts = api.statistics(
        workspace_id=WORKSPACE, workflow_ids=[done.workflow_id, failed.workflow_id, uuid7()], since=0
    )
    assert (counts[done.workflow_id].done, counts[failed.workflow_id].failed) == (1, 1)
    assert counts[failed.workflow_id].last_run is not None
    assert counts[failed.workflow_id].last_run.id == failed.id  # type: ignore[union-attr]


def test_a_business_key_is_found_in_small_and_capital_letters(machine: Machine) -> None:
    keys = ("Order-17", "ORDER-18", "Öl-19", "ÄPFEL 20", "50%_off", "réorder")
    for key in keys:
        run = machine.run(flow("start -> a"))
        Run.objects.filter(pk=run.id).update(business_key=key)
        RunField.objects.create(workspace_id=WORKSPACE, name="key", run_id=run.id, shown=key, folded=folded(key))

    def found(query: str) -> set[str | None]:
        page = api.runs(workspace_id=WORKSPACE, filters=RunFilters(query=query))
        return {run.business_key for run in page.items}

    assert found("order") == found("ORDER") == found("Order") == {"Order-17", "ORDER-18", "réorder"}
    assert found("order-17") == {"Order-17"}
    assert found("öl") == found("ÖL") == found("Öl") == {"Öl-19"}
    assert found("äpfel") == found("Äpfel") == {"ÄPFEL 20"}
    assert found("50%_") == {"50%_off"}
    assert found("50__") == found("5%") == found("f_") == found("71") == set()
    assert found("17") == {"Order-17"}
    assert found("%_o") == {"50%_off"}


def test_a_snapshot_and_the_changes_since_tell_the_same(machine: Machine) -> None:
    run_id = machine.begin(flow("start -> a -> pause -> b", pause("pause", 600)))
    machine.until(run_id, lambda run: run.status == "waiting_timer")
    before = api.snapshot(workspace_id=WORKSPACE, run_id=run_id)
    assert {found.node for found in before.steps} == {"start", "a", "pause"}
    assert next(found for found in before.steps if found.node == "pause").wait is not None
    cut_short(run_id)
    machine.finish(run_id)
    news = api.changes(workspace_id=WORKSPACE, run_id=run_id, after=before.seq)
    after = api.snapshot(workspace_id=WORKSPACE, run_id=run_id)
    merged = {found.node: found for found in before.steps} | {found.node: found for found in news.steps}
    assert merged == {found.node: found for found in after.steps}
    assert (news.run, news.seq) == (after.run, after.seq)
    assert all(before.seq < found.seq <= news.seq for found in news.steps)
    assert api.changes(workspace_id=WORKSPACE, run_id=run_id, after=after.seq).steps == []


def test_a_step_the_run_never_came_to_is_not_there(machine: Machine) -> None:
    run = machine.run(flow("start -> a"))
    with pytest.raises(NotFound):
        api.step(workspace_id=WORKSPACE, run_id=run.id, node_id="b")
    with pytest.raises(NotFound):
        api.step(workspace_id=uuid7(), run_id=run.id, node_id="a")
    with pytest.raises(NotFound):
        api.snapshot(workspace_id=uuid7(), run_id=run.id)
    with pytest.raises(NotFound):
        api.cancel(workspace_id=uuid7(), run_id=run.id)


def test_events_are_listed_with_what_became_of_them(machine: Machine) -> None:
    run = machine.run(flow("start -> a"), {"n": 1})
    page = api.events(workspace_id=WORKSPACE, filters=EventFilters(workflow_id=run.workflow_id))
    (event,) = page.items
    assert (event.run_id, event.verdict, event.source) == (run.id, "accepted", "manual")
    found = api.event(workspace_id=WORKSPACE, event_id=event.id)
    assert found.body_text == '{"n":1}'
    assert found.deliveries == []
    with pytest.raises(NotFound):
        api.event(workspace_id=uuid7(), event_id=event.id)


def test_secret_headers_of_an_event_are_masked(machine: Machine) -> None:
    run = machine.run(flow("start -> a"))
    assert run.event_id is not None
    Event.objects.filter(pk=run.event_id).update(headers='[["authorization","Bearer abc"],["x-order","7"]]')
    headers = dict(api.event(workspace_id=WORKSPACE, event_id=run.event_id).headers)
    assert headers["x-order"] == "7"
    assert "abc" not in headers["authorization"]


def test_a_formula_is_previewed_with_its_kind_or_its_error() -> None:
    context = {"trigger": {"total": 1.5}, "steps": {}}
    good = api.preview(template="{{ trigger.total * 2 }}", context=context)
    assert (good.ok, good.text, good.type) == (True, "3.0", "number")
    assert api.preview(template="Total: {{ trigger.total }}", context=context).text == "Total: 1.5"
    bad = api.preview(template="{{ trigger.total * }}", context=context)
    assert not bad.ok
    assert bad.error
    assert api.functions()


@pytest.mark.parametrize("how", ["missing", "changed", "unreadable"])
def test_data_whose_file_is_damaged_says_so(machine: Machine, how: str) -> None:
    run = machine.run(flow("start -> a", fields("a", x="{{ trigger.x }}")), {"x": "y" * 100_000})
    assert run.event_id is not None
    # Beside them stands the folder of files, where another test has saved one.
    for path in [one for one in artifacts.directory().glob("*/*") if one.is_file()]:
        match how:
            case "missing":
                path.unlink()
            case "changed":
                path.write_bytes(b"other")
            case _:
                path.unlink()
                path.mkdir()
    with pytest.raises(DataDamaged) as step_refused:
        api.step(workspace_id=WORKSPACE, run_id=run.id, node_id="a")
    with pytest.raises(DataDamaged):
        api.event(workspace_id=WORKSPACE, event_id=run.event_id)
    assert (step_refused.value.code, "DATA_DIR" in step_refused.value.message) == ("data_damaged", True)
    assert api.samples(workspace_id=WORKSPACE, workflow_id=run.workflow_id).get("a") is None
    shutil.rmtree(artifacts.directory())


@pytest.mark.parametrize("seconds", [-60, 60])
def test_clocks_that_differ_are_told_to_an_administrator(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    def line() -> HealthItem:
        return next(item for item in api.system_health() if item.id == "clock")

    assert line().ok
    monkeypatch.setattr(health, "database_now", lambda: database_now() + seconds * 1000)
    assert not line().ok
    assert "60 seconds" in line().detail


def test_a_schedule_is_previewed_in_words_and_times(transactional_db: None) -> None:
    found = api.schedule_preview(
        workspace_id=WORKSPACE, config={"repeat": "cron", "cron": "0 9 * * 1", "timezone": "Europe/Berlin"}, count=3
    )
    assert len(found.fires) == 3
    assert found.words
    assert api.schedule_preview(workspace_id=WORKSPACE, config={"repeat": "cron", "cron": "99 * * * *"}).fires == []
