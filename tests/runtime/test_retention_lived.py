"""Runs that the product itself has carried out lose their data, and then themselves, and everybody is told so."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import DatabaseError, transaction

from runtime import api
from runtime.contracts import NotFound, NotRetryable, NotUndoable, PlanOutdated
from runtime.engine.ids import uuid7
from runtime.store import artifacts, files, retention, retention_runs
from runtime.store.models import (
    Artifact,
    Attempt,
    BulkRetry,
    BulkRetryItem,
    DeadLetter,
    Event,
    File,
    HumanSnooze,
    HumanTask,
    LetterGroup,
    PendingAnswer,
    Review,
    Run,
    RunField,
    RunTag,
    StepRun,
)
from runtime.store.retention import Pass
from runtime.worker import ticker
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, detail, fields, flow, look, pause, post, step
from tests.runtime.test_figures import roll_all
from tests.runtime.test_own_runs import each, inside
from tests.runtime.trails import broken_trails

INVOICE = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10, "currency": "EUR"}
LONG_AGO = 100 * 24 * 3_600_000


@pytest.fixture(autouse=True)
def nobody_else_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processes of these tests have tickers, which would sweep as well."""
    monkeypatch.setattr(ticker, "LOOK_SECONDS", 3_600.0)


def rules(**days: int) -> None:
    api.set_retention(workspace_id=WORKSPACE, rules=days, revision=api.retention(workspace_id=WORKSPACE).revision)


def sweep() -> Pass:
    found = Pass(WORKSPACE)
    while found.step():
        pass
    return found


def long_ago() -> None:
    """Everything that has ended, and every file, is a hundred days old."""
    for run in Run.objects.exclude(finished_at=None):
        Run.objects.filter(pk=run.pk).update(
            finished_at=(run.finished_at or 0) - LONG_AGO, accepted_at=run.accepted_at - LONG_AGO
        )
    for row in File.objects.all():
        File.objects.filter(pk=row.pk).update(created_at=row.created_at - LONG_AGO)
    roll_all()


def a_list() -> dict[str, Any]:
    """A list whose entries have a step each."""
    return flow("start -> each", each(), *inside("each", fields("note", number="{{ item.number }}")))


def test_a_run_whose_data_expired_stays_and_says_since_when(machine: Machine, world: World) -> None:
    run = machine.run(
        flow("start -> pay -> note", post("pay", f"{world.url}/invoices", INVOICE), fields("note", a="b"))
    )
    assert detail(run.id, "pay").output is not None
    long_ago()
    rules(values=30)
    assert sweep().removed == {"values": 1}
    view = look(run.id)
    assert view.status == "completed"
    assert view.data_removed_at is not None
    told = detail(run.id, "pay")
    assert (told.input, told.output, told.step.status) == (None, None, "succeeded")
    assert all(one.request is None and one.response is None for one in told.attempts)
    assert broken_trails() == []
    assert sweep().removed == {}


def test_what_a_step_was_given_and_gave_is_taken_together_or_not_at_all(machine: Machine) -> None:
    run = machine.run(flow("start -> note", fields("note", a="b")))
    for change in ({"output": '{"a":"c"}'}, {"input": None}, {"input": None, "output": None, "attempt": 7}):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            StepRun.objects.filter(run_id=run.id, node_id__contains="note").update(**change)


def test_nobody_goes_on_with_or_undoes_a_run_whose_data_is_gone(machine: Machine, world: World) -> None:
    run = machine.run(flow("start -> pay", post("pay", f"{world.url}/with/fail=422/invoices", INVOICE)))
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run.id)
    long_ago()
    rules(values=30)
    assert sweep().kept["letter"] == 1
    assert look(run.id).data_removed_at is None
    DeadLetter.objects.update(solved_at=1, solved_by="x", solution="elsewhere")
    assert sweep().removed == {"values": 1}
    with pytest.raises(NotRetryable, match="expired on"):
        api.retry_plan(workspace_id=WORKSPACE, run_id=run.id)
    with pytest.raises((NotRetryable, PlanOutdated)):
        api.retry(workspace_id=WORKSPACE, run_id=run.id, plan=plan.id)
    undo = api.undo_plan(workspace_id=WORKSPACE, run_id=run.id)
    with pytest.raises(NotUndoable, match="expired on"):
        api.undo(workspace_id=WORKSPACE, run_id=run.id, plan=undo.id, reason="x")


def test_a_start_event_that_lost_its_content_starts_nothing_anew(machine: Machine) -> None:
    run = machine.run(flow("start -> note", fields("note", a="b")))
    Event.objects.update(received_at=1)
    long_ago()
    rules(starts=30)
    assert sweep().removed == {"starts": 1}
    found = api.event(workspace_id=WORKSPACE, event_id=Event.objects.get().pk)
    assert found.removed_at is not None
    assert found.body_text is None
    with pytest.raises(NotRetryable, match="expired on"):
        api.replay_as_new(workspace_id=WORKSPACE, run_id=run.id)


@pytest.mark.parametrize("portion", [200, 3])
def test_a_list_goes_with_all_its_entries_in_short_transactions(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, portion: int
) -> None:
    monkeypatch.setattr(retention, "PORTION", portion)
    run = machine.run(a_list(), {"lines": [{"number": number} for number in range(10)]})
    other = machine.run(a_list(), {"lines": [{"number": 1}, {"number": 2}]})
    assert Run.objects.count() == 14
    tagged = [*Run.objects.filter(parent_run_id=run.id).values_list("pk", flat=True)[:2], run.id, other.id]
    api.tag_runs(workspace_id=WORKSPACE, run_ids=tagged, add=["late"], remove=[], by=None)
    long_ago()
    Run.objects.filter(pk=other.id).update(finished_at=(look(other.id).finished_at or 0) + LONG_AGO)
    rules(done=30)
    assert sweep().removed == {"done": 1}
    assert set(Run.objects.values_list("pk", "parent_run_id")) == {
        (other.id, None),
        *((pk, other.id) for pk in Run.objects.filter(parent_run_id=other.id).values_list("pk", flat=True)),
    }
    assert not StepRun.objects.exclude(run_id__in=Run.objects.values("pk")).exists()
    assert not Attempt.objects.exclude(run_id__in=Run.objects.values("pk")).exists()
    assert not RunField.objects.filter(run_id=run.id).exists()
    assert list(RunTag.objects.values_list("run_id", "tag")) == [(other.id, "late")]
    with pytest.raises(NotFound):
        look(run.id)


@pytest.mark.parametrize("portion", [200, 3])
def test_entries_of_lists_lose_their_data_before_the_run_does(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, portion: int
) -> None:
    monkeypatch.setattr(retention, "PORTION", portion)
    run = machine.run(a_list(), {"lines": [{"number": number} for number in range(8)]})
    long_ago()
    rules(items=30)
    assert sweep().removed == {"items": 8}
    own = Run.objects.filter(parent_run_id=run.id)
    assert all(one.values_removed_at and one.item is None for one in own)
    assert look(run.id).data_removed_at is None
    assert StepRun.objects.filter(run_id=run.id).exclude(output=None).exists()


def test_large_values_leave_the_artifact_store(machine: Machine) -> None:
    text = "x" * 200_000
    machine.run(flow("start -> note", fields("note", text="{{ trigger.text }}")), {"text": text})
    named = Artifact.objects.exclude(name="body")
    assert named.exists()
    places = [artifacts.directory() / one for one in named.values_list("location", flat=True)]
    assert all(place.exists() for place in places)
    long_ago()
    Event.objects.update(received_at=1)
    rules(values=30, starts=30)
    sweep()
    assert not Artifact.objects.exclude(name="body").exists()
    assert not any(place.exists() for place in places)


def test_a_dead_letter_that_was_decided_goes_with_its_run(machine: Machine, world: World) -> None:
    run = machine.run(flow("start -> pay", post("pay", f"{world.url}/with/fail=422/invoices", INVOICE)))
    long_ago()
    rules(failed=30)
    assert (sweep().removed, look(run.id).status) == ({}, "dead_lettered")
    api.solve_dead_letters(
        workspace_id=WORKSPACE, run_ids=[run.id], solution="elsewhere", reason="Booked by hand.", by=None
    )
    assert sweep().removed == {"failed": 1}
    assert not DeadLetter.objects.exists()


def a_file(run_id: UUID) -> File:
    """A file that a step of this run has made, a hundred days ago."""
    saving = files.Saving()
    saving.write(b"a statement")
    saving.finish()
    row = files.add(saving, workspace_id=WORKSPACE, name="statement.pdf", mime="application/pdf", by=None)
    File.objects.filter(pk=row.pk).update(run_id=run_id, node_id="note", created_at=row.created_at - LONG_AGO)
    return row


def test_files_of_ended_runs_go_but_not_those_that_something_under_way_reads(machine: Machine) -> None:
    note = flow("start -> note", fields("note", a="b"))
    ended = [machine.run(note).id for _ in range(3)]
    made = [a_file(run) for run in ended]
    upload = files.Saving()
    upload.write(b"a logo")
    upload.finish()
    logo = files.add(upload, workspace_id=WORKSPACE, name="logo.png", mime="image/png", by=None)
    File.objects.filter(pk=logo.pk).update(created_at=1)
    waits = flow("start -> wait -> note", pause("wait", 3_600), fields("note", a="{{ trigger.file }}"))
    going = machine.begin_again(machine.publish(waits), {"file": {"id": str(made[1].pk)}})
    machine.until(going, lambda run: run.status == "waiting_timer")
    own = a_file(going)
    roll_all()
    rules(files=30)
    found = sweep()
    assert (found.removed, found.kept["needed"], found.kept["open"]) == ({"files": 2}, 1, 1)
    there = set(File.objects.filter(removed_at=None).values_list("pk", flat=True))
    assert there == {made[1].pk, own.pk, logo.pk}
    assert files.digest(made[0].pk) is None
    assert files.verify() == []


def test_while_somebody_has_many_gone_on_with_none_of_them_goes(machine: Machine, world: World) -> None:
    run = machine.run(flow("start -> note", fields("note", a="b")))
    long_ago()
    Event.objects.update(received_at=1)
    bulk = BulkRetry.objects.create(workspace_id=WORKSPACE, kind="replay", at=1, status="running", total=1, begun=0)
    BulkRetryItem.objects.create(bulk_id=bulk.pk, place=0, run_id=run.id, generation=1)
    rules(done=30)
    found = sweep()
    assert (found.removed, found.kept["needed"]) == ({}, 1)
    rules(starts=30)
    found = sweep()
    assert (found.removed, found.kept["needed"]) == ({}, 1), "it is started anew from what came to its start"
    rules(done=30)
    BulkRetry.objects.update(closed_at=2)
    assert sweep().removed == {"done": 1}


def test_a_run_goes_with_what_people_put_off_and_what_could_not_take_effect(machine: Machine) -> None:
    run = machine.run(flow("start -> note", fields("note", a="b")))
    task = HumanTask.objects.create(
        workspace_id=WORKSPACE, workflow_id=run.workflow_id, run_id=run.id, node_id="note", generation=1, attempt=1,
        kind="approval", status="decided", title="Pay?", spec="{}", created_at=1, closed_at=2,
    )  # fmt: skip
    HumanSnooze.objects.create(task=task, voter=uuid7(), until=1)
    PendingAnswer.objects.create(
        task=task, workspace_id=WORKSPACE, voter=uuid7(), name="Ines", email="ines@example.com", voter_json="{}",
        outcome="approved", at=1, refused_code="late", refused="It was too late.", refused_at=2,
    )  # fmt: skip
    long_ago()
    rules(done=30)
    assert sweep().removed == {"done": 1}
    assert not HumanSnooze.objects.exists()
    assert not PendingAnswer.objects.exists()


def test_every_row_that_belongs_to_a_run_goes_with_it() -> None:
    """Whatever names a run, or what belongs to it, by a key that the database holds."""
    owners: dict[Any, str] = {Run: "store_run", HumanTask: "store_humantask", Review: "store_review"}
    listed = {(table, above) for table, _, above in retention_runs._BELOW}
    listed |= {(table, "store_run") for table, _ in retention_runs._ROWS}
    listed |= {("store_humantask", "store_run"), ("store_review", "store_run")}
    for model in apps.get_app_config("store").get_models():
        for field in model._meta.get_fields():
            above = owners.get(getattr(field, "related_model", None)) if getattr(field, "many_to_one", False) else None
            if above is not None:
                assert (model._meta.db_table, above) in listed, f"{model.__name__}.{field.name}"


def test_a_file_that_a_dead_letter_of_another_run_was_given_is_kept_until_that_is_decided(machine: Machine) -> None:
    ended = machine.run(flow("start -> note", fields("note", a="b")))
    made = a_file(ended.id)
    fails = machine.publish(
        flow("start -> stop", step("stop", "flow.fail@1", {"message": "No. {{ trigger.file.id }}"}))
    )
    failed = machine.finish(machine.begin_again(fails, {"file": {"id": str(made.pk)}}))
    assert DeadLetter.objects.filter(run_id=failed.id, solved_at=None).exists()
    long_ago()
    rules(files=30)
    found = sweep()
    assert (found.removed, found.kept["needed"]) == ({}, 1)
    DeadLetter.objects.update(solved_at=1)
    assert sweep().removed == {"files": 1}


def test_what_was_said_about_a_group_goes_with_its_last_letter(machine: Machine) -> None:
    fails = machine.publish(flow("start -> stop", step("stop", "flow.fail@1", {"message": "No."})))
    machine.finish(machine.begin_again(fails, {}))
    (group,) = api.dead_letter_groups(workspace_id=WORKSPACE)
    api.note_letters(workspace_id=WORKSPACE, cause=group.cause, note="Known.", ticket="", revision=0)
    rules(failed=30)
    sweep()
    assert LetterGroup.objects.exists(), "its letter is there still"
    DeadLetter.objects.update(solved_at=1, solution="elsewhere", reason="Paid by hand.")
    rules(failed=31)
    sweep()
    assert LetterGroup.objects.exists(), "a decided one counts, too: what comes again is met by what is known"
    long_ago()
    rules(failed=32)
    sweep()
    assert (DeadLetter.objects.count(), LetterGroup.objects.count()) == (0, 0)
