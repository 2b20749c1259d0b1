"""Two lists reconciled in a run: what was found is kept, shown page by page, gone through once each, and the same again
after whatever death."""

from __future__ import annotations

import threading
import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings

from runtime import api
from runtime.contracts import NotFound
from runtime.contracts.datatables import ColumnDraft
from runtime.contracts.files import FileFilters
from runtime.sdk.reconcile import Comparison
from runtime.sdk.reconcile_rules import Rules
from runtime.sdk.reconcile_values import Reading
from runtime.store import files
from runtime.store.models import File, Run
from tests.runtime.machine import WORKSPACE, Machine, detail, fields, flow, look, step, wait_until
from tests.runtime.tabling import made, put
from tests.runtime.test_own_runs import inside
from tests.runtime.test_table_pages import kept

OTHER = UUID("01890a5d-ac96-774b-bcce-b302099a8058")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)


def bank(count: int) -> bytes:
    """A statement with decimal commas: each tenth differs by a cent, each hundredth by ten."""
    lines = []
    for number in range(1, count + 1):
        off = Decimal(10) if number % 100 == 0 else Decimal("0.01") if number % 10 == 0 else Decimal(0)
        amount = f"{Decimal(number) + Decimal('0.50') + off}".replace(".", ",")
        lines.append(f"02.11.2026;R-{number:05};{amount}")
    return "\r\n".join(["Booked;Reference;Amount", *lines, ""]).encode()


def ledger(count: int) -> bytes:
    """The open items in another order."""
    numbers = [number * 7 % (count + 1) for number in range(1, count + 1)]
    return "\n".join(["invoice,open", *(f"R-{number:05},{number}.50" for number in numbers), ""]).encode()


def reconcile(**config: Any) -> dict[str, Any]:
    told = {
        "a_name": "Bank", "a_source": "file", "a_file": "{{ trigger.a }}",
        "b_name": "Ledger", "b_source": "file", "b_file": "{{ trigger.b }}",
        "keys": [{"a": "Reference", "b": "invoice"}], "a_amount": "Amount", "b_amount": "open",
        "tolerance": "0.05", "currency": "EUR",
    }  # fmt: skip
    return step("compare", "data.reconcile@1", {**told, **config}, timeout_seconds=300)


def each(group: str) -> dict[str, Any]:
    config = {"source": "file", "file": f"{{{{ steps.compare.{group}.file }}}}", "at_a_time": 50, "collect": False}
    return step("each", "flow.for_each@1", config)


def seen(run_id: UUID, group: str, **asked: Any) -> list[Any]:
    """All of a group, in pages."""
    found: list[Any] = []
    after: str | None = None
    while True:
        page = api.reconciled(workspace_id=WORKSPACE, run_id=run_id, node="compare", group=group, after=after, **asked)
        found += page.items
        after = page.next_cursor
        if after is None:
            return found


def test_a_statement_and_a_ledger_are_held_against_each_other_and_gone_through(any_machine: Machine) -> None:
    n = 1_200
    graph = flow(
        "start -> compare -> each", reconcile(), each("matched"), *inside("each", fields("key", of="{{ item.key }}"))
    )
    given = {"a": kept(bank(n)), "b": kept(ledger(n))}
    run = any_machine.finish(any_machine.begin(graph, given), patience=120)
    assert run.status == "completed", run
    view = api.reconciliation(workspace_id=WORKSPACE, run_id=run.id, node="compare")
    assert view.counts == {"matched": n - 12, "differing": 12, "only_a": 0, "only_b": 0, "twice": 0}
    assert (view.within, view.a_count, view.b_count, view.a_name) == (108, n, n, "Bank")
    [total] = view.totals
    assert total.difference == Decimal("121.08")
    assert total.a.amount == sum(one[0].amount for one in total.groups.values())
    output: Any = detail(run.id, "each").output
    assert (output["total"], output["done"], output["pages"]) == (n - 12, n - 12, 3)
    keys = [one["of"] for one in outputs(run.id)]
    assert keys == [f"R-{number:05}" for number in range(1, n + 1) if number % 100]
    assert [one.key for one in seen(run.id, "matched", limit=200)] == keys
    differing = seen(run.id, "differing", limit=5)
    assert [one.difference for one in differing] == [10] * 12
    assert differing[0].a[0]["Booked"] == "2026-11-02"
    made_files = api.files(workspace_id=WORKSPACE, filters=FileFilters(run_id=run.id)).items
    assert {one.name for one in made_files} == {
        "matched.jsonl", "differing.jsonl", "only_a.jsonl", "only_b.jsonl", "twice.jsonl", "rest.jsonl",
        "Reconciliation.xlsx", "Reconciliation.csv",
    }  # fmt: skip
    assert files.verify() == []


def outputs(run_id: UUID) -> list[Any]:
    rows = Run.objects.filter(parent_run_id=run_id).order_by("item_index").values_list("pk", flat=True)
    return [detail(row, "key").output for row in rows]


def test_rows_are_found_by_what_stands_in_them(machine: Machine) -> None:
    run = machine.run(flow("start -> compare", reconcile()), {"a": kept(bank(400)), "b": kept(ledger(400))})
    assert [one.key for one in seen(run.id, "matched", search="r-0001")] == [f"R-0001{n}" for n in range(10)]
    assert [one.a_amount for one in seen(run.id, "matched", search="17.50")] == [
        Decimal("17.50"), Decimal("117.50"), Decimal("217.50"), Decimal("317.50"),
    ]  # fmt: skip
    assert seen(run.id, "matched", search="amount") == [], "names of columns are not what is asked for"
    assert seen(run.id, "only_a") == []


def test_quotes_are_found_too(machine: Machine) -> None:
    first = bank(3).replace(b"02.11.2026", b'"the ""blue"" one"')
    run = machine.run(flow("start -> compare", reconcile()), {"a": kept(first), "b": kept(ledger(3))})
    assert len(seen(run.id, "matched", search='"blue"')) == 3


def test_only_a_step_that_has_reconciled_is_shown_and_only_to_its_workspace(machine: Machine) -> None:
    run = machine.run(flow("start -> compare", reconcile()), {"a": kept(bank(3)), "b": kept(ledger(3))})
    about: Any = {"run_id": run.id, "node": "compare"}
    with pytest.raises(NotFound):
        api.reconciliation(workspace_id=OTHER, **about)
    with pytest.raises(NotFound, match="reconciles no lists"):
        api.reconciliation(workspace_id=WORKSPACE, run_id=run.id, node="start")
    row = File.objects.get(run_id=run.id, name="matched.jsonl")
    api.remove_file(workspace_id=WORKSPACE, file_id=row.pk, by=None)
    with pytest.raises(NotFound, match="removed"):
        api.reconciled(workspace_id=WORKSPACE, group="matched", **about)
    failed = machine.run(flow("start -> compare", reconcile(a_amount="Betrag")), {"a": kept(bank(3)), "b": kept(b"x")})
    assert failed.status != "completed"
    with pytest.raises(NotFound, match="not reconciled"):
        api.reconciliation(workspace_id=WORKSPACE, run_id=failed.id, node="compare")


def test_the_rows_of_a_table_are_held_against_a_list(any_machine: Machine) -> None:
    columns = (ColumnDraft(name="Customer", type="text", key=True), ColumnDraft(name="Owes", type="number"))
    table = made("Open items", columns)
    for number in range(3):
        put(table, Customer=f"C-{number}", Owes=number)
    config = {
        "a_source": "list", "a_items": "{{ trigger.a }}", "a_file": None, "a_amount": "paid",
        "b_source": "table", "b_table": str(table.id), "b_file": None, "b_amount": "Owes",
        "keys": [{"a": "who", "b": "Customer"}],
    }  # fmt: skip
    config = {name: value for name, value in config.items() if value is not None}
    graph = flow("start -> compare", reconcile(**config))
    for name in ("a_file", "b_file"):
        del graph["nodes"][1]["config"][name]
    run = any_machine.run(graph, {"a": [{"who": "c-1", "paid": 1}, {"who": "C-2", "paid": 5}]})
    view = api.reconciliation(workspace_id=WORKSPACE, run_id=run.id, node="compare")
    assert view.counts == {"matched": 1, "differing": 1, "only_a": 0, "only_b": 1, "twice": 0}


def test_a_worker_that_dies_while_it_keeps_what_it_found_leaves_it_to_be_found_again(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"a": kept(bank(700)), "b": kept(ledger(700))}
    undisturbed = machine.run(flow("start -> compare", reconcile()), given)
    held, real, finished = threading.Event(), files.Saving.finish, 0

    def finish(self: files.Saving) -> None:
        nonlocal finished
        real(self)
        finished += 1
        if finished == 4:
            held.set()
            threading.Event().wait(1.0)

    monkeypatch.setattr(files.Saving, "finish", finish)
    monkeypatch.setattr(files.Saving, "abandon", lambda self: None)
    run_id = machine.begin(flow("start -> compare", reconcile()), given)
    assert held.wait(90)
    machine.crash()
    assert File.objects.filter(run_id=run_id).count() == 0
    Run.objects.filter(pk=run_id).update(lease_expires_at=0, wake_at=0)
    machine.start()
    wait_until(lambda: look(run_id).status == "completed")
    digests = [
        sorted(File.objects.filter(run_id=run).values_list("name", "sha256")) for run in (undisturbed.id, run_id)
    ]
    assert digests[0] == digests[1]
    assert len(digests[0]) == 8
    assert files.verify() == []


def test_a_crash_while_a_group_is_gone_through_loses_and_repeats_no_entry(machine: Machine) -> None:
    graph = flow(
        "start -> compare -> each", reconcile(), each("matched"), *inside("each", fields("key", of="{{ item.key }}"))
    )
    run_id = machine.begin(graph, {"a": kept(bank(1_100)), "b": kept(ledger(1_100))})
    for many in (1, 490, 520):
        wait_until(lambda: Run.objects.filter(parent_run_id=run_id).count() >= many)  # noqa: B023
        if look(run_id).finished_at is None:
            machine.crash()
            machine.start()
    run = machine.finish(run_id, patience=120)
    assert run.status == "completed", run
    assert [one["of"] for one in outputs(run_id)] == [f"R-{number:05}" for number in range(1, 1_101) if number % 100]


def compared(count: int) -> int:
    """The most memory that Python asks for while so many rows are compared and written, in bytes."""
    tracemalloc.start()
    try:
        reading = Reading(("key",), amount="n")
        with Comparison(Rules(reading, reading)) as found:
            for side in (0, 1):
                found.add(side, ((f"row {n}", {"key": f"K-{n}", "n": n, "text": "x" * 200}) for n in range(count)))
            found.settle()
            assert found.groups["matched"] == count
            assert sum(1 for _ in found.outcomes("matched")) == count
            found.totals()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_twenty_thousand_rows_take_hardly_more_memory_than_two_thousand() -> None:
    assert compared(20_000) < compared(2_000) + 500_000
