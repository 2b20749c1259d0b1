"""A list of runs is kept as a file: the columns that are shown, every field, and nothing that a spreadsheet runs."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from builder.api import run_sheets
from builder.audit.models import AuditRow
from runtime import api as runtime_api
from runtime.engine.ids import uuid7
from runtime.store.models import Run
from tests import factories
from tests.builder.conftest import World
from tests.builder.test_run_search import Books

COLUMNS = ["status", "run", "field:supplier", "field:total", "field:due", "workflow", "started", "duration", "who"]


@pytest.fixture
def books(world: World) -> Books:
    return Books(world)


def kept(books: Books, **body: Any) -> str:
    answer = books.world.as_vera.post(f"{books.world.here}/runs/export", {"columns": COLUMNS, **body})
    assert answer.status == 200, answer.body
    return answer.raw.decode()


def sheet(books: Books, **body: Any) -> list[dict[str, str]]:
    text = kept(books, **body)
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:]), delimiter=";" if body.get("format") == "csv_comma" else ","))


def three(books: Books) -> list[UUID]:
    runs = [
        books.run("R-1", "Brinkmann Papier GmbH", "13412.80"),
        books.run("=cmd()", "@sum(1)", "-99.5"),
        books.run("S-1", "Hansen, Öl", "10", due=1_795_132_800_000, status="dead_lettered"),
    ]
    body = {"runs": [str(runs[0])], "add": ["to check", "-late"]}
    assert books.world.as_rosa.post(f"{books.world.here}/runs/tags", body).status == 200
    return runs


def test_what_a_search_finds_is_kept_with_its_columns_and_fields(books: Books) -> None:
    runs = three(books)
    rows = sheet(books, search={"q": "total>10"})
    assert rows == [
        {
            "Status": "Done", "Key": "R-1", "Run": str(runs[0]), "Tags": "'-late, to check",
            "Supplier": "Brinkmann Papier GmbH", "Total": "13412.80", "Total: currency": "EUR", "Due": "",
            "Workflow": "Invoices", "Version": "1", "Started (UTC)": "2026-11-20 09:41:07",
            "Ended (UTC)": "2026-11-20 09:41:08", "Duration (s)": "1", "Started by": "Webhook",
        }
    ]  # fmt: skip


def test_no_text_becomes_a_formula_and_numbers_stay_numbers(books: Books) -> None:
    three(books)
    row = next(one for one in sheet(books, search={}) if "cmd" in one["Key"])
    assert (row["Key"], row["Supplier"], row["Total"]) == ("'=cmd()", "'@sum(1)", "-99.5")
    comma = sheet(books, search={}, format="csv_comma")
    assert [one["Total"] for one in comma] == ["10", "-99,5", "13412,80"]


def test_chosen_runs_stand_in_their_order_and_those_of_others_not_at_all(books: Books) -> None:
    first, _, third = three(books)
    assert [one["Key"] for one in sheet(books, runs=[str(first), str(third), str(uuid7())])] == ["R-1", "S-1"]
    theirs = f"/workspaces/{books.world.southwind.id}/runs/export"
    answer = books.world.as_mallory.post(theirs, {"runs": [str(first)], "format": "json"})
    assert answer.body == {"runs": [], "cut": False}


def test_the_order_is_that_of_the_list(books: Books) -> None:
    three(books)
    assert [one["Total"] for one in sheet(books, search={}, sort="largest:total")] == ["13412.80", "10", "-99.5"]


def test_json_says_the_same_by_names_that_do_not_change(books: Books) -> None:
    first, *_ = three(books)
    found = json.loads(kept(books, runs=[str(first)], format="json", columns=["field:total", "started"]))
    assert found == {
        "runs": [
            {
                "id": str(first), "key": "R-1", "tags": ["-late", "to check"],
                "fields": {
                    "total": {
                        "name": "total", "label": "Total", "kind": "amount", "text": "13412.80", "currency": "EUR",
                    },
                },
                "started_at": "2026-11-20T09:41:07.000Z", "finished_at": "2026-11-20T09:41:08.000Z",
            }
        ],
        "cut": False,
    }  # fmt: skip


def test_a_file_in_german_has_german_words(books: Books) -> None:
    three(books)
    assert books.world.as_vera.patch("/me", {"language": "de"}).status == 200
    row = sheet(books, search={"q": "status:failed"})[0]
    assert (row["Status"], row["Schlüssel"], row["Gestartet von"]) == ("Gescheitert", "S-1", "Webhook")


def test_a_file_that_was_cut_says_so(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    three(books)
    monkeypatch.setattr(run_sheets, "MOST", 2)
    rows = sheet(books, search={})
    assert [one["Key"] for one in rows[:2]] == ["S-1", "'=cmd()"]
    assert rows[2]["Status"].startswith("There are more than 2 runs.")
    assert json.loads(kept(books, search={}, format="json"))["cut"] is True
    assert len(sheet(books, search={"q": "total>0"})) == 2, "as many as there can be are all of them"


def test_that_it_was_taken_is_on_record(books: Books) -> None:
    three(books)
    kept(books, search={"q": "supplier:brink"})
    row = AuditRow.objects.get(verb="runs.exported")
    said = json.loads(row.detail)["said"]
    assert (said["search"]["q"], said["format"]) == ("supplier:brink", "csv")


def test_a_long_list_takes_no_more_memory_than_a_short_one(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    three(books)
    template = Run.objects.filter(business_key="R-1").get()
    for _ in range(12):
        rows = []
        for number in range(250):
            row = Run(**{one.attname: getattr(template, one.attname) for one in Run._meta.concrete_fields})
            row.pk, row.business_key = uuid7(), f"N-{number}"
            rows.append(row)
        Run.objects.bulk_create(rows)

    def most_held(most: int) -> int:
        monkeypatch.setattr(run_sheets, "MOST", most)
        vera = books.world.as_vera
        body = json.dumps({"columns": COLUMNS, "search": {}}).encode()
        path = f"{factories.PREFIX}{books.world.here}/runs/export"
        headers = {"X-CSRFToken": vera.csrf}
        tracemalloc.start()
        answer: Any = vera.client.generic("POST", path, data=body, content_type="application/json", headers=headers)
        count = sum(portion.count(b"\n") for portion in answer.streaming_content)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert count > most
        return peak

    most_held(600)
    assert most_held(3_000) < most_held(600) * 1.5


def test_a_search_for_a_word_keeps_also_those_that_have_it_in_a_field(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of the list may hold those alone that have it in their key; a file holds what is counted."""
    monkeypatch.setattr("runtime.api.listed_files._AT_ONCE", 2)
    for number in range(6):
        books.run(f"Brink-{number}" if number % 3 else f"R-{number}", "Brinkmann")
    rows = sheet(books, search={"q": "brink"})
    assert [one["Key"] for one in rows] == ["Brink-5", "Brink-4", "R-3", "Brink-2", "Brink-1", "R-0"]
    rows = sheet(books, search={"q": "brink"}, sort="oldest")
    assert [one["Key"] for one in rows] == ["R-0", "Brink-1", "Brink-2", "R-3", "Brink-4", "Brink-5"]


def test_nobody_who_writes_waits_until_what_is_kept_is_counted(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """On SQLite a transaction of the web process is one that writes, and keeps all others from it."""
    three(books)
    real, within = runtime_api.count_runs, []

    def count(**asked: Any) -> Any:
        within.append((connection.in_atomic_block, len(connection.savepoint_ids)))
        return real(**asked)

    before = (connection.in_atomic_block, len(connection.savepoint_ids))
    monkeypatch.setattr(runtime_api, "count_runs", count)
    assert len(sheet(books, search={})) == 3
    assert within == [before]
    assert AuditRow.objects.filter(verb="runs.exported").count() == 1
