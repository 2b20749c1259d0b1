"""The result file of a batch: the columns of its table, and beside each row what came of it."""

from __future__ import annotations

import tracemalloc
from typing import Any
from uuid import UUID

import pytest

from builder.api import result_sheets
from builder.api.sensitive import DOTS, Masking
from runtime import api
from runtime.contracts.batch_results import EntryResult
from runtime.store.models import Run
from tests.builder.conftest import World
from tests.builder.test_audit_runs import machine, rows, start
from tests.builder.test_manifest_sheets import table
from tests.runtime.machine import Machine, fields, flow
from tests.runtime.test_batches import statements
from tests.runtime.test_own_runs import inside

__all__ = ["machine"]

pytestmark = pytest.mark.django_db(transaction=True)
FAILS = inside("each", fields("calc", id="{{ item.number }}-{{ 10 / item.by }}"))
OPEN = Masking([]).dotted


def test_each_row_says_what_came_of_it_behind_the_columns_of_the_table(world: World, machine: Machine) -> None:
    items = [
        {"number": "=S-1", "by": 1, "amount": "1250.50", "Status": "mine"},
        {"number": "S-2", "by": 0, "amount": "2"},
        {"number": "S-1", "by": 1, "iban": "DE00"},
    ]
    batch = f"{start(world, flow('start -> each', statements(items), *FAILS))}/batches/each"
    answer = world.as_vera.get(f"{batch}/results")
    assert 'filename="results.csv"' in answer.headers["Content-Disposition"]
    first, second, third = table(answer, ",")
    assert list(first) == [
        "number", "by", "amount", "Status", "iban", "Number", "Key", "Status (Millrace)", "Message", "New id",
    ]  # fmt: skip
    assert (first["number"], first["Status"]) == ("'=S-1", "mine"), "a spreadsheet runs nothing of it"
    assert (first["Number"], first["Status (Millrace)"], first["Message"]) == ("1", "done", "")
    assert first["New id"] == "'=S-1-10"
    assert (second["Number"], second["Status (Millrace)"], second["New id"]) == ("2", "failed", "")
    assert "formula" in second["Message"]
    assert third["iban"] == "DE00"
    assert [one["amount"] for one in table(world.as_vera.get(f"{batch}/results?format=csv_comma"), ";")][1] == "2"
    kept = [row.detail for row in rows(world, "batch.results_downloaded")]
    assert ['"format":"csv_comma"' in one for one in kept] == [False, True]
    assert world.as_vera.get(f"{batch}/results?format=xlsx").status == 400
    assert world.as_mallory.get(f"{batch}/results").status == 404


def test_our_columns_are_called_in_the_language_of_who_reads(world: World, machine: Machine) -> None:
    items = [{"number": "S-1", "by": 1, "Meldung": "mine"}]
    batch = f"{start(world, flow('start -> each', statements(items), *FAILS))}/batches/each"
    ours = ["Nummer", "Schlüssel", "Status", "Meldung (Millrace)", "Neue ID"]
    assert world.as_vera.patch("/me", {"language": "de"}).status == 200
    (only,) = table(world.as_vera.get(f"{batch}/results?format=csv_comma"), ";")
    assert list(only) == ["number", "by", "Meldung", *ours]
    assert (only["Meldung"], only["Neue ID"]) == ("mine", "S-1-10")
    assert list(table(world.as_alice.get(f"{batch}/results"), ",")[0])[3:5] == ["Number", "Key"]
    world.northwind.language, world.alice.language = "de", ""
    world.northwind.save()
    world.alice.save()
    (only,) = table(world.as_alice.get(f"{batch}/results"), ",")
    assert list(only)[3:] == ours, "who chose none has the one of the workspace"


@pytest.mark.parametrize(("language", "value", "last"), [("en", "Value", "New id"), ("de-CH", "Wert", "Neue ID")])
def test_entries_that_are_no_objects_have_a_column_of_their_own(language: str, value: str, last: str) -> None:
    found = result_sheets.columns([None, "S-1", 2], language)
    assert (found.given, found.own[-1]) == ([value], last)
    one = EntryResult(None, None, "0", "open", "", item="S-1", result=None)
    assert next(result_sheets.rows([one], found, OPEN))[value] == "S-1"


def test_what_is_sensitive_stands_as_dots(world: World, machine: Machine) -> None:
    world.northwind.sensitive_fields = ["iban", "id"]
    world.northwind.save()
    items = [{"number": "S-1", "by": 1, "iban": "DE00"}]
    batch = f"{start(world, flow('start -> each', statements(items), *FAILS))}/batches/each"
    (only,) = table(world.as_vera.get(f"{batch}/results"), ",")
    assert (only["iban"], only["New id"]) == (DOTS, DOTS)


def test_links_of_waiting_runs_are_only_for_those_who_may_use_them(world: World, machine: Machine) -> None:
    secret = "0123456789abcdef" * 2 + "01234567"
    link = f"https://millrace.example/hooks/resume/0199a7f0-0000-7000-8000-000000000001/wait/1/{secret}"
    items = [{"number": link, "by": 1, "more": {"go": link}}]
    each = statements(items, item_key="{{ item.number }}")
    batch = f"{start(world, flow('start -> each', each, *FAILS))}/batches/each"
    assert secret.encode() not in world.as_vera.get(f"{batch}/results").raw
    assert world.as_alice.get(f"{batch}/results").raw.count(secret.encode()) >= 2


def test_an_entry_that_came_twice_has_its_row_too(world: World, machine: Machine) -> None:
    items = [{"number": "S-1", "by": 1}, {"number": "S-1", "by": 1}]
    each = statements(items, item_key="{{ item.number }}", on_twice="skip")
    run = start(world, flow("start -> each", each, *FAILS))
    run_id = UUID(run.rpartition("/")[2])
    first, second = api.walk_results(workspace_id=world.northwind.id, run_id=run_id, node="each")
    assert (first.number, first.status, first.message) == (1, "done", "")
    assert (second.number, second.label, second.status) == (None, "S-1", "passed_over")
    assert second.message == "It came twice in this list."


def test_many_entries_cost_no_more_memory_than_few(world: World, machine: Machine) -> None:
    run = start(world, flow("start -> each", statements([{"number": "S-1", "by": 1}]), *FAILS))
    run_id = UUID(run.rpartition("/")[2])
    one = Run.objects.get(parent_run_id=run_id)
    about: Any = {"workspace_id": world.northwind.id, "run_id": run_id, "node": "each"}

    def most(count: int) -> int:
        have = Run.objects.filter(parent_run_id=run_id).count()
        fresh = []
        for index in range(have, count):
            one.pk, one.item_index = UUID(int=UUID(int=one.pk.int).int + 1), index
            fresh.append(Run(**{field.attname: getattr(one, field.attname) for field in Run._meta.concrete_fields}))
        Run.objects.bulk_create(fresh, batch_size=500)
        del fresh
        tracemalloc.start()
        named = result_sheets.columns(api.walk_items(**about), "en")
        found = result_sheets.rows(api.walk_results(**about), named, OPEN)
        sizes = [len(portion) for portion in api.csv_portions(found, named.names, comma=False)]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert sum(sizes) > count * 20
        return peak

    few, many = most(1_500), most(12_000)
    assert many < few * 1.5, (few, many)


@pytest.mark.parametrize(
    ("result", "name"),
    [
        ({"status": 201, "body": {"id": "INV-7", "number": 3}}, "INV-7"),
        ({"number": 4711}, "4711"),
        ({"id": True, "body": "accepted"}, "accepted"),
        ({"body": {"rows": []}}, ""),
        ([1], ""),
        (None, ""),
    ],
)
def test_the_new_id_is_what_the_other_system_calls_it(result: Any, name: str) -> None:
    assert result_sheets.new_id(result) == name
