"""A run that is given a file with rows: its steps read them as they were understood before the start."""

from __future__ import annotations

import io
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from xlsxwriter import Workbook

from runtime import api
from runtime.contracts import InputRefused
from runtime.contracts.uploads import UploadUnreadable
from runtime.engine.graph import parse
from runtime.engine.needs import engine_needed
from runtime.store.models import File, Run
from tests.runtime.machine import WORKSPACE, Machine, detail, fields, flow, step
from tests.runtime.test_own_runs import inside

COLUMNS: list[dict[str, Any]] = [
    {"name": "invoice", "label": "Invoice", "key": True},
    {"name": "centre", "label": "Cost centre", "required": True},
    {"name": "amount", "label": "Amount", "type": "amount"},
    {"name": "due", "label": "Due", "type": "date"},
]
HEAD = "Beleg;KST;Betrag;Datum"
SOURCES = {"invoice": "Beleg", "centre": "KST", "amount": "Betrag", "due": "Datum"}
BODY = fields("name", of="{{ item.invoice }} {{ item.amount + 1 }} {{ item.due }}")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)


def kept(*rows: str, head: str = HEAD) -> UUID:
    data = "\r\n".join([head, *rows, ""]).encode("cp1252")
    view = api.add_file(workspace_id=WORKSPACE, name="May.csv", mime="text/csv", read=io.BytesIO(data).read, by=None)
    return view.id


def checked(file_id: UUID, **more: Any) -> Any:
    look = api.look_at_upload(workspace_id=WORKSPACE, file_id=file_id, columns=COLUMNS, sources=SOURCES)
    assert look.asks == ()
    return api.check_upload(
        workspace_id=WORKSPACE, file_id=file_id, columns=COLUMNS, format=look.format, sources=SOURCES, **more
    )


def start(body: dict[str, Any] | None = None, **each: Any) -> dict[str, Any]:
    asks = {"fields": [{"name": "may", "label": "May", "type": "table", "required": True, "columns": COLUMNS}]}
    each_row = step("each", "flow.for_each@1", {"source": "file", "file": "{{ trigger.may }}", **each})
    begin = step("start", "trigger.manual@1", asks)
    return flow("start -> each", begin, each_row, *inside("each", body or BODY))


def test_rows_come_mapped_and_typed_to_the_steps(machine: Machine) -> None:
    file_id = kept("1;Küche;1.234,50;28.11.2026", "2;Büro;-7,5;1.12.2026")
    found = checked(file_id)
    assert (found.total, found.fitting, found.causes) == (2, 2, ())
    run = machine.run(start(), {"may": found.value})
    assert run.status == "completed", run
    output: Any = detail(run.id, "each").output
    assert [one["of"] for one in output["results"]] == ["1 1235.50 2026-11-28", "2 -6.5 2026-12-01"]
    batch = api.batch(workspace_id=WORKSPACE, run_id=run.id, node="each")
    assert batch.input is not None
    assert batch.input.id == file_id


def test_rows_that_do_not_fit_are_kept_in_a_file_and_left_out(machine: Machine) -> None:
    rows = [f"{n};{'' if n % 3 == 0 else 'Küche'};{n},5;1.1.2026" for n in range(1, 10)]
    file_id = kept(*rows, "=1+1;;x;1.1.2026")
    refused = checked(file_id)
    assert (refused.total, refused.fitting, refused.value, refused.left_out) == (10, 6, None, None)
    assert File.objects.count() == 1
    found = checked(file_id, keep_left_out=True)
    assert found.value["left_out"]["rows"] == "4,7,10-11"
    text = b"".join(api.open_file(workspace_id=WORKSPACE, file_id=found.left_out.id).portions).decode("utf-8-sig")
    assert found.left_out.name == "May (left out).csv"
    assert text.splitlines()[0] == "Beleg;KST;Betrag;Datum;Row;Reason"
    assert text.splitlines()[1] == "3;;3,5;1.1.2026;4;“Cost centre” is empty"
    assert text.splitlines()[4] == "'=1+1;;x;1.1.2026;11;“Cost centre” is empty; “Amount” is no number: x".replace(
        "“Cost centre” is empty; “Amount” is no number: x", '"“Cost centre” is empty; “Amount” is no number: x"'
    )
    run = machine.run(start(), {"may": found.value})
    assert run.status == "completed", run
    given: Any = detail(run.id, "start").output
    assert given["may"]["left_out"]["count"] == 4
    assert Run.objects.filter(parent_run_id=run.id).count() == 6
    again = checked(found.left_out.id)
    assert (again.total, again.fitting) == (4, 0)


def test_many_pages_of_rows_are_each_done_once(machine: Machine) -> None:
    rows = [f"{n};{'' if n == 700 else 'x'};{n},5;1.1.2026" for n in range(1, 1_204)]
    found = checked(kept(*rows), keep_left_out=True)
    run = machine.finish(machine.begin(start(at_a_time=50, collect=False), {"may": found.value}), patience=120)
    assert run.status == "completed", run
    output: Any = detail(run.id, "each").output
    assert (output["total"], output["done"], output["pages"]) == (1_202, 1_202, 3)


def test_read_a_table_gives_them_as_they_were_understood(machine: Machine) -> None:
    found = checked(kept("1;Küche;1.234,50;28.11.2026"))
    graph = start()
    graph["nodes"] = [node for node in graph["nodes"] if node["key"] == "start"]
    graph = flow("start -> read", graph["nodes"][0], step("read", "files.read_table@1", {"file": "{{ trigger.may }}"}))
    run = machine.run(graph, {"may": found.value})
    output: Any = detail(run.id, "read").output
    assert output == {
        "rows": [{"invoice": "1", "centre": "Küche", "amount": Decimal("1234.50"), "due": "2026-11-28"}],
        "count": 1,
        "columns": [
            {"name": "invoice", "type": "text"}, {"name": "centre", "type": "text"},
            {"name": "amount", "type": "amount"}, {"name": "due", "type": "date"},
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("head", "row", "words"),
    [
        ("Invoice;Cost centre;Amount;Due", "1;x;1,5;28.11.2026", None),
        ("Invoice;Other;Amount;Due", "1;x;1,5;28.11.2026", "no column “Cost centre”"),
        ("Invoice;Cost centre;Amount;Due", "1;x;1,5;3/4/2026", "“3/4/2026” can be read in two ways"),
        ("Invoice;Cost centre;Amount;Due", "1;;1,5;28.11.2026", "Row 2: “Cost centre” is empty"),
    ],
)
def test_a_file_that_nobody_looked_at_is_read_where_it_can_be_read_one_way(
    machine: Machine, head: str, row: str, words: str | None
) -> None:
    view = api.file(workspace_id=WORKSPACE, file_id=kept(row, head=head))
    given: Any = {"id": str(view.id), "name": view.name, "mime": view.mime, "size": view.size, "sha256": view.sha256}
    run = machine.run(start(), {"may": given})
    if words is None:
        assert run.status == "completed", run
    else:
        assert run.error is not None
        assert words in run.error["message"]
        assert not Run.objects.filter(parent_run_id=run.id).exists()


def test_a_start_without_a_column_that_it_needs_is_refused(machine: Machine) -> None:
    found = checked(kept("1;x;1,5;1.1.2026"))
    given = {**found.value, "columns": {"invoice": "Beleg"}}
    with pytest.raises(InputRefused) as refused:
        machine.run(start(), {"may": given})
    assert refused.value.fields == {"may": "“May” needs a column for “Cost centre”."}


def test_a_file_without_a_row_that_fits_starts_nothing(machine: Machine) -> None:
    found = checked(kept("1;;1,5;1.1.2026"), keep_left_out=True)
    assert (found.fitting, found.value) == (0, None)
    with pytest.raises(UploadUnreadable, match="no column “Nix”"):
        api.check_upload(
            workspace_id=WORKSPACE,
            file_id=kept("1;x;1,5;1.1.2026"),
            columns=COLUMNS,
            format={"kind": "csv", "header": 1, "delimiter": ";", "encoding": "cp1252"},
            sources={"invoice": "Nix"},
        )


def test_rows_that_do_not_fit_in_too_many_places_are_not_left_out(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.api.uploads.MOST_GAPS", 2)
    found = checked(kept(*[f"{n};{'x' if n % 2 else ''};1;1.1.2026" for n in range(9)]), keep_left_out=True)
    assert (found.scattered, found.value, found.left_out is not None) == (True, None, True)


def test_a_workbook_of_many_pages_is_read_with_its_days_and_whole_numbers(machine: Machine) -> None:
    out = io.BytesIO()
    with Workbook(out, {"constant_memory": True}) as book:
        page = book.add_worksheet("May")
        day = book.add_format({"num_format": "dd.mm.yyyy"})
        for at, name in enumerate(HEAD.split(";")):
            page.write_string(0, at, name)
        for row in range(1, 702):
            page.write_number(row, 0, float(row))
            page.write_string(row, 1, "" if row == 600 else "Küche")
            page.write_number(row, 2, row + 0.1 + 0.2)
            page.write_datetime(row, 3, datetime(2026, 11, 28), day)
    read = io.BytesIO(out.getvalue()).read
    view = api.add_file(workspace_id=WORKSPACE, name="May.xlsx", mime="application/x", read=read, by=None)
    found = checked(view.id, keep_left_out=True)
    assert (found.total, found.fitting, found.value["left_out"]["rows"]) == (701, 700, "601")
    run = machine.finish(machine.begin(start(at_a_time=50), {"may": found.value}), patience=120)
    output: Any = detail(run.id, "each").output
    assert (output["total"], output["done"], output["pages"]) == (700, 700, 2)
    assert output["results"][0]["of"] == "1 2.3 2026-11-28"
    assert output["results"][-1]["of"] == "701 702.3 2026-11-28"


def test_runs_that_are_asked_for_rows_are_left_to_workers_that_know_them() -> None:
    """I30."""
    only = {**start(), "nodes": [node for node in start()["nodes"] if node["key"] == "start"], "edges": []}
    assert engine_needed(parse(only)) > engine_needed(parse(flow("start", step("start", "trigger.manual@1"))))
