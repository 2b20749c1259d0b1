"""The plug-pull drill, with real processes that are really killed: what is careful comes through, the rest is named."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from builder.config.drill import database
from builder.connections import services as connections
from builder.workflows import drills
from builder.workflows.models import Drill
from runtime import api
from runtime.contracts.datatables import ColumnDraft
from tests.builder.conftest import World
from tests.runtime.machine import flow, pause, post, step

INVOICE = {"order": 7}


def drilled(world: World, graph: dict[str, Any], **said: Any) -> dict[str, Any]:
    """What a drill of this graph came to."""
    path = f"{world.here}/workflows/{world.workflow().id}/drill"
    assert world.as_bo.get(path).body["drill"] is None
    begun = world.as_bo.post(path, {"graph": graph, **said})
    assert begun.status == 202, begun.body
    assert begun.body["drill"]["status"] == "running"
    deadline = time.monotonic() + 300
    while True:
        found: dict[str, Any] = world.as_bo.get(path).body["drill"]
        if found["status"] != "running":
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


@pytest.mark.timeout(400)
def test_a_careful_workflow_comes_through_every_death(transactional_db: None, world: World) -> None:
    pay, back = (post(key, f"https://shop.example/{key}", INVOICE) for key in ("pay", "back"))
    found = drilled(world, flow("start -> pay -> rest -> last, pay:undo -> back", pay, back, pause("rest", 600)))
    assert (found["status"], found["error"]) == ("done", "")
    assert found["total"] == len(found["rounds"]) >= 4
    assert all(one["killed"] for one in found["rounds"]), found["rounds"]
    assert (found["finished"], found["asks"]) == (found["total"], 0), found["rounds"]
    assert (found["duplicates"], found["careless"], found["undo_complete"]) == (0, [], True)
    pulled = [one for one in found["rounds"] if one["point"] == "step.effect"]
    assert [one["calls"] for one in pulled] == [3], "it was sent again with its key, and undone"
    assert [one["step"] for one in pulled] == ["pay"]
    assert [one["step"] for one in found["rounds"]][-1] == "last"
    assert {one["step"] for one in found["rounds"]} <= {"start", "pay", "rest", "last"}
    left = {file.name for file in (Path(settings.DATA_DIR) / "drills").iterdir()}
    assert left == {database.KEPT}, "the sandbox is gone, but for an empty database for the next one"


@pytest.mark.timeout(400)
def test_a_careless_step_is_caught_and_a_careful_one_asks(transactional_db: None, world: World) -> None:
    fields = {"host": "mail.example", "port": 587, "security": "starttls", "from_address": "shop@example.org"}
    server = connections.create(workspace=world.northwind, by=world.bo, kind="smtp", name="Mail", fields=fields)
    letter = {"connection": str(server.id), "to": "ann@example.org", "subject": "Hello", "text": "Your order."}
    careful = step("careful", "email.send@1", letter)
    careless = step("careless", "email.send@1", {**letter, "server_recognises_repeats": True})
    found = drilled(world, flow("start -> careful -> careless", careful, careless))
    assert found["status"] == "done", found
    assert found["careless"] == ["careless"]
    assert found["duplicates"] == 1
    assert found["asks"] == 2, "before and after a mail of which nobody can know whether it went"
    assert found["finished"] == found["total"] - found["asks"]
    assert found["undo_complete"] is None


@pytest.mark.timeout(400)
def test_calls_that_nobody_knows_by_their_key_are_counted(transactional_db: None, world: World) -> None:
    pay = post("pay", "https://shop.example/invoices", INVOICE)
    found = drilled(world, flow("start -> pay", pay), keys_count=False)
    assert (found["duplicates"], found["careless"]) == (1, ["pay"])


@pytest.mark.timeout(400)
def test_what_a_drill_cannot_get_past_is_named_and_nothing_counts_as_finished(
    transactional_db: None, world: World
) -> None:
    call = step("call", "flow.run_workflow@1", {"workflow": str(world.workflow().id), "wait": True})
    pay = post("pay", "https://shop.example/invoices", INVOICE)
    found = drilled(world, flow("start -> call -> pay", call, pay), keys_count=False)
    assert found["beyond"] == {"step": "call", "why": "failed"}, found
    assert (found["status"], found["finished"]) == ("done", 0), found
    assert [one["beyond"] for one in found["rounds"]] == [found["beyond"]] * len(found["rounds"]), str(found["rounds"])
    assert not any(one["asks"] for one in found["rounds"])


@pytest.mark.timeout(400)
def test_a_called_workflow_and_what_lies_behind_waits_are_drilled_too(transactional_db: None, world: World) -> None:
    inner = post("inner", "https://shop.example/inner", INVOICE)
    other = world.workflow("Called")
    graph = flow("start -> signal -> inner", step("signal", "flow.wait_signal@1", {}), inner, start="trigger.called@1")
    api.publish(workspace_id=world.northwind.id, workflow_id=other.id, graph=graph, by=None)
    call = step("call", "flow.run_workflow@1", {"workflow": str(other.id)})
    pay = post("pay", "https://shop.example/invoices", INVOICE)
    found = drilled(world, flow("start -> call -> pay", call, pay), keys_count=False)
    assert found["beyond"] is None, found
    assert (found["status"], found["finished"]) == ("done", found["total"]), found
    assert found["careless"] == ["inner", "pay"]


@pytest.mark.timeout(400)
def test_what_a_drill_does_to_tables_happens_to_copies_and_each_round_finds_them_new(
    transactional_db: None, world: World
) -> None:
    columns = [ColumnDraft("Order", "number", key=True), ColumnDraft("Paid", "amount")]
    table = api.add_table(workspace_id=world.northwind.id, name="Orders", columns=columns, by=None)
    row: dict[str, Any] = {"Order": 6, "Paid": Decimal("12.50")}
    api.save_table_row(workspace_id=world.northwind.id, table_id=table.id, values=row, by=world.bo.id)
    named = {"table": str(table.id)}
    new = step("new", "tables.save@1", {**named, "how": "insert", "values": [{"name": "Order", "value": 7}]})
    key = [{"name": "Order", "value": 6}]
    paid = step("paid", "tables.add@1", {**named, "key": key, "column": "Paid", "amount": "0.50"})
    known = step("known", "flow.decision@1", {"conditions": {"match": "all", "rules": [
        {"left": "{{ steps.paid.after }}", "op": "eq", "right": "13.00", "type": "number"},
    ]}})  # fmt: skip
    wrong = step("wrong", "flow.fail@1", {"message": "Paid twice"})
    links = "start -> new -> paid -> known, known:no -> wrong, new:undo -> gone, paid:undo -> back"
    undo = [step(name, "tables.put_back@1") for name in ("gone", "back")]
    found = drilled(world, flow(links, new, paid, known, wrong, *undo))
    assert (found["status"], found["finished"]) == ("done", found["total"]), found["rounds"]
    assert (found["asks"], found["undo_complete"]) == (0, True)
    rows = api.table_rows(workspace_id=world.northwind.id, table_id=table.id).items
    assert [one.values for one in rows] == [row]


def test_one_at_a_time_and_not_by_everybody(world: World) -> None:
    workflow = world.workflow()
    path = f"{world.here}/workflows/{workflow.id}/drill"
    under_way = Drill.objects.create(workflow=workflow, workspace=world.northwind)
    assert world.as_bo.post(path, {"graph": flow("start -> a")}).status == 409
    assert world.as_rosa.post(path, {"graph": flow("start -> a")}).status == 403
    Drill.objects.filter(pk=under_way.pk).update(seen_at=under_way.seen_at - 2 * drills._SILENT)
    lost = world.as_vera.get(path).body["drill"]
    assert (lost["status"], lost["error"]) == ("failed", "lost")


def test_a_broken_graph_is_not_drilled(world: World) -> None:
    path = f"{world.here}/workflows/{world.workflow().id}/drill"
    assert world.as_bo.post(path, {"graph": flow("start -> pay", post("pay", ""))}).status == 422
    assert not Drill.objects.exists()


@pytest.mark.timeout(400)
def test_each_boundary_has_a_name_of_its_own_and_what_is_not_green_says_what_to_do(
    transactional_db: None, world: World
) -> None:
    fields = {"host": "mail.example", "port": 587, "security": "starttls", "from_address": "shop@example.org"}
    server = connections.create(workspace=world.northwind, by=world.bo, kind="smtp", name="Mail", fields=fields)
    letter = {"connection": str(server.id), "to": "ann@example.org", "subject": "Hello", "text": "Your order."}
    careless = step("careless", "email.send@1", {**letter, "server_recognises_repeats": True})
    plain = post("plain", "https://shop.example/orders", INVOICE)
    plain["config"]["send_key"] = False
    plain["settings"] = {"on_failure": "person"}
    found = drilled(
        world,
        flow("start -> pay -> careless -> plain", post("pay", "https://shop.example/pay", INVOICE), careless, plain),
    )
    named = [(one["step"], one["point"]) for one in found["rounds"]]
    assert len(set(named)) == len(named), repr(named)
    assert [point for step, point in named if step == "careless"] == ["step.intent", "step.effect"]
    told = {(said["step"], said["what"]) for one in found["rounds"] for said in one["advice"]}
    assert told == {("careless", "mail_repeats"), ("plain", "doubt_call_person")}
    assert all(one["advice"] for one in found["rounds"] if not one["finished"] or one["duplicates"]), found["rounds"]


@pytest.mark.timeout(400)
def test_what_stays_done_when_a_run_is_undone_says_what_to_do(transactional_db: None, world: World) -> None:
    pay, back, order = (post(key, f"https://shop.example/{key}", INVOICE) for key in ("pay", "back", "order"))
    found = drilled(world, flow("start -> pay -> order, pay:undo -> back", pay, back, order))
    assert found["undo_complete"] is False
    assert found["finished"] == found["total"]
    told = {(said["step"], said["what"]) for one in found["rounds"] for said in one["advice"]}
    assert told == {("order", "no_undo")}


@pytest.mark.timeout(400)
def test_waits_questions_and_calls_that_nobody_waits_for_are_drilled(transactional_db: None, world: World) -> None:
    inner = post("inner", "https://shop.example/inner", INVOICE)
    other = world.workflow("Called")
    api.publish(
        workspace_id=world.northwind.id, workflow_id=other.id, by=None,
        graph=flow("start -> inner", inner, start="trigger.called@1"),
    )  # fmt: skip
    event = step("event", "flow.wait_event@1", {"name": "order.paid", "key": "{{ trigger.number }}"})
    form = step(
        "form", "people.ask@1",
        {"title": "Which one?", "fields": [{"name": "which", "label": "Which", "type": "text", "required": True}]},
    )  # fmt: skip
    yes = step(
        "yes", "people.approval@1", {"title": "Pay?", "people": "Finance, role:admin", "rule": "number", "number": 3}
    )
    aside = step("aside", "flow.run_workflow@1", {"workflow": str(other.id), "wait": False})
    pay = post("pay", "https://shop.example/pay", INVOICE)
    graph = flow("start -> event -> form -> yes, yes:approved -> aside -> pay", event, form, yes, aside, pay)
    found = drilled(world, graph, input={"number": "A-1"})
    assert found["status"] == "done", found
    assert found["beyond"] is None, found
    assert found["finished"] == found["total"], found["rounds"]
    assert found["duplicates"] == 0, found["rounds"]
    points = {(one["step"], one["point"]) for one in found["rounds"]}
    assert {("event", "wait.begin"), ("form", "human.create"), ("yes", "human.create")} <= points, points
    named = [(one["step"], one["point"]) for one in found["rounds"]]
    assert len(set(named)) == len(named), repr(named)
