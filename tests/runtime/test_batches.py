"""A batch is counted, summed and proven: every entry once, amounts to the cent, files as the manifest says (I37)."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import NotFound, RunView
from runtime.contracts.batches import BatchView
from runtime.interpreter import manifests
from runtime.store import files as store
from runtime.store.models import File, Run
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, flow, post, step
from tests.runtime.test_own_runs import children, inside, mark_of_this_test

__all__ = ["mark_of_this_test"]

PEOPLE: list[dict[str, Any]] = [
    {"number": "S-1", "amount": 10.10, "currency": "EUR"},
    {"number": "S-2", "amount": 20.20, "currency": "EUR"},
    {"number": "S-3", "amount": 5, "currency": "CZK"},
]
DESIGN: dict[str, Any] = {
    "version": 1,
    "title": "Statement",
    "blocks": [{"kind": "title", "text": "Statement {{ data.number }}"}],
}


def statements(items: list[Any] = PEOPLE, **settings: Any) -> dict[str, Any]:
    config = {
        "items": items,
        "stop": "never",
        "label": "{{ item.number }}",
        "amount": "{{ item.amount }}",
        "currency": "{{ item.currency }}",
        "manifest": True,
        "collect": False,
        "at_a_time": 10,
    }
    return step("each", "flow.for_each@1", {**config, **settings})


def document() -> dict[str, Any]:
    return step("draw", "documents.create@1", {"design": DESIGN, "data": "{{ item }}", "name": "{{ item.number }}"})


def batch(run: RunView) -> BatchView:
    return api.batch(workspace_id=WORKSPACE, run_id=run.id, node=node_of(run))


def node_of(run: RunView) -> str:
    found = Run.objects.filter(parent_run_id=run.id).values_list("parent_node", flat=True).first()
    return found or "each"


def lines_of(run: RunView) -> list[dict[str, Any]]:
    row = File.objects.get(run_id=run.id, mime=manifests.MIME)
    data = b"".join(store.portions(row.pk, row.sha256, row.size))
    *body, end = data.splitlines(keepends=True)
    assert json.loads(end)["sha256"] == hashlib.sha256(b"".join(body)).hexdigest()
    return [json.loads(line) for line in (*body, end)]


def change_a_byte(file_id: UUID) -> None:
    path = store.directory() / file_id.hex[:7] / file_id.hex
    path.write_bytes(changed(path.read_bytes(), Random(1)))


def test_the_manifest_names_each_entry_once_with_its_files_and_their_digests(machine: Machine) -> None:
    run = machine.run(flow("start -> each", statements(), *inside("each", document())))
    assert run.status == "completed", run
    _, *entries, end = lines_of(run)
    assert [(one["seq"], one["key"], one["status"], one["attempts"]) for one in entries] == [
        (1, "S-1", "done", 1),
        (2, "S-2", "done", 1),
        (3, "S-3", "done", 1),
    ]
    for one in entries:
        (file,) = one["files"]
        row = File.objects.get(name=f"{one['key']}.pdf", run_id__in=[child.id for child in children(run.id)])
        assert (file["sha256"], file["size"]) == (row.sha256, row.size)
    assert (end["items"], end["done"], end["failed"], end["open"]) == (3, 3, 0, 0)
    assert end["totals"] == {"CZK": "5.00", "EUR": "30.30"}


def test_amounts_are_summed_to_the_cent_by_currency_and_compared_with_what_they_have_to_come_to(
    machine: Machine, world: World
) -> None:
    expected: dict[str, Any] = {"expected_count": 3, "expected_amount": {"EUR": 30.30, "CZK": 6}}
    address = f"{world.url}{{{{ '/with/fail=422' if index == 1 else '' }}}}/invoices"
    body = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10}
    refused = post("pay", address, body, retry={"attempts": 1})
    each = statements(PEOPLE, posted="{{ item.amount }}", **expected)
    run = machine.run(flow("start -> each", each, *inside("each", refused)))
    view = batch(run)
    assert view.expected_count == 3
    by_currency = {one.currency: one for one in view.totals}
    euro, crowns = by_currency["EUR"], by_currency["CZK"]
    assert (euro.received.count, str(euro.received.amount), euro.expected) == (2, "30.30", Decimal("30.3"))
    assert (str(euro.done.amount), str(euro.failed.amount)) == ("10.10", "20.20")
    assert euro.posted is not None
    assert str(euro.posted.amount) == "10.10"
    assert str(crowns.received.amount) != str(crowns.expected)
    assert (view.done, view.failed, view.total) == (2, 1, 3)
    assert [(one.count, one.title) for one in view.causes] == [(1, "The data was refused")]


@pytest.mark.parametrize("worth", ["{{ item.nothing }}", "{{ item.number }}", "{{ 1.00005 }}"])
def test_an_entry_without_a_proper_amount_is_counted_as_one(machine: Machine, worth: str) -> None:
    run = machine.run(flow("start -> each", statements(amount=worth), *inside("each", document())))
    assert run.status == "completed", run
    assert {one.currency: one.without for one in batch(run).totals} == {"CZK": 1, "EUR": 2}


def test_a_changed_a_missing_and_an_extra_file_are_found_and_named(machine: Machine) -> None:
    run = machine.run(flow("start -> each", statements(), *inside("each", document())))
    check: Any = {"workspace_id": WORKSPACE, "run_id": run.id, "node": node_of(run), "by": None}
    well = api.check_batch(**check)
    assert well.is_well
    assert well.checked == 3
    rows = {row.name: row for row in File.objects.filter(run_id__in=[child.id for child in children(run.id)])}
    change_a_byte(rows["S-1.pdf"].pk)
    store.remove(rows["S-2.pdf"], by=None)
    third = rows["S-3.pdf"]
    third.pk, third.name = UUID(int=7), "slipped-in.pdf"
    third.save(force_insert=True)
    found = api.check_batch(**check)
    assert [(one.name, one.seq, one.key) for one in found.changed] == [("S-1.pdf", 1, "S-1")]
    assert [(one.name, one.seq, one.key) for one in found.missing] == [("S-2.pdf", 2, "S-2")]
    assert [one.name for one in found.extra] == ["slipped-in.pdf"]
    assert not found.is_well
    assert [one.is_well for one in api.batch_checks(workspace_id=WORKSPACE, run_id=run.id, node=node_of(run))] == [
        False,
        True,
    ]


def test_a_hundred_changed_bytes_are_each_found_by_twenty_lines_that_know_nothing_of_millrace(
    machine: Machine, tmp_path: Path
) -> None:
    """F38: the manifest and the files are all that an auditor has."""
    run = machine.run(flow("start -> each", statements(), *inside("each", document())))
    (manifest,) = File.objects.filter(run_id=run.id, mime=manifests.MIME)
    rows = File.objects.filter(run_id__in=[child.id for child in children(run.id)])
    kept = {row.name: b"".join(store.portions(row.pk, row.sha256, row.size)) for row in rows}
    folder, paper = tmp_path / "files", tmp_path / "manifest.jsonl"
    folder.mkdir()
    paper.write_bytes(b"".join(store.portions(manifest.pk, manifest.sha256, manifest.size)))
    for name, data in kept.items():
        (folder / name).write_bytes(data)
    assert checked(paper, folder) == (0, "0 wrong, 0 extra")
    chance = Random(38)
    for _ in range(100):
        name = chance.choice(sorted(kept))
        (folder / name).write_bytes(changed(kept[name], chance))
        status, said = checked(paper, folder)
        assert status == 1
        assert f"missing or changed: {name} of number" in said
        (folder / name).write_bytes(kept[name])
    paper.write_bytes(changed(paper.read_bytes(), chance))
    assert checked(paper, folder)[0] == 1


def changed(data: bytes, chance: Random) -> bytes:
    """These bytes with one bit turned."""
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def checked(paper: Path, folder: Path) -> tuple[int, str]:
    """What the script of the docs says."""
    done = subprocess.run(
        [sys.executable, "docs/check_manifest.py", str(paper), str(folder)], capture_output=True, text=True, check=False
    )
    return done.returncode, (done.stdout + done.stderr).strip()


def test_a_changed_manifest_is_not_taken_for_one(machine: Machine) -> None:
    run = machine.run(flow("start -> each", statements(), *inside("each", document())))
    change_a_byte(File.objects.get(run_id=run.id, mime=manifests.MIME).pk)
    found = api.check_batch(workspace_id=WORKSPACE, run_id=run.id, node=node_of(run), by=None)
    assert "manifest" in found.problem
    assert not found.is_well


def test_an_entry_that_failed_is_put_right_and_goes_on_with_what_it_is_given_now(
    machine: Machine, world: World
) -> None:
    body = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10}
    pay = post("pay", f"{world.url}{{{{ item.way }}}}/invoices", body, retry={"attempts": 1})
    items = [{"number": "1", "way": "", "amount": 1}, {"number": "2", "way": "/with/fail=422", "amount": 2}]
    run = machine.run(flow("start -> each", statements(items, currency="EUR"), *inside("each", pay)))
    (failed,) = api.failed_entries(workspace_id=WORKSPACE, run_id=run.id, node=node_of(run)).items
    assert (failed.index, failed.label) == (1, "2")
    right: Any = {"number": "2", "way": "", "amount": 3}
    (became,) = api.correct_entries(workspace_id=WORKSPACE, run_id=run.id, node=node_of(run), items={1: right}, by=None)
    assert became.outcome == "begun", became
    assert machine.finish(failed.run_id).status == "completed"
    view = batch(run)
    assert (view.done, view.failed) == (2, 0)
    assert [str(one.received.amount) for one in view.totals] == ["4.00"]
    assert not view.sealed
    page = api.items(workspace_id=WORKSPACE, run_id=run.id, node=node_of(run))
    assert [one.corrected for one in page.items] == [False, True]
    (retry,) = api.retries(workspace_id=WORKSPACE, run_id=failed.run_id)
    assert retry.edits == {node_of(run): {"before": items[1], "after": right}}
    again = api.keep_manifest(workspace_id=WORKSPACE, run_id=run.id, node=node_of(run))
    assert batch(run).sealed
    assert batch(run).manifest == again


def test_the_amount_of_what_was_put_right_is_worked_out_with_all_that_its_formula_reads(
    machine: Machine, world: World
) -> None:
    """The start, a step before (here with data that stands in a file of its own), the run, and the entry's number."""
    body = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10}
    pay = post("pay", f"{world.url}{{{{ item.way }}}}/invoices", body, retry={"attempts": 1})
    rates = step("rates", "data.edit_fields@1", {"fields": [
        {"name": "rate", "value": "{{ 1.5 }}"}, {"name": "words", "value": "x" * 70_000},
    ]})  # fmt: skip
    items = [{"number": "1", "way": "", "amount": 1}, {"number": "2", "way": "/with/fail=422", "amount": 2}]
    worth = "{{ item.amount * steps.rates.rate * trigger.by + index + length(run.id) }}"
    each = statements(items, amount=worth, currency="{{ trigger.currency }}")
    run = machine.run(flow("start -> rates -> each", rates, each, *inside("each", pay)), {"by": 10, "currency": "EUR"})
    node = node_of(run)
    assert [str(one.received.amount) for one in batch(run).totals] == ["118.00"]
    right: Any = {"number": "2", "way": "", "amount": 4}
    (became,) = api.correct_entries(workspace_id=WORKSPACE, run_id=run.id, node=node, items={1: right}, by=None)
    assert became.outcome == "begun", became
    (total,) = batch(run).totals
    assert (total.currency, str(total.received.amount), total.without) == ("EUR", "148.00", 0)


def test_of_a_large_entry_that_was_put_right_the_record_says_what_differs(machine: Machine, world: World) -> None:
    pay = post("pay", f"{world.url}{{{{ item.way }}}}/invoices", {"order": "1"}, retry={"attempts": 1})
    large = {"number": "1", "way": "/with/fail=422", "amount": 1, "words": "x" * 70_000}
    right: Any = {**large, "way": "", "amount": 2}
    run = machine.run(flow("start -> each", statements([large], currency="EUR"), *inside("each", pay)))
    node = node_of(run)
    (failed,) = api.failed_entries(workspace_id=WORKSPACE, run_id=run.id, node=node).items
    (became,) = api.correct_entries(workspace_id=WORKSPACE, run_id=run.id, node=node, items={0: right}, by=None)
    assert became.outcome == "begun", became
    (retry,) = api.retries(workspace_id=WORKSPACE, run_id=failed.run_id)
    before, after = {"way": "/with/fail=422", "amount": 1}, {"way": "", "amount": 2}
    assert retry.edits == {node: {"before": before, "after": after}}
    (total,) = batch(run).totals
    assert str(total.received.amount) == "2.00"


def test_a_step_that_goes_through_no_list_is_no_batch(machine: Machine, world: World) -> None:
    run = machine.run(flow("start -> pay", post("pay", f"{world.url}/invoices", {})))
    with pytest.raises(NotFound):
        api.batch(workspace_id=WORKSPACE, run_id=run.id, node="pay")


def test_a_batch_is_shown_before_its_run_has_begun(machine: Machine) -> None:
    run_id = machine.begin(flow("start -> each", statements(), *inside("each", document())))
    view = api.batch(workspace_id=WORKSPACE, run_id=run_id, node="each")
    assert (view.failed, view.causes, view.manifest) == (0, (), None)
    assert machine.finish(run_id).status == "completed"
