"""Steps that read and write data tables: each change once, exact among many, taken back where a run is undone."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections

from runtime import api
from runtime.contracts import Voter
from runtime.contracts.datatables import ColumnDraft, TableRefused, TableView
from runtime.engine.ids import uuid7
from runtime.sdk import datatable_pages
from runtime.store import datatable_changes as changes
from runtime.store import failpoints
from runtime.store.datatable_changes import Origin, Saving
from runtime.store.datatable_models import DataChange
from runtime.store.models import Run
from tests.runtime.machine import WORKSPACE, Machine, detail, flow, step, wait_until
from tests.runtime.tabling import ME, column, made, put, rows, values

pytestmark = pytest.mark.django_db(transaction=True)

C7 = [{"name": "Customer", "value": "C-7"}]


def add(key: str, table: TableView, amount: Any = 1, column: str = "Owes", **settings: Any) -> dict[str, Any]:
    config = {"table": str(table.id), "key": C7, "column": column, "amount": amount}
    return step(key, "tables.add@1", config, **settings)


def save(key: str, table: TableView, how: str = "upsert", **given: Any) -> dict[str, Any]:
    cells = [{"name": name, "value": value} for name, value in given.items()]
    return step(key, "tables.save@1", {"table": str(table.id), "how": how, "values": cells})


def delete(key: str, table: TableView, **config: Any) -> dict[str, Any]:
    return step(key, "tables.delete@1", {"table": str(table.id), "key": C7, **config})


def back(key: str) -> dict[str, Any]:
    return step(key, "tables.put_back@1")


def fails(key: str = "fails") -> dict[str, Any]:
    return step(key, "flow.fail@1", {"message": "It cannot go on"}, on_failure="undo")


def origin(key: str, run_id: Any = None) -> Origin:
    return Origin(WORKSPACE, "run:x", key, run_id or uuid7(), "n")


# --- what steps do --------------------------------------------------------------------------------------------------


def test_a_run_saves_finds_adds_and_deletes(any_machine: Machine) -> None:
    table = made()
    put(table, Customer="C-1", Owes=1)
    graph = flow(
        "start -> save -> add -> find -> delete",
        save("save", table, Customer="{{ trigger.customer }}", Owes="{{ trigger.owes }}", Since="2026-11-28"),
        add("add", table, "{{ trigger.owes }}"),
        step("find", "tables.find@1", {
            "table": str(table.id), "sort": "Owes", "descending": True, "most": 1,
            "conditions": [{"column": "Owes", "operator": "filled"}],
        }),
        delete("delete", table),
    )  # fmt: skip
    run = any_machine.run(graph, {"customer": "C-7", "owes": Decimal("0.10")})
    assert run.status == "completed", run
    outputs: dict[str, Any] = {key: detail(run.id, key).output for key in ("save", "add", "find", "delete")}
    assert (outputs["save"]["what"], outputs["save"]["before"]) == ("added", None)
    assert (outputs["add"]["before"], outputs["add"]["after"]) == (Decimal("0.10"), Decimal("0.20"))
    found = outputs["find"]
    assert (found["count"], found["more"], found["first"]["Customer"]) == (1, True, "C-1")
    assert found["rows"] == [found["first"]]
    assert outputs["delete"]["row"]["Owes"] == Decimal("0.20")
    assert column(table, "Customer") == ["C-1"]


@pytest.mark.parametrize(
    ("how", "there", "ends", "owes"),
    [
        ("upsert", True, "changed", 2), ("upsert", False, "added", 2), ("insert", True, "row_exists", 1),
        ("insert", False, "added", 2), ("insert_new", True, "kept", 1), ("insert_new", False, "added", 2),
        ("update", True, "changed", 2), ("update", False, "row_missing", None),
    ],
)  # fmt: skip
def test_a_row_is_saved_in_the_way_that_was_chosen(
    machine: Machine, how: str, there: bool, ends: str, owes: int | None
) -> None:
    table = made()
    if there:
        put(table, Customer="C-7", Owes=1, Orders=5)
    run = machine.run(flow("start -> save", save("save", table, how, Customer="C-7", Owes=2)))
    output: Any = detail(run.id, "save").output
    assert (run.error["code"] if run.error else output["what"]) == ends
    assert column(table, "Owes") == ([] if owes is None else [owes])
    assert column(table, "Orders") == ([5] if there else [None] * len(rows(table)))


def test_a_table_that_is_gone_is_said_to_be(machine: Machine) -> None:
    table = made()
    api.remove_table(workspace_id=WORKSPACE, table_id=table.id, by=ME)
    run = machine.run(flow("start -> add", add("add", table)))
    assert run.error is not None
    assert (run.error["code"], run.error["title"]) == ("table_missing", "The table is not there")


def test_a_formula_finds_rows_of_a_table_without_a_key_and_deletes_them(machine: Machine) -> None:
    table = made("Log", (ColumnDraft("What"),))
    for what in ("a", "b"):
        put(table, What=what)
    find = step("find", "tables.find@1", {
        "table": str(table.id), "conditions": [{"column": "What", "value": "b"}],
    })  # fmt: skip
    gone = step("gone", "tables.delete@1", {"table": str(table.id), "row": "{{ steps.find.first }}"})
    assert machine.run(flow("start -> find -> gone", find, gone)).status == "completed"
    assert column(table, "What") == ["a"]


# --- exactly once ---------------------------------------------------------------------------------------------------


def test_the_same_key_is_one_change_and_its_result() -> None:
    table = made()
    first = changes.add_to(origin("k1"), table.id, {"Customer": "C-7"}, "Owes", Decimal("0.10"))
    put(table, Customer="C-7", Owes=100)
    again = changes.add_to(origin("k1"), table.id, {"Customer": "C-7"}, "Owes", Decimal("0.10"))
    assert again == first
    assert column(table, "Owes") == [100]
    other = changes.delete(origin("k1"), table.id, {"Customer": "C-7"}, Saving())
    assert other.what == "added", "whatever is asked for: the key names what was done"


@pytest.mark.parametrize("point", ["table.change:before", "table.change:after", "step.effect:after"])
def test_a_change_whose_worker_died_is_made_once(machine: Machine, point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_TEST_BUILD", "1")
    table = made()
    failpoints.arm(f"{point}=sleep(1500)@nth(1)")
    run_id = machine.begin(flow("start -> add", add("add", table, Decimal("0.10"))))
    wait_until(lambda: bool(failpoints._seen))
    machine.crash()
    failpoints.disarm()
    wait_until(lambda: DataChange.objects.count() == 1)
    before = DataChange.objects.get().key
    machine.start()
    Run.objects.filter(pk=run_id).update(lease_expires_at=1)
    assert machine.finish(run_id).status == "completed"
    output: Any = detail(run_id, "add").output
    assert output["after"] == Decimal("0.10")
    assert column(table, "Owes") == [Decimal("0.10")]
    assert DataChange.objects.get().key == before


def test_twenty_runs_that_add_at_once_come_to_the_exact_sum(any_machine: Machine) -> None:
    table = made()
    workflow = any_machine.publish(flow("start -> add", add("add", table, "{{ trigger.amount }}")))
    amounts = [Decimal("0.10") * number for number in range(1, 21)]
    runs = [any_machine.begin_again(workflow, {"amount": amount}) for amount in amounts]
    assert {any_machine.finish(run_id).status for run_id in runs} == {"completed"}
    assert column(table, "Owes") == [sum(amounts)]
    steps: list[Any] = [detail(run_id, "add").output for run_id in runs]
    assert sorted(one["after"] for one in steps)[-1] == Decimal("21.00")
    assert {one["before"] for one in steps} == {one["after"] for one in steps} - {Decimal("21.00")} | {0}


def test_twenty_threads_that_add_and_repeat_at_once_come_to_the_exact_sum() -> None:
    """The same row is made by several at once, and every change is asked for twice."""
    table = made()
    together = threading.Barrier(20)

    def work(number: int) -> None:
        together.wait()
        try:
            for customer in ("C-7", f"C-{number % 3}"):
                changes.add_to(
                    origin(f"{number // 2}/{customer}"), table.id, {"Customer": customer}, "Owes", Decimal("0.1")
                )
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(work, range(20)))
    assert {row.values["Customer"]: row.values["Owes"] for row in rows(table)}["C-7"] == Decimal("1.0")
    assert DataChange.objects.count() == len({f"{n // 2}/{c}" for n in range(20) for c in ("C-7", f"C-{n % 3}")})


# --- taken back -----------------------------------------------------------------------------------------------------


def test_a_run_that_is_undone_leaves_the_table_as_it_was(any_machine: Machine) -> None:
    table = made()
    put(table, Customer="C-7", Owes=Decimal("10.00"), Orders=1)
    put(table, Customer="C-9", Owes=9)
    before = [(row.id, row.values, row.created_at) for row in rows(table)]
    graph = flow(
        "start -> save -> add -> again -> new -> gone -> fails, save:undo -> u1, add:undo -> u2, again:undo -> u3,"
        " new:undo -> u4, gone:undo -> u5",
        save("save", table, Customer="C-7", Owes=5), add("add", table, Decimal("0.5")),
        save("again", table, Customer="C-7", Orders=""), save("new", table, Customer="C-8"),
        step("gone", "tables.delete@1", {"table": str(table.id), "key": [{"name": "Customer", "value": "C-9"}]}),
        fails(), *(back(f"u{number}") for number in range(1, 6)),
    )  # fmt: skip
    run = any_machine.run(graph)
    assert run.status == "compensated", run
    assert [(row.id, row.values, row.created_at) for row in rows(table)] == before
    told: Any = detail(run.id, "u3").output
    assert (told["what"], told["row"]["Orders"], told["before"]["Orders"]) == ("put_back", 1, None)


def test_a_row_that_somebody_changed_since_is_not_put_back_and_the_run_says_so(machine: Machine) -> None:
    table = made()
    graph = flow(
        "start -> save -> wait -> fails, save:undo -> back", save("save", table, Customer="C-7", Owes=5), back("back"),
        step("wait", "flow.wait_signal@1", {"title": "x"}), fails(),
    )  # fmt: skip
    run_id = machine.begin(graph)
    wait_until(lambda: bool(rows(table)))
    machine.until(run_id, lambda run: run.status == "waiting_event")
    put(table, Customer="C-7", Owes=6)
    api.resume(workspace_id=WORKSPACE, run_id=run_id, node_id="wait", voter=Voter(ME, "x", "x@example.com"), data={})
    run = machine.finish(run_id)
    assert run.status == "dead_lettered", run
    assert run.error is not None
    assert "Still done: “save”" in run.error["message"]
    (attempt,) = detail(run_id, "back").attempts
    assert attempt.error is not None
    assert "Somebody changed the row Customer “C-7” since, so it stays as it is" in attempt.error["message"]
    assert column(table, "Owes") == [6]


def test_what_others_have_added_since_stays_when_an_addition_is_taken_back() -> None:
    table, run_id = made(), uuid7()
    changes.add_to(origin("mine", run_id), table.id, {"Customer": "C-7"}, "Owes", Decimal("5.00"))
    changes.add_to(origin("other"), table.id, {"Customer": "C-7"}, "Owes", 2)
    undone = changes.put_back(Origin(WORKSPACE, "run:x", "undo", run_id, "u"), "n", "mine")
    assert (undone.what, column(table, "Owes")) == ("put_back", [Decimal("2.00")])
    again = changes.put_back(Origin(WORKSPACE, "run:x", "undo", run_id, "u"), "n", "mine")
    assert (again.what, column(table, "Owes")) == ("put_back", [Decimal("2.00")])


def test_a_change_that_comes_after_its_undo_is_not_made() -> None:
    """The answer was lost, or the process slept: the undo finds nothing, and what arrives later finds that."""
    table, run_id = made(), uuid7()
    undone = changes.put_back(Origin(WORKSPACE, "run:x", "undo", run_id, "u"), "n", "late")
    assert undone.what == "unchanged"
    with pytest.raises(TableRefused, match="undone before this came"):
        changes.add_to(origin("late", run_id), table.id, {"Customer": "C-7"}, "Owes", 1)
    assert values(table) == []


def test_a_deleted_row_does_not_come_back_over_a_new_one() -> None:
    table, run_id = made(), uuid7()
    put(table, Customer="C-7", Owes=1)
    changes.delete(origin("mine", run_id), table.id, {"Customer": "C-7"}, Saving())
    put(table, Customer="C-7", Owes=2)
    with pytest.raises(TableRefused, match="a new row with Customer “C-7”"):
        changes.put_back(Origin(WORKSPACE, "run:x", "undo", run_id, "u"), "n", "mine")
    assert column(table, "Owes") == [2]


# --- for each -------------------------------------------------------------------------------------------------------


def each(table: TableView, **config: Any) -> dict[str, Any]:
    return step("each", "flow.for_each@1", {"source": "table", "table": str(table.id), "collect": True, **config})


def test_for_each_goes_through_the_rows_while_others_come_and_these_change(
    any_machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each row stops to be one that is looked for, and adds one that would be; pages hold three."""
    monkeypatch.setattr(datatable_pages, "PAGE_ROWS", 3)
    table = made(columns=(ColumnDraft("N", "number", key=True), ColumnDraft("Seen", "yes_no")))
    for number in range(8):
        put(table, N=number)
    inside = {**save("inside", table, N="{{ item.N }}", Seen=True), "parent": "each"}
    new = {**save("new", table, N="{{ 1000 + item.N }}"), "parent": "each"}
    unseen = [{"column": "Seen", "operator": "empty"}]
    graph = flow("start -> each, inside -> new", each(table, conditions=unseen), inside, new)
    run = any_machine.run(graph)
    assert run.status == "completed", run
    output: Any = detail(run.id, "each").output
    assert (output["total"], output["done"]) == (8, 8), "none of those that were added, though they fit"
    assert column(table, "N") == [*range(8), *range(1000, 1008)]
    assert column(table, "Seen") == [True] * 8 + [None] * 8


def test_for_each_says_when_a_table_has_more_rows_than_it_takes(machine: Machine) -> None:
    table = made()
    for number in range(3):
        put(table, Customer=f"C-{number}")
    inside = {**delete("inside", table), "parent": "each"}
    run = machine.run(flow("start -> each", each(table, most_items=2), inside))
    assert run.error is not None
    assert "These are 3 rows, and this step takes at most 2" in run.error["message"]
