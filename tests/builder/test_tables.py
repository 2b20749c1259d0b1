"""Data tables over the API: by name and column, each change once, never another workspace's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings

from builder.workflows import services
from runtime.store.datatable_models import DataRow, DataTable
from tests import factories
from tests.builder.conftest import World
from tests.factories import Answer

COLUMNS: list[dict[str, Any]] = [
    {"name": "Customer", "key": True},
    {"name": "Owes", "type": "amount"},
    {"name": "Since", "type": "date"},
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)


def make(world: World, name: str = "Customers", columns: Any = COLUMNS) -> str:
    made = world.as_alice.post(f"{world.here}/tables", {"name": name, "columns": columns})
    assert made.status == 201, made.body
    return f"{world.here}/tables/{made.body['id']}"


def add(world: World, table: str, **values: Any) -> Answer:
    return world.as_alice.post(f"{table}/rows", {"values": values})


def upload(world: World, text: str, name: str = "a.csv") -> str:
    added = world.as_alice.call(
        "POST", f"{world.here}/files?name={name}", raw=text.encode(), headers={"Content-Type": "text/csv"}
    )
    return str(added.body["id"])


def test_a_table_is_made_filled_changed_and_removed(world: World) -> None:
    table = make(world)
    listed = world.as_alice.get(f"{world.here}/tables").body["items"]
    assert [(one["name"], one["rows"], one["created_by"]) for one in listed] == [("Customers", 0, "Alice")]
    row = add(world, table, Customer="C-7", Owes="1250.50")
    assert row.status == 201
    assert b'"Owes":1250.50' in row.raw, "to the last digit"
    assert (row.body["by"], row.body["run"], row.body["values"]["Since"]) == ("Alice", None, None)
    one = f"{table}/rows/{row.body['id']}"
    changed = world.as_alice.patch(one, {"values": {"Since": "2026-11-28"}, "stamp": row.body["stamp"]})
    assert (changed.status, changed.body["values"]["Since"]) == (200, "2026-11-28")
    late = world.as_alice.patch(one, {"values": {"Since": "2026-11-29"}, "stamp": row.body["stamp"]})
    assert (late.status, late.code) == (409, "row_changed")
    twice = add(world, table, Customer="C-7")
    assert (twice.status, twice.code) == (409, "row_exists")
    columns = world.as_alice.get(table).body["columns"]
    renamed = world.as_alice.patch(
        table, {"revision": 1, "columns": [columns[0], {**columns[1], "name": "Balance"}], "name": "People"}
    )
    assert (renamed.status, renamed.body["revision"], renamed.body["rows"]) == (200, 2, 1)
    assert world.as_alice.get(one).body["values"] == {"Customer": "C-7", "Balance": 1250.5}
    assert world.as_alice.patch(table, {"revision": 1, "name": "x"}).code == "table_changed"
    assert world.as_alice.delete(one).status == 204
    assert world.as_alice.delete(one).status == 404
    assert world.as_alice.delete(table).status == 204
    assert world.as_alice.get(table).status == 404
    gone = DataTable.objects.get()
    assert (gone.removed_by, gone.removed_at is not None, DataRow.objects.count()) == (world.alice.id, True, 0)


def test_what_does_not_fit_is_said_at_its_column(world: World) -> None:
    table = make(world)
    refused = add(world, table, Customer="C-7", Owes="lots")
    assert (refused.status, refused.code) == (422, "value_refused")
    assert refused.body["fields"] == {"values.Owes": ["takes a number, such as 1250.5"]}
    assert add(world, table, Owes=1).body["fields"] == {"values.Customer": ["must be filled in"]}
    assert add(world, table, Customer="a", Colour="red").code == "column_missing"
    same = world.as_alice.post(f"{world.here}/tables", {"name": "CUSTOMERS", "columns": COLUMNS})
    assert (same.status, same.code) == (409, "name_taken")
    twice = world.as_alice.post(f"{world.here}/tables", {"name": "x", "columns": [{"name": "a"}, {"name": "A"}]})
    assert (twice.status, twice.code) == (422, "column_twice")


def test_a_write_under_a_key_is_one_write_however_often_it_comes(world: World) -> None:
    table = make(world, columns=[{"name": "What"}])
    answers = [
        world.as_alice.call("POST", f"{table}/rows", {"values": {"What": "x"}}, headers={"Idempotency-Key": "k"})
        for _ in range(3)
    ]
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body["id"] for answer in answers}) == 1
    assert DataRow.objects.count() == 1


def test_rows_come_in_pages_searched_filtered_and_in_order(world: World) -> None:
    table = make(world)
    for number in range(5):
        add(world, table, Customer=f"C-{number}", Owes=f"{number * 10}.10")
    where = quote(json.dumps([{"column": "Owes", "operator": "gt", "value": "10.10"}]))
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = world.as_alice.get(
            f"{table}/rows?filter={where}&sort=Owes&descending=true&limit=2&count=true&cursor={cursor}"
        ).body
        assert page["count"] == 3
        seen += [one["values"]["Customer"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert seen == ["C-4", "C-3", "C-2"]
    found = world.as_alice.get(f"{table}/rows?search=c-1").body
    assert [one["values"]["Customer"] for one in found["items"]] == ["C-1"]
    assert found["count"] is None
    for query, status in (
        ("filter=nonsense", 422), ("filter=%5B1%5D", 422), ("filter=%5B%7B%22column%22%3A%22No%22%7D%5D", 422),
        ("sort=No", 422), ("cursor=abc", 400), ("limit=0", 400),
    ):  # fmt: skip
        assert world.as_alice.get(f"{table}/rows?{query}").status == status, query


def test_a_file_is_taken_in_and_its_result_is_counted(world: World) -> None:
    table = make(world)
    add(world, table, Customer="C-1", Owes=1)
    file = upload(world, "customer;owes;Other\nC-1;2,50;x\nC-2;3,00;y\n;1,00;z\n")
    matched = world.as_alice.get(f"{table}/match?file={file}").body["items"]
    assert [(one["name"], one["column"], one["samples"][:1]) for one in matched] == [
        ("customer", "Customer", ["C-1"]), ("owes", "Owes", [2.5]), ("Other", None, ["x"]),
    ]  # fmt: skip
    body = {"file": file, "columns": {"customer": "Customer", "owes": "Owes"}}
    headers = {"Idempotency-Key": "import-1"}
    done = [world.as_alice.call("POST", f"{table}/import", body, headers=headers) for _ in range(2)]
    assert done[0].status == 200, done[0].body
    assert done[0].body == done[1].body
    assert {name: done[0].body[name] for name in ("added", "changed", "unchanged", "refused")} == {
        "added": 1, "changed": 1, "unchanged": 0, "refused": 1,
    }  # fmt: skip
    assert done[0].body["reasons"] == [{"row": 4, "reason": "The column “Customer” must be filled in."}]
    nothing = world.as_alice.post(f"{table}/import", {"file": file, "columns": {}})
    assert (nothing.status, nothing.code) == (422, "nothing_matched")
    like = world.as_alice.get(f"{world.here}/tables/like-file?file={file}").body["items"]
    assert [(one["name"], one["type"]) for one in like] == [
        ("customer", "text"), ("owes", "number"), ("Other", "text"),
    ]  # fmt: skip


def test_a_table_is_written_out_and_its_text_is_never_a_formula(world: World) -> None:
    table = make(world, "Zürich =1")
    add(world, table, Customer="=cmd|' /C calc'!A0", Owes="2.50")
    add(world, table, Customer="C-2")
    response: Any = world.as_alice.client.get(f"/api/v1{table}/export?format=csv_comma&search=cmd")
    assert response.status_code == 200
    assert b"".join(response.streaming_content).decode("utf-8-sig").splitlines() == [
        "Customer;Owes;Since", "'=cmd|' /C calc'!A0;2,50;",
    ]  # fmt: skip
    assert "filename*=UTF-8''Z%C3%BCrich%20%3D1.csv" in response.headers["Content-Disposition"]
    book: Any = world.as_alice.client.get(f"/api/v1{table}/export?format=xlsx")
    assert b"".join(book.streaming_content).startswith(b"PK")


def test_a_table_that_a_workflow_names_says_so_and_is_not_removed_unasked(world: World) -> None:
    table = make(world)
    table_id = table.rsplit("/", 1)[1]
    graph = factories.small_graph()
    graph["nodes"].append({
        "id": "n_save", "key": "save", "name": "Save it", "type": "tables.save@1",
        "config": {"table": table_id, "values": [{"name": "Customer", "value": "C-1"}]}, "position": {"x": 0, "y": 0},
        "settings": {},
    })  # fmt: skip
    services.save_draft(workflow=world.workflow(), graph=graph, expected=1, by=world.bo, now=datetime.now(UTC))
    (use,) = world.as_alice.get(f"{table}/uses").body["items"]
    assert (use["steps"], use["draft"], use["live"]) == (["Save it"], True, False)
    refused = world.as_alice.delete(table)
    assert (refused.status, refused.code) == (409, "table_used")
    assert world.as_alice.delete(f"{table}?even_if_used=true").status == 204


def test_a_table_or_column_that_is_not_here_is_a_problem_before_anything_runs(world: World) -> None:
    table = make(world).rsplit("/", 1)[1]
    foreign = world.as_mallory.post(f"/workspaces/{world.southwind.id}/tables", {"name": "x", "columns": COLUMNS}).body
    config: dict[str, Any] = {"table": table, "values": [{"name": "Customer", "value": 1}, {"name": "Colour"}]}
    for table_id, expected in (
        (table, [("column_missing", "values[1].name")]), (foreign["id"], [("table_missing", "table")]),
        ("x", [("table_missing", "table")]),
    ):  # fmt: skip
        graph = factories.small_graph()
        graph["nodes"].append({
            "id": "n_save", "key": "save", "name": "Save it", "type": "tables.save@1",
            "config": {**config, "table": table_id}, "position": {"x": 0, "y": 0}, "settings": {},
        })  # fmt: skip
        report = services.check(workspace_id=world.northwind.id, graph=graph)
        told = [(one.code, one.field) for one in report.problems if one.code in ("table_missing", "column_missing")]
        assert told == expected
        assert not report.publishable


def test_another_workspaces_table_is_not_there(world: World) -> None:
    """S3: whoever names it, under whichever workspace, and whatever file is named with it."""
    table = make(world)
    row = add(world, table, Customer="C-7").body
    table_id = table.rsplit("/", 1)[1]
    file = upload(world, "Customer\nsecret\n")
    for workspace in (world.northwind.id, world.southwind.id):
        here = f"/workspaces/{workspace}/tables/{table_id}"
        for method, path, body in (
            ("GET", "", None), ("GET", "/rows", None), ("GET", f"/rows/{row['id']}", None), ("GET", "/export", None),
            ("GET", "/uses", None), ("GET", f"/match?file={file}", None), ("DELETE", "", None),
            ("PATCH", "", {"revision": 1, "name": "Mine"}), ("POST", "/rows", {"values": {"Customer": "x"}}),
            ("PATCH", f"/rows/{row['id']}", {"values": {"Owes": 1}, "stamp": row["stamp"]}),
            ("DELETE", f"/rows/{row['id']}", None),
            ("POST", "/import", {"file": file, "columns": {"Customer": "Customer"}}),
        ):  # fmt: skip
            assert world.as_mallory.call(method, f"{here}{path}", body).status == 404, path
    own = world.as_mallory.post(f"/workspaces/{world.southwind.id}/tables", {"name": "Own", "columns": COLUMNS}).body
    stolen = world.as_mallory.post(
        f"/workspaces/{world.southwind.id}/tables/{own['id']}/import",
        {"file": file, "columns": {"Customer": "Customer"}},
    )
    assert stolen.status == 404
    assert world.as_mallory.get(f"/workspaces/{world.southwind.id}/tables/{own['id']}/rows/{row['id']}").status == 404
