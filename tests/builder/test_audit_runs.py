"""What people do to runs that a runtime works at goes on record: retries with other data, undo, batches (S61)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from builder.audit import chain, verify
from builder.audit.chain import canonical
from builder.audit.models import AuditRow
from runtime import api
from runtime.contracts.datatables import ColumnDraft
from runtime.store.models import HumanTask, Run
from tests.builder.conftest import World
from tests.builder.test_waits import run as waiting
from tests.factories import Answer
from tests.runtime.fixtures import World as Outside
from tests.runtime.fixtures import open_company
from tests.runtime.machine import Machine, fields, flow, step, wait_until
from tests.runtime.test_batches import statements
from tests.runtime.test_look_ups import by_key, looked_up
from tests.runtime.test_own_runs import inside

__all__ = ["open_company", "waiting"]

pytestmark = pytest.mark.django_db(transaction=True)
CANARY = "CANARY-9f8e7d6c5b4a"


@pytest.fixture
def machine() -> Iterator[Machine]:
    made = Machine()
    made.start()
    yield made
    made.stop(0.2)


def start(world: World, graph: dict[str, Any], input: Any = None) -> str:
    """The path of a run that has come to its end."""
    workflow = world.workflow(graph=graph)
    here = f"{world.here}/workflows/{workflow.id}"
    assert world.as_bo.post(f"{here}/publish", {"revision": 1}).status == 201
    run_id = world.as_rosa.post(f"{here}/runs", {"input": input}).body["id"]
    wait_until(lambda: Run.objects.filter(pk=run_id, finished_at__isnull=False).exists())
    return f"{world.here}/runs/{run_id}"


def rows(world: World, verb: str) -> list[AuditRow]:
    return list(AuditRow.objects.filter(chain=str(world.northwind.id), verb=verb).order_by("sequence"))


def one(world: World, verb: str, answer: Answer, status: int) -> AuditRow:
    """The one row that this answer's request has written."""
    assert answer.status == status, answer.body
    (row,) = rows(world, verb)
    assert (row.request_id, row.object_kind) == (answer.headers["X-Request-ID"], "run")
    assert row.object_name
    assert verify.verify(str(world.northwind.id)).ok
    return row


def fails(by: int = 0) -> dict[str, Any]:
    return flow("start -> a", fields("a", x="{{ 1 / trigger.by }}"))


def test_what_is_mended_in_the_inbox_is_on_record_by_what_was_changed_and_no_data(
    world: World, machine: Machine
) -> None:
    graph = flow("start -> a", step("a", "flow.fail@1", {"message": "No."}))
    graph["nodes"][1]["settings"] = {"on_failure": "person"}
    workflow = world.workflow(graph=graph)
    here = f"{world.here}/workflows/{workflow.id}"
    assert world.as_bo.post(f"{here}/publish", {"revision": 1}).status == 201
    run_id = world.as_rosa.post(f"{here}/runs", {"input": {}}).body["id"]
    wait_until(lambda: HumanTask.objects.filter(run_id=run_id, status="open").exists())
    fix = f"{world.here}/inbox/{HumanTask.objects.get(run_id=run_id).id}/fix"
    given = world.as_bo.get(fix).body["input"]
    body = {"settings": {**given, "message": CANARY}, "comment": "It was none."}
    assert world.as_rosa.post(fix, body).status == 403
    answer = world.as_bo.post(fix, body)
    assert answer.status == 202, answer.body
    (row,) = rows(world, "task.mended")
    detail = chain.document([getattr(row, name) for name in chain.COLUMNS])["detail"]
    assert detail["edits"]["a"]["changed"] == ["message"]
    assert CANARY not in "".join(canonical(vars(row) | {"_state": ""}) for row in AuditRow.objects.all())
    bulk = f"{world.here}/dead-letters/bulk-retries/{answer.body['bulk_retry']}"
    wait_until(lambda: world.as_bo.get(bulk).body["begun"] == 1)
    assert Run.objects.get(pk=run_id).generation == 2


def test_a_run_that_is_undone_in_the_place_of_an_answer_is_told_as_one_deed(world: World, machine: Machine) -> None:
    columns = [ColumnDraft("Customer", "text", key=True)]
    table = api.add_table(workspace_id=world.northwind.id, name="T", columns=columns, by=world.bo.id)
    save = step("save", "tables.save@1", {"table": str(table.id), "values": [{"name": "Customer", "value": "C-7"}]})
    fail = step("fail", "flow.fail@1", {"message": "No."}, on_failure="person")
    graph = flow("start -> save -> fail, save:undo -> back", save, step("back", "tables.put_back@1"), fail)
    workflow = world.workflow(graph=graph)
    here = f"{world.here}/workflows/{workflow.id}"
    assert world.as_bo.post(f"{here}/publish", {"revision": 1}).status == 201
    run_id = world.as_rosa.post(f"{here}/runs", {"input": {}}).body["id"]
    wait_until(lambda: HumanTask.objects.filter(run_id=run_id, status="open").exists())
    task = HumanTask.objects.get(run_id=run_id)
    undo = f"{world.here}/inbox/{task.id}/undo"
    plan = world.as_vera.get(undo).body
    assert ([one["name"] for one in plan["steps"]], plan["why"]) == (["save"], None)
    body = {"plan": plan["id"], "reason": "Ordered twice."}
    assert world.as_vera.post(undo, body).status == 403, "it takes the right to undo"
    assert world.as_rosa.post(undo, {**body, "reason": ""}).status == 422
    answer = world.as_rosa.post(undo, body)
    assert (answer.status, answer.body["status"], answer.body["outcome"]) == (200, "cancelled", "undo_run")
    (row,) = rows(world, "task.run_undone")
    assert (row.object_kind, row.object_id, row.object_name) == ("task", str(task.id), task.title)
    said = chain.document([getattr(row, name) for name in chain.COLUMNS])["detail"]
    assert (said["said"]["reason"], said["run"]) == ("Ordered twice.", run_id)
    wait_until(lambda: Run.objects.filter(pk=run_id, status="compensated").exists())
    told = world.as_rosa.get(f"{world.here}/runs/{run_id}/happenings").body["items"]
    assert [one["deed"]["verb"] for one in told if one["deed"]].count("task.run_undone") == 1
    assert verify.verify(str(world.northwind.id)).ok


def test_a_retry_with_other_data_tells_what_was_changed_and_no_data(world: World, machine: Machine) -> None:
    here = start(world, fails(), {"by": 0, "password": CANARY})
    plan = world.as_bo.get(f"{here}/retry-plan").body
    edits = {"a": {"fields": [{"name": "x", "value": CANARY}]}}
    row = one(world, "run.retried", world.as_bo.post(f"{here}/retry", {"plan": plan["id"], "edits": edits}), 202)
    edited = chain.document([getattr(row, name) for name in chain.COLUMNS])["detail"]["edits"]["a"]
    assert edited["changed"] == ["fields"]
    assert edited["sha256_before"] != edited["sha256_after"]
    assert edited["sha256_after"] == api.digest(edits["a"])
    assert CANARY not in "".join(canonical(vars(row) | {"_state": ""}) for row in AuditRow.objects.all())


def test_a_dead_letter_that_is_gone_on_with_and_a_replay_are_told(world: World, machine: Machine) -> None:
    here = start(world, fails(), {"by": 0})
    run_id = here.rpartition("/")[2]
    answer = world.as_rosa.post(f"{world.here}/dead-letters/retry", {"runs": [run_id]})
    assert [item["outcome"] for item in answer.body["items"]] == ["retried"]
    assert one(world, "dead_letter.retried", answer, 200).object_id == run_id
    wait_until(lambda: Run.objects.filter(pk=run_id, finished_at__isnull=False, generation=2).exists())
    again = world.as_rosa.post(f"{here}/replay", {})
    assert f'"new_run":"{again.body["id"]}"' in one(world, "run.replayed", again, 202).detail


def test_an_undo_is_told_with_its_reason(world: World, machine: Machine) -> None:
    columns = [ColumnDraft("Customer", "text", key=True)]
    table = api.add_table(workspace_id=world.northwind.id, name="T", columns=columns, by=world.bo.id)
    save = step("save", "tables.save@1", {"table": str(table.id), "values": [{"name": "Customer", "value": "C-7"}]})
    here = start(world, flow("start -> save -> note, save:undo -> back", save, step("back", "tables.put_back@1")))
    plan = world.as_rosa.get(f"{here}/undo-plan").body
    answer = world.as_rosa.post(f"{here}/undo", {"plan": plan["id"], "reason": "The wrong customer."})
    assert '"reason":"The wrong customer."' in one(world, "run.undone", answer, 202).detail


def test_what_is_done_to_a_batch_is_told(world: World, machine: Machine) -> None:
    items = [{"number": "S-1", "by": 1, "amount": 1}, {"number": "S-2", "by": 0, "amount": CANARY}]
    each = statements(items, amount="1", currency="EUR")
    here = start(world, flow("start -> each", each, *inside("each", fields("calc", x="{{ 10 / item.by }}"))))
    batch = f"{here}/batches/each"
    rosa = world.as_rosa
    one(world, "batch.manifest_kept", rosa.post(f"{batch}/manifest"), 201)
    one(world, "batch.manifest_downloaded", rosa.get(f"{batch}/manifest"), 200)
    one(world, "batch.checked", rosa.post(f"{batch}/checks"), 201)
    noted = rosa.post(f"{batch}/browser-checks", {"sha256": "0" * 64, "checked": 2})
    one(world, "batch.check_noted", noted, 201)
    one(world, "batch.failed_downloaded", rosa.get(f"{batch}/error-file"), 200)
    mended = {"items": [{"index": 1, "item": {**items[1], "by": 2}}]}
    row = one(world, "batch.entry_corrected", rosa.post(f"{batch}/corrections", mended), 202)
    assert '"changed":["by"]' in row.detail
    assert CANARY not in row.detail
    own = Run.objects.get(parent_run_id=here.rpartition("/")[2], item_index=1)
    assert f'"made":"{own.pk}"' in row.detail


def test_a_retry_of_what_failed_of_a_batch_is_told(world: World, machine: Machine) -> None:
    each = statements([{"number": "S-1", "by": 0}], amount="1", currency="EUR")
    here = start(world, flow("start -> each", each, *inside("each", fields("calc", x="{{ 10 / item.by }}"))))
    answer = world.as_rosa.post(f"{here}/batches/each/retry", {"reason": "Once more."})
    row = one(world, "batch.retry_begun", answer, 202)
    assert f'"made":"{answer.body["id"]}"' in row.detail


def test_a_link_that_is_shown_and_a_wait_that_is_ended_are_told(world: World, waiting: Any) -> None:
    here = f"{world.here}/runs/{waiting}/waits/n_wait"
    shown = world.as_rosa.get(f"{here}/link")
    row = one(world, "run.link_shown", shown, 200)
    assert shown.body["url"].rpartition("/")[2] not in row.detail
    moved = world.as_rosa.post(f"{here}/resume", {"data": {"password": CANARY}})
    assert CANARY not in one(world, "run.moved_on", moved, 200).detail


@pytest.fixture
def company(open_company: Outside, settings: Settings) -> Outside:
    settings.PRACTICE_COMPANY = True
    settings.PRACTICE_ADDRESS = ("127.0.0.1", open_company.port)
    return open_company


def refused_invoice(company: Outside) -> dict[str, Any]:
    """A call that the other system refuses once, and of which it can be asked whether it happened."""
    pay = looked_up("pay", f"{company.url}/with/fail=422*1;ignore/invoices", by_key(company))
    return flow("start -> pay", pay)


def test_who_asked_the_other_system_and_what_it_said_in_a_word_is_on_record(
    world: World, company: Outside, machine: Machine
) -> None:
    here = start(world, refused_invoice(company))
    assert world.as_vera.post(f"{here}/retry-plan/ask", {"node": "pay"}).status == 403
    assert rows(world, "run.asked") == []
    answer = world.as_rosa.post(f"{here}/retry-plan/ask", {"node": "pay"})
    row = one(world, "run.asked", answer, 200)
    assert (answer.body["found"], answer.body["takes"], answer.body["output"]) == ("did_not_happen", False, None)
    detail = chain.document([getattr(row, name) for name in chain.COLUMNS])["detail"]
    assert (detail["answered"], detail["said"]["node"]) == ("did_not_happen", "pay")
    plan = world.as_rosa.get(f"{here}/retry-plan").body
    (asked,) = [step for step in plan["steps"] if step["node"] == "pay"]
    assert asked["asks"] == "practice-company"
    # With other settings a step reaches other places: that is for who may draw it.
    edited = {"node": "pay", "settings": {**asked["input"], "look_up_url": f"{company.url}/orders"}}
    assert world.as_rosa.post(f"{here}/retry-plan/ask", edited).status == 403
    assert world.as_bo.post(f"{here}/retry-plan/ask", edited).body["found"] == "happened"
    wrong = world.as_bo.post(f"{here}/retry-plan/ask", {"node": "start"})
    assert (wrong.status, wrong.body["code"]) == (409, "no_look_up")
    assert len(rows(world, "run.asked")) == 2


def test_what_failed_in_the_inbox_is_asked_about_before_it_is_mended(
    world: World, company: Outside, machine: Machine
) -> None:
    graph = refused_invoice(company)
    graph["nodes"][1]["settings"] = {"on_failure": "person"}
    workflow = world.workflow(graph=graph)
    here = f"{world.here}/workflows/{workflow.id}"
    assert world.as_bo.post(f"{here}/publish", {"revision": 1}).status == 201
    run_id = world.as_rosa.post(f"{here}/runs", {"input": {}}).body["id"]
    wait_until(lambda: HumanTask.objects.filter(run_id=run_id, status="open").exists())
    fix = f"{world.here}/inbox/{HumanTask.objects.get(run_id=run_id).id}/fix"
    found = world.as_bo.get(fix).body
    assert (found["why"], found["asks"]) == (None, "practice-company")
    answer = world.as_bo.post(f"{fix}/ask", {"settings": found["input"]})
    assert (answer.status, answer.body["found"]) == (200, "did_not_happen"), answer.body
    (row,) = rows(world, "task.asked")
    assert row.object_kind == "task"
    assert HumanTask.objects.get(run_id=run_id).status == "open"
