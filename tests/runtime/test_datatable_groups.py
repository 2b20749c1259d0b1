"""Changes of data tables that many steps make at the same time share transactions, and are each made once."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import api
from runtime.contracts.datatables import ColumnDraft, TableView
from runtime.store import datatable_new, failpoints
from runtime.store.datatable_models import DataChange, DataRow
from runtime.store.models import Run
from tests.runtime.machine import WORKSPACE, Machine, detail, flow, wait_until
from tests.runtime.tabling import column, made, put
from tests.runtime.test_datatable_steps import save
from tests.runtime.test_own_runs import children, each, inside

pytestmark = pytest.mark.django_db(transaction=True)


def of_items(table: TableView, **given: Any) -> dict[str, Any]:
    """A list in which each entry saves a row."""
    keep = save("keep", table, **given)
    return flow("start -> each", each(at_a_time=20, stop="never"), *inside("each", keep))


def test_forty_items_that_save_at_once_have_a_row_and_a_change_each(any_machine: Machine) -> None:
    table = made()
    lines: list[Any] = [{"customer": f"C-{number}", "owes": number} for number in range(40)]
    run = any_machine.run(of_items(table, Customer="{{ item.customer }}", Owes="{{ item.owes }}"), {"lines": lines})
    assert run.status == "completed"
    assert sorted(column(table, "Owes")) == list(range(40))
    assert DataChange.objects.count() == 40
    outputs: list[Any] = [detail(one.id, "keep").output for one in children(run.id)]
    assert [one["what"] for one in outputs] == ["added"] * 40
    assert {one["row"]["_id"] for one in outputs} == {str(row.pk) for row in DataRow.objects.all()}


def test_items_with_the_same_key_change_one_row_one_after_another(any_machine: Machine) -> None:
    table = made()
    lines: list[Any] = [{"customer": f"C-{number % 3}", "owes": number} for number in range(30)]
    run = any_machine.run(of_items(table, Customer="{{ item.customer }}", Owes="{{ item.owes }}"), {"lines": lines})
    assert run.status == "completed"
    assert sorted(column(table, "Customer")) == ["C-0", "C-1", "C-2"]
    whats = list(DataChange.objects.values_list("what", flat=True))
    assert whats.count("added") == 3
    assert whats.count("changed") == 27


def test_one_that_is_refused_keeps_no_other_from_its_row(any_machine: Machine) -> None:
    table = made()
    owes = ["much" if number % 10 == 3 else number for number in range(30)]
    lines: list[Any] = [{"customer": f"C-{number}", "owes": one} for number, one in enumerate(owes)]
    run = any_machine.run(of_items(table, Customer="{{ item.customer }}", Owes="{{ item.owes }}"), {"lines": lines})
    assert sorted(column(table, "Owes")) == [number for number in range(30) if number % 10 != 3]
    failed = [one for one in children(run.id) if one.status == "dead_lettered"]
    assert [one.item_index for one in failed] == [3, 13, 23]
    error: Any = detail(failed[0].id, "keep").step.error
    assert "much" in error["message"]


def test_a_table_without_a_key_takes_every_row(any_machine: Machine) -> None:
    table = made("Log", (ColumnDraft("What", "text"),))
    run = any_machine.run(of_items(table, What="{{ item }}"), {"lines": ["same"] * 20})
    assert run.status == "completed"
    assert column(table, "What") == ["same"] * 20


@pytest.mark.parametrize("point", ["table.change:before", "table.change:after", "step.effect:after"])
def test_new_rows_whose_worker_died_are_there_once(
    machine: Machine, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLRACE_TEST_BUILD", "1")
    table = made()
    failpoints.arm(f"{point}=sleep(1500)@nth(1)")
    run_id = machine.begin(flow("start -> keep", save("keep", table, Customer="C-7", Owes=7)))
    wait_until(lambda: bool(failpoints._seen))
    machine.crash()
    failpoints.disarm()
    wait_until(lambda: DataChange.objects.count() == 1)
    machine.start()
    Run.objects.filter(pk=run_id).update(lease_expires_at=1)
    assert machine.finish(run_id).status == "completed"
    output: Any = detail(run_id, "keep").output
    assert output["what"] == "added"
    assert column(table, "Owes") == [7]
    assert DataRow.objects.count() == DataChange.objects.count() == 1


def test_whatever_is_no_new_row_goes_the_long_way_and_says_the_same(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = made()
    put(table, Customer="C-7", Owes=1)
    ways: list[int] = []
    short = datatable_new.add

    def counted(*given: Any) -> Any:
        done = short(*given)
        ways.append(len(done))
        return done

    monkeypatch.setattr(datatable_new, "add", counted)
    one, two = save("one", table, Customer="C-7", Owes=2), save("two", table, Customer="C-8", Owes=3)
    run = machine.run(flow("start -> one -> two", one, two))
    assert ways == [0, 1]
    outputs: list[Any] = [detail(run.id, name).output for name in ("one", "two")]
    assert [output["what"] for output in outputs] == ["changed", "added"]
    assert outputs[0].keys() == outputs[1].keys()
    assert column(table, "Owes") == [2, 3]


def test_rows_of_a_removed_table_are_refused_in_words(machine: Machine) -> None:
    table = made()
    api.remove_table(workspace_id=WORKSPACE, table_id=table.id, by=table.id)
    run = machine.run(flow("start -> keep", save("keep", table, Customer="C-7")))
    assert run.status == "dead_lettered"
    error: Any = detail(run.id, "keep").step.error
    assert error["code"] == "table_missing"
