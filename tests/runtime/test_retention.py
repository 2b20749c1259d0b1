"""What is older than a workspace's rules goes, bit by bit, and nothing else: not what is open, waits for a decision, is
held, or does not stand in the figures yet."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection, connections

from runtime import api
from runtime.contracts import RuntimeRefused
from runtime.contracts.retention import HoldRefused, RetentionOutdated
from runtime.engine.ids import uuid7
from runtime.ports import PORTS
from runtime.store import failpoints, retention
from runtime.store.failpoints import FailpointReached
from runtime.store.figures import counted
from runtime.store.models import DeadLetter, Delivery, Event, FigureMark, HumanTask, Run
from runtime.store.models import Retention as Rules
from runtime.store.retention import Outrun, Pass, due
from runtime.store.transitions import Transition
from runtime.worker.retention import Sweeper
from tests.runtime.past import MINUTE, Past, forget
from tests.runtime.recount import recount
from tests.runtime.rows import WORKSPACE, now_ms
from tests.runtime.test_figures import assert_alike, roll_all, seen

pytestmark = pytest.mark.usefixtures("transactional_db")

DAY = 24 * 60 * MINUTE


@pytest.fixture(autouse=True)
def nothing_left(whole_trails: None) -> object:
    """The made-up runs have no whole trails: they are gone before those are looked at."""
    yield
    failpoints.disarm()
    Delivery.objects.all().delete()
    forget()


class Record:
    """Keeps what was put on record of sweeps."""

    def __init__(self) -> None:
        self.sweeps: list[dict[str, Any]] = []

    def swept(self, **told: Any) -> None:
        self.sweeps.append(told)


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch) -> Record:
    kept = Record()
    monkeypatch.setattr(PORTS, "record", kept)
    return kept


def rules(**days: int) -> None:
    revision = api.retention(workspace_id=WORKSPACE).revision
    api.set_retention(workspace_id=WORKSPACE, rules=days, revision=revision)


def sweep() -> Pass:
    """One whole sweep."""
    return to_the_end(Pass(WORKSPACE))


def to_the_end(found: Pass) -> Pass:
    while found.step():
        pass
    return found


def some_past(runs: int = 250, days: int = 20) -> Past:
    past = Past()
    past.happen(runs, since=now_ms() - days * DAY, until=now_ms() - 5 * MINUTE)
    return past


def old_enough(days: int) -> set[UUID]:
    """Runs that a script of its own says may go: all ended long ago with all their parts, and nobody is waited for."""
    before = now_ms() - days * DAY
    waits = set(DeadLetter.objects.filter(solved_at=None).values_list("run_id", flat=True))
    parents: dict[Any, Any] = dict(Run.objects.exclude(parent_run_id=None).values_list("pk", "parent_run_id"))
    young = set(Run.objects.exclude(finished_at__lt=before).values_list("pk", flat=True)) | waits
    young |= {parents[pk] for pk in young if pk in parents}
    roots = set(Run.objects.filter(parent_run_id=None).values_list("pk", flat=True))
    return roots - young


def test_figures_on_the_monitor_are_the_same_before_and_after(record: Record) -> None:
    some_past()
    roll_all()
    before = {people: seen(24 * 20, people=people) for people in (False, True)}
    for people, figures in before.items():
        assert_alike(figures, recount(figures.begin, figures.end), people=people)
    rules(done=2, failed=2, tests=2, values=1, starts=1)
    going = old_enough(2)
    assert len(going) > 100
    removed = sweep().removed
    assert sum(removed[name] for name in ("done", "failed", "tests")) == len(going)
    assert not Run.objects.filter(pk__in=going).exists()
    roll_all()
    for people, figures in before.items():
        after = seen(24 * 20, people=people)
        if (after.begin, after.end) == (figures.begin, figures.end):
            assert (after.happened, after.took) == (figures.happened, figures.took)
            assert after.workflows == figures.workflows
    (told,) = record.sweeps
    assert told["removed"]["done"] > 0
    assert told["by"] is None
    assert told["rules"]["done"] == 2


def test_what_the_monitor_has_not_counted_stays_and_goes_once_it_has() -> None:
    some_past(60)
    rules(done=1, failed=1, tests=1, starts=1)
    before = set(Run.objects.values_list("pk", flat=True))
    first = sweep()
    assert first.kept["uncounted"] > 0
    live = Run.objects.filter(mode="live").exclude(parent_run_id__isnull=False)
    uncounted = set(Transition.objects.exclude(counted()).values_list("run_id", flat=True))
    assert uncounted
    assert uncounted <= set(Run.objects.values_list("pk", flat=True))
    assert not Event.objects.exclude(counted()).filter(removed_at__isnull=False).exists()
    assert Run.objects.count() > len(before) // 2
    assert live.exists()
    roll_all()
    assert FigureMark.objects.get().upto != 0 or connection.vendor == "sqlite"
    rules(done=1, failed=1, tests=1, starts=2)
    second = sweep()
    assert second.removed["done"] > 0
    assert second.kept["uncounted"] == 0
    assert not Run.objects.filter(pk__in=old_enough(1)).exists()


def test_what_is_open_or_waits_for_a_decision_stays_however_old_it_is() -> None:
    some_past()
    roll_all()
    opened = set(Run.objects.filter(finished_at=None).values_list("pk", flat=True))
    letters = set(DeadLetter.objects.filter(solved_at=None).values_list("run_id", flat=True))
    asked = HumanTask.objects.filter(status="open").count()
    assert opened
    assert letters
    rules(done=1, failed=1, tests=1, values=1, items=1, calls=1, starts=1, files=1)
    found = sweep()
    assert found.kept["letter"] > 0
    assert found.kept["open"] > 0
    still = set(Run.objects.values_list("pk", flat=True))
    assert opened <= still
    assert letters <= still
    assert set(DeadLetter.objects.filter(solved_at=None).values_list("run_id", flat=True)) == letters
    assert HumanTask.objects.filter(status="open").count() == asked
    needed = Event.objects.filter(run_id__in=opened | letters)
    assert not needed.filter(removed_at__isnull=False).exists()


def test_of_a_start_event_the_line_stays_and_its_content_goes() -> None:
    some_past(80)
    roll_all()
    count = Event.objects.count()
    rules(starts=2)
    found = sweep()
    assert found.removed["starts"] > 20
    gone = Event.objects.filter(removed_at__isnull=False)
    assert (gone.count(), Event.objects.count()) == (found.removed["starts"], count)
    assert all(bytes(row.body or b"") == b"" and row.headers == "[]" for row in gone)
    assert not Delivery.objects.filter(event__in=gone).exists()


def test_a_hold_keeps_a_workflow_until_it_is_lifted() -> None:
    past = some_past()
    roll_all()
    chosen = past.versions[0].workflow_id
    mine = Run.objects.filter(workflow_id=chosen).count()
    hold = api.set_legal_hold(workspace_id=WORKSPACE, workflow_id=chosen, key=None, reason="A court asks.", by=None)
    with pytest.raises(RuntimeRefused, match="held already"):
        api.set_legal_hold(workspace_id=WORKSPACE, workflow_id=chosen, key=None, reason="Again.", by=None)
    rules(done=1, failed=1, tests=1)
    assert sweep().kept["hold"] > 0
    assert Run.objects.filter(workflow_id=chosen).count() == mine
    api.lift_legal_hold(workspace_id=WORKSPACE, hold_id=hold.id, by=None)
    sweep()
    assert Run.objects.filter(workflow_id=chosen).count() < mine


def test_a_hold_keeps_the_runs_with_a_key() -> None:
    some_past(60)
    roll_all()
    (chosen,) = list(old_enough(2))[:1]
    Run.objects.filter(pk=chosen).update(business_key="R-2026-0417")
    api.set_legal_hold(workspace_id=WORKSPACE, workflow_id=None, key="R-2026-0417", reason="A dispute.", by=None)
    rules(done=1, failed=1, tests=1)
    assert sweep().kept["hold"] == 1
    assert Run.objects.filter(pk=chosen).exists()


def test_the_look_before_counts_what_the_sweep_removes(monkeypatch: pytest.MonkeyPatch) -> None:
    # Of what a busy machine has no time for, it says so: not here.
    monkeypatch.setattr(import_module("runtime.api.retention"), "_PREVIEW_SECONDS", 100.0)
    some_past()
    roll_all()
    rules(done=2, failed=5, tests=1, starts=3)
    told = api.retention_preview(workspace_id=WORKSPACE)
    assert told.whole
    assert told.removes["done"] > 0
    there = Run.objects.count()
    assert Run.objects.count() == there
    found = sweep()
    assert dict(told.removes) == {name: found.removed[name] for name in told.removes}
    assert dict(told.kept) == {name: count for name, count in found.kept.items() if count}


@pytest.mark.skipif(connection.vendor == "sqlite", reason="there nobody writes beside anybody")
def test_nobody_is_told_that_something_is_held_while_it_is_being_removed() -> None:
    """A hold waits for what is under way: else it would be answered for, and the runs be gone a moment later."""
    some_past()
    rules(done=2)

    def hold() -> object:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '200ms'")
            return api.set_legal_hold(workspace_id=WORKSPACE, workflow_id=None, key="R-1", reason="A dispute.", by=None)
        except OperationalError as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        with Pass(WORKSPACE)._removing():
            during = thread.submit(hold).result()
        after = thread.submit(hold).result()
    assert isinstance(during, OperationalError), during
    assert not isinstance(after, OperationalError), after
    with pytest.raises(HoldRefused):
        api.set_legal_hold(workspace_id=WORKSPACE, workflow_id=None, key="R-1", reason="A dispute.", by=None)


@pytest.mark.parametrize("point", ["retention.delete", "retention.sweep"])
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_sweep_that_dies_is_taken_up_where_it_was_and_counts_nothing_twice(
    point: str, side: str, monkeypatch: pytest.MonkeyPatch, record: Record
) -> None:
    monkeypatch.setattr(retention, "PAGE", 20)
    monkeypatch.setattr(retention, "PORTION", 5)
    some_past()
    roll_all()
    rules(done=2, failed=2, tests=2, starts=2)
    going = old_enough(2)
    deaths = 0
    for nth in range(1, 200):
        failpoints.arm(f"{point}:{side}=raise@nth({1 + nth % 4})")
        try:
            sweep()
            break
        except FailpointReached:
            deaths += 1
    failpoints.disarm()
    assert deaths > 2
    if not record.sweeps:
        sweep()
    removed = sum(record.sweeps[0]["removed"].get(name, 0) for name in ("done", "failed", "tests"))
    assert removed == len(going)
    assert not Run.objects.filter(pk__in=going).exists()


def test_of_two_processes_that_sweep_one_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PAGE", 20)
    some_past(80)
    roll_all()
    rules(done=2, failed=2, tests=2)
    first = Pass(WORKSPACE)
    assert first.step()
    second = Pass(WORKSPACE)
    with pytest.raises(Outrun):
        to_the_end(first)
    to_the_end(second)
    assert not Run.objects.filter(pk__in=old_enough(2)).exists()


def test_rules_are_changed_by_whoever_saw_them_last() -> None:
    rules(done=30)
    with pytest.raises(RetentionOutdated):
        api.set_retention(workspace_id=WORKSPACE, rules={"done": 7}, revision=0)
    with pytest.raises(ValueError, match="from 1 to"):
        api.set_retention(workspace_id=WORKSPACE, rules={"done": 0}, revision=1)
    assert dict(api.retention(workspace_id=WORKSPACE).rules) == {"done": 30}


def test_a_sweep_is_due_once_a_day_and_when_somebody_wants_one() -> None:
    assert due(now_ms()) == []
    with pytest.raises(RuntimeRefused, match="no rule"):
        api.sweep_now(workspace_id=WORKSPACE, by=None)
    rules(done=30)
    assert due(now_ms()) == [WORKSPACE]
    sweep()
    assert due(now_ms()) == []
    assert due(now_ms() + DAY + 1) == [WORKSPACE]
    assert api.sweep_now(workspace_id=WORKSPACE, by=uuid7()).waits
    assert due(now_ms()) == [WORKSPACE]
    sweep()
    assert (Rules.objects.get().asked_at, due(now_ms())) == (None, [])


def test_the_ticker_takes_turns_until_nothing_is_left(monkeypatch: pytest.MonkeyPatch, record: Record) -> None:
    monkeypatch.setattr(retention, "PAGE", 20)
    monkeypatch.setattr("runtime.worker.retention.TURN_SECONDS", 0.0)
    some_past(120)
    roll_all()
    rules(done=2, failed=2, tests=2)
    sweeper, turns = Sweeper(), 0
    while sweeper.turn():
        turns += 1
    assert turns > 5
    assert len(record.sweeps) == 1
    assert not Run.objects.filter(pk__in=old_enough(2)).exists()


def test_one_that_fails_is_tried_again_later_and_keeps_no_other_one_waiting(record: Record) -> None:
    some_past(40)
    roll_all()
    rules(done=2)
    other = uuid7()
    api.set_retention(workspace_id=other, rules={"done": 2}, revision=0)
    sweeper = Sweeper()
    failpoints.arm("retention.sweep:before=raise@nth(1)")
    with pytest.raises(FailpointReached):
        sweeper.turn()
    failpoints.disarm()
    while sweeper.turn():
        pass
    swept = Rules.objects.exclude(ended_at=None).values_list("pk", flat=True)
    assert len(swept) == 1
